import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  clusterPhase,
  isUntouchedLoneMember,
  type AwayMember,
  type ClusterPhase,
  type MemberState,
} from '../../../src/facts/etcd-phase.js';
import { healthy, LONE_DATA, MEMBER_DATA, NO_DATA, SILENT } from '../../support/etcd-answers.js';
import { unreachableError } from '../../support/fake-probe.js';

/** A cluster of which so many members run, all with data. */
function runningOf(running: number, members: number): readonly MemberState[] {
  return Array.from({ length: members }, (_, index) => ({
    host: `etcd-${index + 1}`,
    isRunning: index < running,
    ...MEMBER_DATA,
  }));
}

function phaseOf(states: readonly MemberState[], away: readonly AwayMember[] = []): ClusterPhase {
  return clusterPhase({ states, away });
}

describe('the phase of a cluster with a host that can’t be asked', () => {
  const dark: AwayMember = { host: 'etcd-9', error: unreachableError('etcd-9'), status: SILENT };
  const bare: MemberState = { host: 'a', isRunning: false, ...NO_DATA };
  const begun: MemberState = { host: 'b', isRunning: false, ...MEMBER_DATA, isBootstrapping: true };

  test.each([
    ['serves while a quorum runs without it', runningOf(2, 2), [dark], 'serving'],
    ['is down where too few run, for the others do not hear it either', runningOf(1, 2), [dark], 'down'],
    ['serves with it where others hear it', runningOf(1, 2), [{ ...dark, status: healthy(1) }], 'serving'],
    ['is unsure while nobody else has data', [bare, bare], [dark], 'unsure'],
    ['is unsure in the middle of a first start', [bare, begun], [dark], 'unsure'],
  ])('%s', (_, states, away, phase) => {
    expect(phaseOf(states, away)).toBe(phase);
  });
});

describe('the phase of a cluster', () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [6, 4],
    [7, 4],
  ])('of %i members serves with %i of them, and not with one less', (members, quorum) => {
    expect(phaseOf(runningOf(quorum, members))).toBe('serving');
    expect(phaseOf(runningOf(quorum - 1, members))).toBe('down');
  });

  test('two halves of a cluster never both serve, and one of them does where all run', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(9), (members, part) => {
        const one = Math.min(part, members);
        const phases = [one, members - one].map((running) => phaseOf(runningOf(running, members)));
        expect(phases.filter((phase) => phase === 'serving').length).toBeLessThanOrEqual(1);
        if (members % 2 === 1) expect(phases).toContain('serving');
      }),
    );
  });

  test('is absent while nobody has data but what the package made', () => {
    const lone = { host: 'b', isRunning: true, ...LONE_DATA };
    expect(phaseOf([{ host: 'a', isRunning: false, ...NO_DATA }, lone])).toBe('absent');
    expect(phaseOf([{ ...lone, lone: undefined }])).toBe('serving');
  });

  test('is forming only where some have no data, and all others began as bootstrapping ones', () => {
    const bare: MemberState = { host: 'a', isRunning: false, ...NO_DATA };
    const begun: MemberState = { host: 'b', isRunning: false, ...MEMBER_DATA, isBootstrapping: true };
    expect(phaseOf([bare, begun])).toBe('forming');
    expect(phaseOf([bare, begun, { ...begun, host: 'c', isBootstrapping: false }])).toBe('down');
    expect(phaseOf([begun, { ...begun, host: 'c' }])).toBe('down');
  });

  test('counts a member that runs without data as none of the quorum', () => {
    const members = [...runningOf(1, 2), { host: 'etcd-3', isRunning: true, ...NO_DATA }];
    expect(phaseOf(members)).toBe('down');
  });
});

describe('data that the package made by itself', () => {
  test('is what only the lone member on localhost ever knew', () => {
    expect(isUntouchedLoneMember(LONE_DATA)).toBe(true);
    for (const peer of ['http://127.0.0.1:2380', 'http://[::1]:2380', 'http://localhost'])
      expect(isUntouchedLoneMember({ ...LONE_DATA, lone: { revision: 1, members: 1, peerUrls: [peer] } })).toBe(true);
  });

  const lone = { revision: 1, members: 1, peerUrls: ['http://localhost:2380'] };
  test.each([
    ['nothing', { hasData: false }],
    ['a configured member', { isConfigured: true }],
    ['one that bootstraps', { isBootstrapping: true }],
    ['one that did not answer', { lone: undefined }],
    ['one that was written to', { lone: { ...lone, revision: 2 } }],
    ['one of two', { lone: { ...lone, members: 2 } }],
    ['one that others reach', { lone: { ...lone, peerUrls: ['http://10.0.0.1:2380'] } }],
    ['one that others reach too', { lone: { ...lone, peerUrls: [...lone.peerUrls, 'http://10.0.0.1:2380'] } }],
    ['one by a name that only begins so', { lone: { ...lone, peerUrls: ['http://localhost.example:2380'] } }],
    ['one behind another name', { lone: { ...lone, peerUrls: ['x+http://localhost:2380'] } }],
  ])('is not %s', (_, changes) => {
    expect(isUntouchedLoneMember({ ...LONE_DATA, ...changes })).toBe(false);
  });
});
