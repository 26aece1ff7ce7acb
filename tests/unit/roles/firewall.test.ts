import { describe, expect, test } from '@jest/globals';
import type { Resource } from '../../../src/model/change.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { roleTable } from '../../../src/roles/table.js';
import { NOT_INSTALLED } from '../../support/etcd-answers.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { expectGolden } from '../../support/golden.js';
import { ROLE_TOOLS } from '../../support/role-tools.js';
import { SAMPLE_CLUSTER, sampleBalancer, sampleMember, withFirewall } from '../../support/sample-cluster.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';

function resourcesOf(role: string, host: string, cluster: Cluster): readonly Resource[] {
  const hosts = ['etcd-1', 'etcd-2', 'etcd-3', 'cp-1', 'old'];
  return roleTable(ROLE_TOOLS).get(role)?.resources(namedHost(host), templateInventory(hosts), cluster) ?? [];
}

const addressesOf = (resources: readonly Resource[]): readonly string[] => resources.map(({ address }) => address);
const TABLE = 'inet provision_etcd';

describe('what the roles of the firewall give a host', () => {
  const leaving = { ...sampleMember(1), host: 'old', address: '10.0.0.9' };

  test.each([
    ['a member', 'etcd-1', withFirewall(), ['firewall-ways:10.0.0.1', 'packages:nftables', `firewall:${TABLE}`]],
    ['a control plane', 'cp-1', withFirewall(), [`no-firewall:${TABLE}`]],
    ['a member without the variable', 'etcd-1', SAMPLE_CLUSTER, [`no-firewall:${TABLE}`]],
    ['a member that has left', 'old', withFirewall([], { formerMembers: [leaving] }), [`no-firewall:${TABLE}`]],
  ])('%s', (_, host, cluster, expected) => {
    expect(addressesOf(resourcesOf('etcd-firewall', host, cluster))).toEqual(expected);
  });

  test.each([
    ['etcd-1', withFirewall(), [`firewall-lets-in:${TABLE}`]],
    ['cp-1', withFirewall(), []],
    ['etcd-1', SAMPLE_CLUSTER, [`no-firewall:${TABLE}`]],
    ['old', withFirewall([], { formerMembers: [leaving] }), [`firewall-lets-in:${TABLE}`]],
  ])('before others come: %s', (host, cluster, expected) => {
    expect(addressesOf(resourcesOf('etcd-firewall-lets-in', host, cluster))).toEqual(expected);
  });
});

const absent = { kind: 'absent' };
/** A host that has no firewall yet. */
const BARE = fakeProbe({
  'file-states': {
    '/etc/provision-etcd-firewall.nft': absent,
    '/etc/systemd/system/provision-etcd-firewall.service': absent,
  },
  'firewall-tables': { ours: { hasNft: false, loaded: undefined, kept: undefined, isOnTrial: false } },
  units: { 'provision-etcd-firewall': NOT_INSTALLED },
});

test.each([
  ['default', withFirewall()],
  ['allowed', withFirewall(['192.0.2.0/24', '2001:db8::/64', '198.51.100.7'])],
])('the table and its unit: %s', async (variant, cluster) => {
  const resource = resourcesOf('etcd-firewall', 'etcd-1', cluster).at(-1);
  const outcome = await resource?.plan(BARE);
  if (outcome?.kind !== 'change') throw new Error('nothing is planned');
  for (const action of outcome.change.actions)
    if (action.kind === 'write-file') {
      const name = action.path.endsWith('.nft') ? 'etcd-firewall.nft' : 'etcd-firewall.service';
      expectGolden(`fixtures/rendered/${name}.${variant}`, action.content.redacted);
    }
  expect(outcome.change.actions.map(({ kind }) => kind)).toEqual(['run', 'await', 'write-file', 'write-file', 'run']);
});

test('every port that clients use is let in', async () => {
  const services = SAMPLE_CLUSTER.services.map((each) => ({ ...each, endpoint: { ...each.endpoint, port: 2390 } }));
  expect(await rulesOf(withFirewall([], { services }))).toMatch(/tcp dport \{ 2379, 2390 \} jump clients/);
});

/** The rules that are loaded on a bare `etcd-1`. */
async function rulesOf(cluster: Cluster): Promise<string> {
  const resource = resourcesOf('etcd-firewall', 'etcd-1', cluster).at(-1);
  const outcome = await resource?.plan(BARE);
  const actions = outcome?.kind === 'change' ? outcome.change.actions : [];
  const [text] = actions.flatMap((action) => (action.kind === 'write-file' ? [action.content.reveal()] : []));
  return text ?? '';
}

test.each([
  ['its own', [1, 2], true],
  ['those of others', [2, 3], false],
])('while new rules are on trial, %s keepalived is heard as long as it may need', async (_, balancers, isNamed) => {
  const cluster = {
    ...withFirewall(),
    services: SAMPLE_CLUSTER.services.map((service) => ({ ...service, balancers: balancers.map(sampleBalancer) })),
  };
  const outcome = await resourcesOf('etcd-firewall', 'etcd-1', cluster).at(-1)?.plan(BARE);
  const actions = outcome?.kind === 'change' ? outcome.change.actions : [];
  const scripts = actions.flatMap((action) => (action.kind === 'run' ? [action.command.script] : []));
  expect(scripts.join().includes('/etc/keepalived/keepalived.conf')).toBe(isNamed);
});
