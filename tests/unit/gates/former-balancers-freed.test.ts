import { expect, test } from '@jest/globals';
import type { UnitState } from '../../../src/facts/unit-state.js';
import { formerBalancersFreed } from '../../../src/gates/former-balancers-freed.js';
import { NOT_INSTALLED, RUNNING, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import { sampleBalancer, SAMPLE_SERVICE } from '../../support/sample-cluster.js';

const VIP = SAMPLE_SERVICE.endpoint.ip;
const SERVICE = { ...SAMPLE_SERVICE, formerBalancers: [{ ...sampleBalancer(1), host: 'old' }] };
const OURS = 'aa:aa:aa:aa:aa:01';
const STRANGE = 'de:ad:be:ef:00:01';

function former(unit: UnitState, addresses: readonly string[]): FakeAnswers {
  return {
    'host-addresses': { all: addresses.map((address) => ({ interface: 'eth0', address, prefixLength: 32 })) },
    units: { keepalived: unit, 'provision-etcd-keepalived': NOT_INSTALLED },
    'file-contents': {
      '/etc/keepalived/keepalived.conf': `virtual_ipaddress {\n  ${VIP}/32 dev eth0\n}\n`,
      '/etc/keepalived/provision/etcd.conf': undefined,
    },
  };
}

async function asked(old: FakeAnswers, answering?: string): Promise<unknown> {
  const balancer = { 'addresses-in-use': { [VIP]: answering }, 'hardware-addresses': { all: [OURS] } };
  const probes = fakeProbes({ old, 'etcd-1': balancer, 'etcd-2': balancer, 'etcd-3': UNREACHABLE });
  return formerBalancersFreed(SERVICE).check(gateInput(probes, { batch: ['etcd-2'] }));
}

test.each([
  ['holds the address', former(STOPPED, [VIP]), 'old holds the virtual IP 10.0.0.100'],
  ['may take it', former(RUNNING, []), 'old runs keepalived, which may take the virtual IP 10.0.0.100'],
  [
    'takes it after a reboot',
    former(STOPPED, []),
    'old starts at boot keepalived, which may take the virtual IP 10.0.0.100',
  ],
])('it is closed, for good, while a former load balancer %s', async (_, old, reason) => {
  const next = expect.stringContaining('ssh old sudo systemctl disable --now keepalived');
  expect(await asked(old)).toEqual({ open: false, reason, next, isFinal: true });
});

test('it opens when the former load balancers are freed', async () => {
  expect(await asked(former({ ...STOPPED, enabled: false }, []), STRANGE)).toEqual({ open: true });
});

test.each([
  ['nobody answers for the address', undefined],
  ['a load balancer of the inventory answers for it', OURS],
])("one that can't be asked counts as freed while %s", async (_, answering) => {
  expect(await asked(UNREACHABLE, answering)).toMatchObject({
    open: true,
    note: expect.stringContaining("old can't be asked"),
  });
});

test("it is closed while one can't be asked, and a stranger answers for the address", async () => {
  expect(await asked(UNREACHABLE, STRANGE)).toMatchObject({
    open: false,
    isFinal: true,
    reason: `old can't be asked, and ${STRANGE} answers for ${VIP}, seen from etcd-2`,
  });
});
