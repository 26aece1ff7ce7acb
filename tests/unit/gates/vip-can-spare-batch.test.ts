import { expect, test } from '@jest/globals';
import { vipCanSpareBatch } from '../../../src/gates/vip-can-spare-batch.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import { SAMPLE_SERVICE } from '../../support/sample-cluster.js';

const HOSTS = ['etcd-1', 'etcd-2', 'etcd-3'];

/** What is on a balancer: all is well, keepalived has ended, HAProxy has, or finds no backend. */
function balancer(state: 'well' | 'one down' | 'ended' | 'silent' | 'blind' | 'away'): FakeAnswers {
  if (state === 'away') return UNREACHABLE;
  const status = state === 'blind' ? 'DOWN' : 'UP';
  const servers = ['m1', 'm2', 'm3'].map((name, index) => {
    const up = status === 'UP' && !(state === 'one down' && index === 0);
    return { name, status: up ? 'UP' : 'DOWN', check: up ? 'L7OK' : 'L4CON' };
  });
  return {
    'haproxy-servers': { '23790 etcd': state === 'silent' ? undefined : servers },
    units: Object.fromEntries(
      SAMPLE_SERVICE.balancers.map(({ keepalived: { unit } }) => [unit, { active: state !== 'ended' }]),
    ),
  };
}

const spare = vipCanSpareBatch(SAMPLE_SERVICE);

test.each([
  ['all are well', ['well', 'well', 'well'], { open: true }],
  ['the only other one finds all but one backend', ['well', 'one down', 'away'], { open: true }],
  ['one of the others is', ['well', 'away', 'well'], { open: true }],
  [
    'none of the others is',
    ['well', 'ended', 'silent'],
    {
      open: false,
      reason:
        'no other load balancer of etcd could take 10.0.0.100: keepalived does not run on etcd-2; HAProxy on etcd-3 does not answer',
      next: 'ssh etcd-2 sudo journalctl -u keepalived -n 50',
    },
  ],
  ['none finds a backend', ['well', 'blind', 'away'], { open: false }],
  [
    'none serves, its own neither',
    ['ended', 'ended', 'silent'],
    { open: true, note: 'no load balancer of etcd serves' },
  ],
] as const)('a balancer may be away where %s', async (_, states, answer) => {
  const probes = fakeProbes(Object.fromEntries(states.map((state, index) => [HOSTS[index] ?? '', balancer(state)])));
  expect(await spare.check(gateInput(probes, { when: 'before', batch: ['etcd-1'] }))).toMatchObject(answer);
});

test('a host that is none is asked nothing, and the only one is away as agreed', async () => {
  expect(await spare.check(gateInput(fakeProbes({}), { batch: ['worker-1'] }))).toEqual({ open: true });
  const alone = vipCanSpareBatch({ ...SAMPLE_SERVICE, balancers: SAMPLE_SERVICE.balancers.slice(0, 1) });
  expect(await alone.check(gateInput(fakeProbes({}), { batch: ['etcd-1'] }))).toEqual({
    open: true,
    note: 'there is no other load balancer of etcd: nobody is led to it meanwhile',
  });
});
