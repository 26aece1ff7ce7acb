import { describe, expect, test } from '@jest/globals';
import { noOwnBalancer } from '../../../src/resources/no-own-balancer.js';
import { NOT_INSTALLED, RUNNING, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbe, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { withExternal } from '../../support/sample-cluster.js';

const UNIT = 'provision-etcd-keepalived';
const FILE = '/etc/keepalived/provision/etcd.conf';

function host(state: object, kind: string, unit = UNIT): FakeAnswers {
  const none = { keepalived: NOT_INSTALLED, [UNIT]: NOT_INSTALLED };
  const absent = { '/etc/keepalived/keepalived.conf': { kind: 'absent' }, [FILE]: { kind: 'absent' } };
  const file = unit === UNIT ? FILE : '/etc/keepalived/keepalived.conf';
  return { units: { ...none, [unit]: state }, 'file-origins': { ...absent, [file]: { kind } } };
}

const BARE = host(NOT_INSTALLED, 'absent');

function planned(near: FakeAnswers, far: FakeAnswers, done: 'moved' | 'not moved' = 'not moved') {
  const { former } = withExternal().external ?? {};
  const resource = noOwnBalancer({
    keepalived: former?.keepalived ?? [],
    near: ['etcd-1'],
    far: ['lb-1'],
    isMoved: async () => Promise.resolve(done === 'moved'),
    group: 'etcd_lb_former',
    file: 'inventory.yaml',
  });
  return resource.plan(fakeProbe({}, { 'etcd-1': near, 'lb-1': far }, 'etcd-1'));
}

describe('beside a balancer that others run', () => {
  test.each([
    ['nothing of ours', BARE, BARE],
    ['what others wrote', host(RUNNING, 'foreign'), BARE],
    ['what neither runs nor starts', host({ ...STOPPED, enabled: false }, 'ours'), BARE],
    ['a host that is away', UNREACHABLE, BARE],
  ])('%s is no reason', async (_, near, far) => {
    expect(await planned(near, far)).toEqual({ kind: 'unchanged' });
  });

  test.each([
    ['runs', host(RUNNING, 'ours'), BARE, 'etcd-1', UNIT],
    ['starts at boot', host({ ...STOPPED, enabled: true }, 'ours'), BARE, 'etcd-1', UNIT],
    ['runs by the package’s unit', host(RUNNING, 'ours', 'keepalived'), BARE, 'etcd-1', 'keepalived'],
    ['runs on a host that has no other part', BARE, host(RUNNING, 'ours'), 'lb-1', UNIT],
  ])('a virtual IP of ours that %s is, with the lines to add', async (_, near, far, name, unit) => {
    await expect(planned(near, far)).rejects.toMatchObject({
      code: 'former-balancer',
      message: expect.stringContaining(`etcd on ${name} (${unit})`) as unknown,
      hint: expect.stringContaining(`etcd_lb_former:\n  hosts:\n    ${name}:`) as unknown,
    });
  });

  test('hosts without another part are asked only until the API servers are moved', async () => {
    expect(await planned(BARE, host(RUNNING, 'ours'), 'moved')).toEqual({ kind: 'unchanged' });
  });
});
