import { describe, expect, test } from '@jest/globals';
import type { EtcdInstalled } from '../../../src/facts/etcd-installed.js';
import { packagedProgram, programOfRelease } from '../../../src/resources/packaged-program.js';
import { etcdHost, healthy } from '../../support/etcd-answers.js';
import type { FakeProbe } from '../../support/fake-probe.js';
import { DIRECTORY, member, probeOf, summary, SWITCHED } from '../../support/release-answers.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { shownChange } from '../../support/shown-change.js';
import { expectRefused } from '../../support/refusals.js';

const RELEASED = '/usr/local/lib/etcd/current/etcd';

/** A host by what its unit starts. @param leads whether a link leads to a release; default: as the unit has it */
function startedBy(
  program: string,
  installed: EtcdInstalled = SWITCHED,
  { version = '3.4.23', leads = program === RELEASED } = {},
): FakeProbe {
  const command = { files: [], environmentFiles: [], next: [program], running: [program] };
  const own = etcdHost({ status: healthy(1, { version }) });
  const paths = { '/usr/local/lib/etcd/current': leads };
  return probeOf(installed, { 'unit-commands': { etcd: command }, paths, ...own }, own, own);
}

describe('the way from a release to the package', () => {
  const resource = packagedProgram({ cluster: SAMPLE_CLUSTER, member });
  const STAYS = `/usr/local/lib/etcd/${DIRECTORY}`;
  const USED = ['$ use the programs of the package', 'back: use those of the release again'];

  test('is nothing where the package runs', async () => {
    expect(await summary(resource, startedBy('/usr/bin/etcd'))).toBe('unchanged');
  });

  test('leads to the same version', async () => {
    expect(shownChange(await resource.plan(startedBy(RELEASED)))).toEqual([
      'go back to the package of etcd, 3.4.23',
      ...['- /etc/systemd/system/etcd.service', `${STAYS} stays unpacked`],
      ...['remove /etc/systemd/system/etcd.service', ...USED],
    ]);
  });

  test('is not gone yet where only the unit is: a link still leads to the release', async () => {
    expect(shownChange(await resource.plan(startedBy('/usr/bin/etcd', SWITCHED, { leads: true })))).toEqual([
      'go back to the package of etcd, 3.4.23',
      '/etc/systemd/system/etcd.service is gone already: a run was interrupted',
      ...[`${STAYS} stays unpacked`, ...USED],
    ]);
    const unnamed = { ...SWITCHED, current: undefined };
    expect(shownChange(await resource.plan(startedBy('/usr/bin/etcd', unnamed, { leads: true })))).toEqual([
      ...[
        'go back to the package of etcd, 3.4.23',
        '/etc/systemd/system/etcd.service is gone already: a run was interrupted',
      ],
      ...['/usr/local/lib/etcd/ stays unpacked', '$ use the programs of the package', 'back: nothing'],
    ]);
    const other = resource.plan(startedBy('/usr/bin/etcd', SWITCHED, { leads: true, version: '3.5.16' }));
    await expectRefused(other, 'runs-a-release');
  });

  test('is known once the package is installed', async () => {
    expect((await resource.plan(startedBy(RELEASED, { ...SWITCHED, packaged: undefined }))).kind).toBe('unknown');
  });

  test.each([
    ['3.5.16', 'keep etcd_install: release with etcd_version: 3.5.16'],
    ['3.4.22', 'go to that version by release first: etcd_install: release, etcd_version: 3.4.23'],
  ])('is refused from %s', async (version, hint) => {
    const plan = resource.plan(startedBy(RELEASED, SWITCHED, { version }));
    await expect(plan).rejects.toMatchObject({ code: 'runs-a-release', hint });
  });
});

test('a process of a release is a reason to restart, where the package is wanted', async () => {
  expect(await programOfRelease(member, startedBy('/usr/bin/etcd'))).toEqual([]);
  expect(await programOfRelease(member, startedBy(RELEASED))).toHaveLength(1);
});
