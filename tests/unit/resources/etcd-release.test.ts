import { describe, expect, test } from '@jest/globals';
import type { EtcdInstalled } from '../../../src/facts/etcd-installed.js';
import type { Outcome, Resource } from '../../../src/model/change.js';
import type { EtcdRelease } from '../../../src/model/cluster.js';
import {
  otherProgram,
  packagedProgram,
  programOfRelease,
  snapshotBeforeUpgrade,
  switchedRelease,
  unpackedRelease,
} from '../../../src/resources/etcd-release.js';
import { etcdHost, healthy, NO_DATA, NOT_INSTALLED, SILENT, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbes, type FakeAnswers, type FakeProbe } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';

const SHA = 'ab'.repeat(32);
const RELEASE: EtcdRelease = { version: '3.5.16', sha256: SHA, source: 'https://mirror/etcd.tar.gz', fetch: 'control' };
const DIRECTORY = '3.5.16-abababababab';
const PACKAGE: EtcdInstalled = {
  releases: [],
  current: undefined,
  isFirst: false,
  packaged: { minor: 4, patch: 23 },
  running: '/usr/bin/etcd',
};
const SWITCHED: EtcdInstalled = { ...PACKAGE, releases: [DIRECTORY], current: DIRECTORY, isFirst: true };
const NEW: EtcdInstalled = { ...SWITCHED, running: `/usr/local/lib/etcd/${DIRECTORY}/etcd` };

const member = sampleMember(1);
const released = (version = '3.5.16') =>
  ({ cluster: SAMPLE_CLUSTER, member, release: { ...RELEASE, version } }) as const;

function probeOf(installed: EtcdInstalled, own: FakeAnswers, two: FakeAnswers, three: FakeAnswers): FakeProbe {
  const probe = fakeProbes({
    'etcd-1': { 'etcd-installed': { etcd: installed }, ...own },
    'etcd-2': two,
    'etcd-3': three,
  }).get('etcd-1');
  if (probe === undefined) throw new Error('no probe');
  return probe;
}

/** @param versions of the three members; `down`, `bare` */
function cluster(installed: EtcdInstalled, ...versions: readonly string[]): FakeProbe {
  const [one, two, three] = versions.map((version, index): FakeAnswers => {
    if (version === 'down') return etcdHost({ unit: STOPPED, status: SILENT });
    if (version === 'bare') return etcdHost({ data: NO_DATA, unit: NOT_INSTALLED });
    return etcdHost({ status: healthy(index + 1, { version }) });
  });
  return probeOf(installed, one ?? {}, two ?? {}, three ?? {});
}

async function summary(resource: Resource, probe: FakeProbe): Promise<string> {
  const outcome: Outcome = await resource.plan(probe);
  return outcome.kind === 'change' ? outcome.change.summary : outcome.kind;
}

const SWITCH = `switch etcd from 3.4.23 to 3.5.16, the release in /usr/local/lib/etcd/${DIRECTORY}`;

describe('the release of a member', () => {
  test.each([
    ['nothing has changed yet', PACKAGE, ['3.4.23', '3.4.23', '3.4.23'], SWITCH],
    ['others have gone ahead', PACKAGE, ['3.4.23', '3.5.16', '3.5.16'], SWITCH],
    ['it is switched, and its process not started anew', SWITCHED, ['3.4.23', '3.4.23', '3.4.23'], 'unchanged'],
    ['it runs', NEW, ['3.5.16', '3.4.23', '3.4.23'], 'unchanged'],
    [
      'another etcdctl is found first',
      { ...NEW, isFirst: false },
      ['3.5.16', '3.5.16', '3.5.16'],
      SWITCH.replace('3.4.23', '3.5.16'),
    ],
    ['it is down, the others serve', PACKAGE, ['down', '3.4.23', '3.4.23'], SWITCH],
    [
      'it joins others in the middle of their upgrade',
      { ...PACKAGE, packaged: undefined },
      ['bare', '3.4.23', '3.5.16'],
      SWITCH.replace(' from 3.4.23', ''),
    ],
    [
      'there is no cluster yet',
      { ...PACKAGE, packaged: undefined },
      ['bare', 'bare', 'bare'],
      SWITCH.replace(' from 3.4.23', ''),
    ],
  ])('%s', async (_, installed, versions, expected) => {
    expect(await summary(switchedRelease(released()), cluster(installed, ...versions))).toBe(expected);
  });

  test.each([
    [
      '3.6.0',
      ['3.4.23', '3.4.23', '3.4.23'],
      'upgrade-refused',
      'set etcd_version to 3.5.32 or a later 3.5, and apply; the whole path: 3.4.23 → 3.5.32 or a later 3.5 → 3.6.0',
    ],
    [
      '3.6.0',
      ['3.5.16', '3.5.16', '3.5.16'],
      'upgrade-refused',
      'set etcd_version to 3.5.32 or a later 3.5, and apply; the whole path: 3.5.16 → 3.5.32 or a later 3.5 → 3.6.0',
    ],
    [
      '3.4.22',
      ['3.4.23', '3.4.23', '3.4.23'],
      'upgrade-refused',
      'set etcd_version to 3.4.23 or later; data of before comes back with: provision snapshot restore INVENTORY FILE',
    ],
    ['3.5.1', ['3.4.23', '3.4.23', '3.4.23'], 'upgrade-refused', 'set etcd_version to 3.5.3 or a later 3.5, and apply'],
    // Its own version is that of what was installed last.
    ['3.6.0', ['down', '3.4.23', '3.4.23'], 'upgrade-refused', expect.stringContaining('the whole path')],
    ['3.5.16', ['down', 'down', '3.4.23'], 'upgrade-while-down', expect.stringContaining('systemctl start etcd')],
    // A host without data joins the others: alone, as with --limit, or in place of a member that is lost.
    ['3.6.0', ['bare', '3.4.23', '3.4.23'], 'upgrade-refused', expect.stringContaining('the whole path: 3.4.23 →')],
    ['3.6.0', ['bare', '3.5.16', '3.5.32'], 'upgrade-refused', expect.stringContaining('the whole path: 3.5.16 →')],
    ['3.4.23', ['bare', '3.5.16', '3.5.16'], 'upgrade-refused', expect.stringContaining('3.5.16 or later')],
  ])('%s is refused where members run %s', async (version, versions, code, hint) => {
    await expect(switchedRelease(released(version)).plan(cluster(PACKAGE, ...versions))).rejects.toMatchObject({
      code,
      hint,
    });
  });

  test('a version that may not be is refused also where someone has switched to it', async () => {
    const installed = { ...SWITCHED, current: '3.6.0-abababababab' };
    const plan = switchedRelease(released('3.6.0')).plan(cluster(installed, '3.4.23', '3.4.23', '3.4.23'));
    await expect(plan).rejects.toMatchObject({ code: 'upgrade-refused' });
  });

  test('is the same change however far the others are: a later look must agree with the plan', async () => {
    const actions = async (...versions: readonly string[]): Promise<unknown> => {
      const outcome = await switchedRelease(released()).plan(cluster(PACKAGE, ...versions));
      return outcome.kind === 'change' && [outcome.change.summary, outcome.change.actions];
    };
    expect(await actions('3.4.23', '3.5.16', '3.5.16')).toEqual(await actions('3.4.23', '3.4.23', '3.4.23'));
  });

  test('is taken back before the files of the unit, or all stays: the old version may not start any more', async () => {
    const outcome = await switchedRelease(released()).plan(cluster(PACKAGE, '3.4.23', '3.4.23', '3.4.23'));
    expect(outcome).toMatchObject({ change: { actions: [{ kind: 'run', restores: 'all' }] } });
  });

  test('shows versions, also of the storage where it is reported', async () => {
    const newest = etcdHost({ status: healthy(2, { version: '3.6.11', storageVersion: '3.5.0' }) });
    const old = (number: number): FakeAnswers => etcdHost({ status: healthy(number, { version: '3.5.32' }) });
    const outcome = await switchedRelease(released('3.6.11')).plan(probeOf(PACKAGE, old(1), newest, old(3)));
    expect(outcome.kind === 'change' && outcome.change.diff).toEqual([
      'members run 3.5.32 (etcd-1, etcd-3), 3.6.11 (etcd-2)',
      'storage version 3.5.0',
      '/usr/local/lib/etcd/current: (none) → 3.6.11-abababababab',
      'etcd, etcdctl and etcdutl in /usr/local/bin lead there',
      'for the way back the package stays',
    ]);
  });
});

describe('a snapshot before the first member', () => {
  const BEFORE = 'save a snapshot of the cluster on this machine, before the first member is upgraded';

  test.each([
    ['all run the old version', ['3.4.23', '3.4.23', '3.4.23'], BEFORE],
    ['it is down, the others serve', ['down', '3.4.23', '3.4.23'], BEFORE],
    ['one runs the new version', ['3.4.23', '3.5.16', '3.4.23'], 'unchanged'],
    ['all run it', ['3.5.16', '3.5.16', '3.5.16'], 'unchanged'],
    ['there is no cluster yet', ['bare', 'bare', 'bare'], 'unchanged'],
    ['nobody answers', ['down', 'down', 'down'], 'unchanged'],
  ])('%s', async (_, versions, expected) => {
    expect(await summary(snapshotBeforeUpgrade(released()), cluster(PACKAGE, ...versions))).toBe(expected);
  });

  test('is none for another tarball of the version that runs', async () => {
    const probe = cluster(PACKAGE, '3.4.23', '3.4.23', '3.4.23');
    expect(await summary(snapshotBeforeUpgrade(released('3.4.23')), probe)).toBe('unchanged');
  });
});

describe('the program of the process', () => {
  const ask = async (installed: EtcdInstalled): Promise<readonly string[]> =>
    otherProgram({ member, release: RELEASE }, cluster(installed, '3.4.23', '3.4.23', '3.4.23'));

  test('is a reason to restart, where it is another one', async () => {
    expect(await ask(NEW)).toEqual([]);
    expect(await ask({ ...NEW, running: undefined })).toEqual([]);
    expect(await ask(SWITCHED)).toEqual([`the process is /usr/bin/etcd, not /usr/local/lib/etcd/${DIRECTORY}/etcd`]);
    expect(await ask({ ...NEW, running: `${NEW.running ?? ''} (deleted)` })).toHaveLength(1);
  });

  test('of a release is a reason to restart, where the package is wanted', async () => {
    expect(await programOfRelease(member, startedBy('/usr/bin/etcd'))).toEqual([]);
    expect(await programOfRelease(member, startedBy(RELEASED))).toHaveLength(1);
  });
});

const RELEASED = '/usr/local/lib/etcd/current/etcd';

function startedBy(program: string, installed = SWITCHED, version = '3.4.23'): FakeProbe {
  const command = { files: [], environmentFiles: [], next: [program], running: [program] };
  const own = etcdHost({ status: healthy(1, { version }) });
  return probeOf(installed, { 'unit-commands': { etcd: command }, ...own }, own, own);
}

describe('the way from a release to the package', () => {
  const resource = packagedProgram({ cluster: SAMPLE_CLUSTER, member });

  test('is nothing where the package runs', async () => {
    expect(await summary(resource, startedBy('/usr/bin/etcd'))).toBe('unchanged');
  });

  test('leads to the same version', async () => {
    const outcome = await resource.plan(startedBy(RELEASED));
    expect(outcome).toMatchObject({
      kind: 'change',
      change: {
        summary: 'go back to the package of etcd, 3.4.23',
        actions: [{ kind: 'remove-file', path: '/etc/systemd/system/etcd.service' }, { kind: 'run' }],
      },
    });
  });

  test('is known once the package is installed', async () => {
    expect((await resource.plan(startedBy(RELEASED, { ...SWITCHED, packaged: undefined }))).kind).toBe('unknown');
  });

  test.each([
    ['3.5.16', 'keep etcd_install: release with etcd_version: 3.5.16'],
    ['3.4.22', 'go to that version by release first: etcd_install: release, etcd_version: 3.4.23'],
  ])('is refused from %s', async (version, hint) => {
    const plan = resource.plan(startedBy(RELEASED, SWITCHED, version));
    await expect(plan).rejects.toMatchObject({ code: 'runs-a-release', hint });
  });
});

test.each([
  ['control' as const, 'send-release'],
  ['host' as const, 'run'],
])('a release is unpacked before anything runs from it: read by the %s', async (fetch, kind) => {
  const resource = unpackedRelease({ member, release: { ...RELEASE, fetch } });
  const outcome = await resource.plan(cluster(PACKAGE, '3.4.23', '3.4.23', '3.4.23'));
  expect(outcome).toMatchObject({
    kind: 'change',
    change: {
      summary: `unpack etcd 3.5.16 into /usr/local/lib/etcd/${DIRECTORY}`,
      disruptive: false,
      actions: [{ kind }],
    },
  });
  expect(await resource.plan(cluster(SWITCHED, '3.4.23', '3.4.23', '3.4.23'))).toEqual({ kind: 'unchanged' });
});
