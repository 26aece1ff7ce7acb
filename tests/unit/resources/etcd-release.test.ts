import { describe, expect, test } from '@jest/globals';
import type { EtcdInstalled } from '../../../src/facts/etcd-installed.js';
import { otherProgram, switchedRelease, unpackedRelease } from '../../../src/resources/etcd-release.js';
import { etcdHost, healthy, NO_DATA, NOT_INSTALLED } from '../../support/etcd-answers.js';
import type { FakeAnswers } from '../../support/fake-probe.js';
import {
  besideBare,
  cluster,
  DIRECTORY,
  joiner,
  member,
  NEW,
  PACKAGE,
  probeOf,
  RELEASE,
  released,
  summary,
  SWITCHED,
} from '../../support/release-answers.js';
import { expectRefused } from '../../support/refusals.js';

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

  test.each([
    [['3.4.23', '3.4.23', '3.4.23'], 'etcd-1 runs etcd 3.4.23'],
    [['bare', '3.4.23', '3.4.23'], 'etcd-1 has no data, the members that it would join run etcd 3.4.23'],
  ])('is refused in words of who runs what: %j', async (versions, who) => {
    await expect(switchedRelease(released('3.6.0')).plan(cluster(PACKAGE, ...versions))).rejects.toThrow(
      `${who}, and etcd_version is 3.6.0: etcd goes one minor version at a time, and 3.4 to 3.6 skips 3.5`,
    );
  });

  test.each([
    // The cluster as a whole is at 3.4 as long as one member runs it, and all say so.
    ['most members say so', ['3.5.16 in 3.4', '3.5.16 in 3.4', '3.4.23'], 'switch etcd from 3.5.16 to 3.4.23'],
    ['it is down, the others say so', ['down', '3.4.23', '3.4.23'], 'switch etcd from 3.5.16 to 3.4.23'],
    ['one that lies says so', ['3.5.16', '3.5.16', '3.4.23'], 'upgrade-refused'],
    ['one that lies says so, and another is down', ['3.5.16', 'down', '3.4.23'], 'upgrade-refused'],
  ])('goes back from an upgrade that was begun where %s, else not', async (_, versions, expected) => {
    const plan = summary(switchedRelease(released('3.4.23')), cluster(NEW, ...versions));
    const found = await plan.catch((error: unknown) => (error as { readonly code?: string }).code);
    expect(found?.replace(/,.*/, '')).toBe(expected);
  });

  // What the cluster as a whole is at, most members say: none can run an older one.
  test.each([
    ['3.4.23', ['3.5.16', '3.5.16', '3.4.23'], '3.5.16 or later'],
    ['3.4.23', ['3.5.16', '3.5.16', '3.5.16'], '3.5.16 or later'],
    ['3.6.0', ['3.5.32', '3.5.32', '3.4.23'], 'switch etcd to 3.6.0'],
    ['3.6.0', ['3.5.32 in 3.4', '3.5.32 in 3.4', '3.4.23'], '3.4.23 → '],
    ['3.5.16', ['3.5.16', '3.5.16', '3.2.1'], 'switch etcd to 3.5.16'],
    ['3.5.16', ['3.4.23', '3.4.23', '3.2.1'], 'switch etcd to 3.5.16'],
    ['3.5.16', ['3.4.23', '3.4.23', '3.6.9'], 'switch etcd to 3.5.16'],
    // Where most don't say it, each is believed.
    ['3.5.16', ['3.4.23', 'down', '3.2.1'], '3.2.1 → '],
  ])('%s joins members that say %j, or not: %s', async (version, versions, expected) => {
    const plan = summary(switchedRelease(joiner(version)), besideBare(...versions));
    const said = await plan.catch((error: unknown) => (error as { readonly hint?: string }).hint);
    expect(said).toContain(expected);
  });

  test('is asked of nobody where there is no cluster yet', async () => {
    const bare = etcdHost({ data: NO_DATA, unit: NOT_INSTALLED });
    const probe = probeOf(PACKAGE, bare, bare, bare);
    expect(await summary(switchedRelease(released()), probe)).toBe(SWITCH.replace(' from 3.4.23', ''));
  });

  test('is no host to stop by saying that it runs what is too old', async () => {
    const plan = (...versions: readonly string[]) =>
      summary(switchedRelease(released()), cluster(PACKAGE, ...versions));
    expect(await plan('3.4.23', '3.4.23', '3.2.1')).toBe(SWITCH);
    await expectRefused(plan('3.4.23', 'down', '3.2.1'), 'upgrade-refused');
  });

  test('is refused while planning where a program of others is in its place', async () => {
    const installed = { ...PACKAGE, inTheWay: ['etcdctl'] };
    const plan = switchedRelease(released()).plan(cluster(installed, '3.4.23', '3.4.23', '3.4.23'));
    await expect(plan).rejects.toMatchObject({
      code: 'program-in-the-way',
      hint: "see what it is, and move it away: ssh etcd-1 'sudo mv /usr/local/bin/etcdctl /usr/local/bin/etcdctl.before'",
    });
  });

  test('a version that may not be is refused also where someone has switched to it', async () => {
    const installed = { ...SWITCHED, current: '3.6.0-abababababab' };
    const plan = switchedRelease(released('3.6.0')).plan(cluster(installed, '3.4.23', '3.4.23', '3.4.23'));
    await expectRefused(plan, 'upgrade-refused');
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

describe('the program of the process', () => {
  const ask = async (installed: EtcdInstalled): Promise<readonly string[]> =>
    otherProgram({ member, release: RELEASE }, cluster(installed, '3.4.23', '3.4.23', '3.4.23'));

  test('is a reason to restart, where it is another one', async () => {
    expect(await ask(NEW)).toEqual([]);
    expect(await ask({ ...NEW, running: undefined })).toEqual([]);
    expect(await ask(SWITCHED)).toEqual([`the process is /usr/bin/etcd, not /usr/local/lib/etcd/${DIRECTORY}/etcd`]);
    expect(await ask({ ...NEW, running: `${NEW.running ?? ''} (deleted)` })).toHaveLength(1);
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
