import { expect, test } from '@jest/globals';
import type { KnownInventory } from '../../../src/wizard/known-inventory.js';
import type { SeenHost } from '../../../src/wizard/host-look.js';
import type { LookEdges } from '../../../src/wizard/look-around.js';
import { startWizard } from '../../support/person.js';

const KNOWN: KnownInventory = {
  hosts: [
    { name: 'm-1', address: '10.0.0.1', connection: { port: 2222 } },
    { name: 'm-2', address: '10.0.0.2' },
    { name: 'm-3', address: '10.0.0.3' },
    { name: 'k-1', address: '10.0.0.11' },
    { name: 'b-1', address: '10.0.0.21' },
  ],
  members: ['m-1', 'm-2', 'm-3'],
  controlPlanes: ['k-1'],
  balancers: ['b-1'],
  user: 'ops',
  privateKeyFile: '~/.ssh/id_ed25519',
  left: ['m-1: its sudo password is a secret, and is not copied: -K asks for it'],
};

/** Reads one inventory, and no other. */
async function readKnown(path: string): Promise<KnownInventory | string> {
  return path === 'hosts.ini' ? KNOWN : `${path}: there is no such file`;
}

/** A host on which these programs' ports are in use. */
function seenWith(...ports: readonly number[]): SeenHost {
  return {
    outline: { system: 'Debian GNU/Linux 12', hasApt: true, hasSystemd: true, memoryMib: 2048, diskMib: 20480 },
    addresses: [{ interface: 'eth0', address: '10.0.0.1', prefixLength: 24 }],
    listeners: ports.map((port) => ({ address: '*', port, process: 'x' })),
    stacked: undefined,
    skewMs: 0,
  };
}

function lookOf(hosts: Readonly<Record<string, SeenHost>>): LookEdges {
  return {
    lookAtHosts: async () => new Map(Object.entries(hosts).map(([name, host]) => [name, { kind: 'seen', host }])),
    lookAtNetwork: async () => ({ free: [], listened: [], usedIds: [] }),
    memory: { looks: new Map(), networks: new Map(), sudoPassword: undefined },
    maxSkewMs: 60_000,
  };
}

const DOWN = { key: 'down' };

test('from an inventory that is there, nothing is typed again', async () => {
  const { answer, does, sees, output } = await startWizard({}, { readKnown });
  await does(['What do you have?', DOWN], ['❯ a running etcd', DOWN], ['❯ a running Kubernetes with', DOWN]);
  await does(['❯ a running Kubernetes of kubeadm', DOWN], ['❯ an Ansible or kubespray', '']);
  await does(['That inventory', 'none.ini']);
  await sees('none.ini: there is no such file');
  await does(['That inventory', { key: 'escape' }], ['What do you have?', '']);
  await does(['That inventory', 'hosts.ini']);
  for (const question of ['Hosts, as', 'User to log in', 'Private key', 'Hosts that run etcd', 'Control planes'])
    await does([question, '']);
  await does(['What do clients reach', ''], ['Hosts that run HAProxy', '']);
  await does(['Virtual IP', '10.0.0.100'], ['Its network', '10.0.0.0/24']);
  await does(['VRRP router id', '']);
  await does(['DNS name', ''], ['Port of', '']);
  await does(['The API servers use etcd', ''], ['Virtual IP of the API servers', ''], ['What else', '']);
  await does(['Who signs', '']);
  expect(await answer).toMatchObject({
    members: [{ name: 'm-1', connection: { port: 2222 } }, { name: 'm-2' }, { name: 'm-3' }],
    controlPlanes: [{ name: 'k-1' }],
    balancer: { hosts: [{ name: 'b-1' }] },
    ...{ sshUser: 'ops', privateKeyFile: '~/.ssh/id_ed25519', next: 'plan' },
  });
  expect(await output()).toContain('its sudo password is a secret');
});

test('a host that is typed with another address gets no way of the one that was there', async () => {
  const { answer, does } = await startWizard(
    {
      draft: new Map<'start' | 'from', string>([
        ['start', 'inventory'],
        ['from', 'hosts.ini'],
      ]),
    },
    { readKnown },
  );
  await does(['Hosts, as', 'm-1=10.0.9.9'], ['User to log in', ''], ['Private key', '']);
  await does(
    ['Hosts that run etcd', ''],
    ['Control planes', ''],
    ['What do clients reach', ''],
    ['Hosts that run HAProxy', ''],
    ['Virtual IP', 'none'],
  );
  await does(['What else', ''], ['Who signs', '']);
  expect((await answer).members).toEqual([{ name: 'm-1', address: '10.0.9.9' }]);
});

test('a running Kubernetes has a control plane, and is described first', async () => {
  const { answer, does, sees } = await startWizard({}, { readKnown });
  await does(['What do you have?', DOWN], ['❯ a running etcd', DOWN], ['❯ a running Kubernetes', '']);
  await does(['Hosts, as', 'a=10.0.0.1'], ['User to log in', ''], ['Private key', ''], ['Hosts that run etcd', '']);
  await does(['Control planes', '']);
  await sees('a running Kubernetes has at least one control plane');
  await does(
    ['Control planes', { key: 'a' }],
    ['◉ a', ''],
    ['What do clients reach', ''],
    ['Hosts that run HAProxy', ''],
    ['Virtual IP for clients', 'none'],
  );
  // Its etcd has an authority.
  await does(['Virtual IP of the API servers', ''], ['What else', '']);
  expect(await answer).toMatchObject({ controlPlanes: [{ name: 'a' }], next: 'adopt' });
});

test('what runs on the hosts is what is proposed, and an etcd that runs is described first', async () => {
  const look = lookOf({ x: seenWith(2379, 2380), y: seenWith(6443), z: seenWith() });
  const { answer, does, output } = await startWizard({}, { readKnown, look });
  await does(['What do you have?', ''], ['Hosts, as', 'x=10.0.0.1 y=10.0.0.2 z=10.0.0.3']);
  await does(['User to log in', ''], ['Private key', ''], ['Hosts that run etcd', ''], ['Control planes', '']);
  await does(
    ['What do clients reach', ''],
    ['Hosts that run HAProxy', ''],
    ['Virtual IP for clients', 'none'],
    ['Virtual IP of the API servers', ''],
    ['What else', ''],
  );
  expect(await answer).toMatchObject({ members: [{ name: 'x' }], controlPlanes: [{ name: 'y' }], next: 'adopt' });
  const shown = await output();
  expect(shown).toContain('listens on port 2379 already');
  expect(shown).not.toContain('listens on port 6443');
});
