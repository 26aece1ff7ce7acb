import { describe, expect, test } from '@jest/globals';
import type { UnitState } from '../../../src/facts/unit-state.js';
import { UNCHANGED, type Outcome, type Resource } from '../../../src/model/change.js';
import { adoptedMember } from '../../../src/resources/adopted-member.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { sampleMember } from '../../support/sample-cluster.js';

const MEMBER = { ...sampleMember(1), unit: 'etcd3' };
const { certificate: PATH, key: KEY } = MEMBER.server;
const RUNNING: UnitState = {
  load: 'loaded',
  active: true,
  starting: false,
  enabled: false,
  maskedAtRuntime: false,
  startedAt: 1000,
  loadedAt: 1000,
  needsDaemonReload: false,
};
const CERTIFICATE: Resource = { address: `certificate:${PATH}`, paths: [PATH], plan: () => Promise.resolve(UNCHANGED) };

function decide(
  changedAt: number | undefined,
  unit: Partial<UnitState> = {},
  hasKey = changedAt !== undefined,
): Promise<Outcome> {
  const state = changedAt === undefined ? { kind: 'absent' } : { kind: 'file', changedAt };
  const key = hasKey ? { kind: 'file', changedAt: 1 } : { kind: 'absent' };
  const probe = fakeProbe({
    'file-states': { [PATH]: state, [KEY]: key },
    units: { etcd3: { ...RUNNING, ...unit } },
  });
  return adoptedMember({ member: MEMBER, runsWith: [CERTIFICATE] }).plan(probe);
}

describe('adoptedMember', () => {
  test('is left alone while it runs with its certificate, enabled or not', async () => {
    expect(await decide(999)).toEqual(UNCHANGED);
  });

  test('is restarted with a newer certificate, after it handed over', async () => {
    const outcome = await decide(1001, { needsDaemonReload: true });
    expect(outcome).toMatchObject({
      change: {
        summary: 'restart etcd3 (member m1)',
        disruptive: true,
        diff: [
          `because ${PATH} is newer than the running process`,
          'because with it, etcd3.service takes up its changed unit file',
        ],
        actions: [
          { command: { summary: 'hand over etcd leadership, if held' } },
          { command: { summary: 'systemctl restart etcd3' }, undo: { summary: 'systemctl restart etcd3' } },
          { command: { summary: 'wait one election timeout (1 s)' } },
        ],
      },
    });
  });

  test('has its unit file as the reason only where that has changed', async () => {
    expect(await decide(1001)).toMatchObject({
      change: { diff: [`because ${PATH} is newer than the running process`] },
    });
    expect(await decide(999, { needsDaemonReload: true })).toEqual(UNCHANGED);
  });

  test('is started when it is down', async () => {
    expect(await decide(999, { active: false })).toMatchObject({ change: { summary: 'start etcd3 (member m1)' } });
  });

  // A start of a unit that is starting does nothing: its process would become ready with the old certificate.
  test.each([
    ['an older certificate', 1001, 'systemctl restart --no-block etcd3'],
    ['this one', 999, 'systemctl start --no-block etcd3'],
  ])('that waits for a quorum, with %s', async (_, changedAt, summary) => {
    expect(await decide(changedAt, { active: false })).toMatchObject({
      change: { summary: 'start etcd3 (member m1)', disruptive: false, actions: [{ command: { summary } }] },
    });
  });

  test('is known by its key when its certificate is lost: that is issued again', async () => {
    expect(await decide(undefined, {}, true)).toEqual(UNCHANGED);
  });

  test.each([
    ['its unit', 999, { load: 'not-found' }, 'etcd-1 has no systemd unit etcd3'],
    ['its certificate', undefined, {}, `etcd-1 has no ${PATH}`],
  ] as const)('is refused where %s is not what the variables say', async (_, changedAt, unit, message) => {
    await expect(decide(changedAt, unit)).rejects.toThrow(message);
  });
});
