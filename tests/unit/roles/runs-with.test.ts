import { describe, expect, test } from '@jest/globals';
import type { Action } from '../../../src/model/action.js';
import type { Outcome } from '../../../src/model/change.js';
import type { Cluster } from '../../../src/model/cluster.js';
import type { Fact, Probe } from '../../../src/model/remote.js';
import { controlPlaneOn, memberOn } from '../../../src/roles/role.js';
import { roleTable } from '../../../src/roles/table.js';
import { BOOKWORM, MEMBER_DATA, RUNNING, SILENT } from '../../support/etcd-answers.js';
import { OWN_AFTER_OTHERS } from '../../support/role-clusters.js';
import { ROLE_TOOLS } from '../../support/role-tools.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';

// What each role does on a host where its service runs and its files are missing: with which owner and mode they come, and
// which of them the service runs with. A file that is left out there is a service that runs with the old one.

const INVENTORY = templateInventory(['etcd-1', 'etcd-2', 'etcd-3', 'cp-1']);

const NOTHING = { certificate: undefined, key: undefined, pem: '', publicKey: { kind: 'unchecked' } };

/** A host whose services run and whose files are missing. @param more answers to other facts, whatever is asked */
function probeOf(host: string, more: Readonly<Record<string, unknown>> = {}): Probe {
  const answers: Readonly<Record<string, unknown>> = {
    'file-states': { kind: 'absent' },
    'certificate-files': NOTHING,
    'operating-system': BOOKWORM,
    packages: { installed: undefined, held: false, candidate: '1.0' },
    units: RUNNING,
    'vrrp-instances': undefined,
    'file-origins': { kind: 'ours' },
    'etcd-data': MEMBER_DATA,
    'etcd-status': SILENT,
    'unit-commands': { files: [], environmentFiles: [], next: [], running: [] },
    listeners: [],
    'host-addresses': [{ interface: 'eth0', address: `10.0.0.${host.at(-1) ?? ''}`, prefixLength: 24 }],
    sysctls: '0',
    'sysctl-at-boot': undefined,
    'addresses-in-use': undefined,
    'hardware-addresses': [],
    paths: false,
    'file-contents': undefined,
    ...more,
  };
  const probe: Probe = {
    host,
    ask<V>(fact: Fact<V>, key: string): Promise<V> {
      if (!Object.hasOwn(answers, fact.name)) return Promise.reject(new Error(`no answer for ${fact.name} ${key}`));
      return Promise.resolve(answers[fact.name] as V);
    },
    on: (other) => probeOf(other, more),
  };
  return probe;
}

async function planned(
  role: string,
  host: string,
  cluster: Cluster,
  more = {},
  only = /./,
): Promise<ReadonlyMap<string, Outcome>> {
  const resources = roleTable(ROLE_TOOLS).get(role)?.resources(namedHost(host), INVENTORY, cluster) ?? [];
  const probe = probeOf(host, more);
  const wanted = resources.filter(({ address }) => only.test(address));
  const outcomes = await Promise.all(wanted.map(async (each) => [each.address, await each.plan(probe)] as const));
  return new Map(outcomes);
}

const actionsOf = (outcome: Outcome | undefined): readonly Action[] =>
  outcome?.kind === 'change' ? outcome.change.actions : [];
const reasonsOf = (outcome: Outcome | undefined): readonly string[] =>
  outcome?.kind === 'change' ? outcome.change.diff : [];

describe('a service runs with', () => {
  test.each<[string, string, Cluster, string, readonly string[]]>([
    ['etcd', 'etcd-1', SAMPLE_CLUSTER, 'etcd-member:m1', ['/etc/default/etcd', '/etc/etcd/pki/ca.crt']],
    [
      'etcd-proxy',
      'etcd-2',
      SAMPLE_CLUSTER,
      'service:haproxy',
      ['/etc/haproxy/etcd-ca.crt', '/etc/haproxy/etcd-client.pem', '/etc/haproxy/haproxy.cfg'],
    ],
    [
      'etcd-proxy',
      'etcd-2',
      OWN_AFTER_OTHERS,
      'service:provision-etcd-nginx',
      [
        '/etc/haproxy/etcd-ca.crt',
        '/etc/haproxy/etcd-client.pem',
        '/etc/systemd/system/provision-etcd-nginx.service',
        '/etc/nginx/provision/etcd.cfg',
      ],
    ],
    ['etcd-virtual-ip', 'etcd-2', SAMPLE_CLUSTER, 'service:keepalived', ['/etc/keepalived/keepalived.conf']],
    [
      'etcd-virtual-ip',
      'etcd-2',
      OWN_AFTER_OTHERS,
      'service:provision-etcd-keepalived',
      ['/etc/systemd/system/provision-etcd-keepalived.service', '/etc/keepalived/provision/etcd.conf'],
    ],
  ])('each file of its role: %s on %s', async (role, host, cluster, address, files) => {
    const outcomes = await planned(role, host, cluster);
    expect(reasonsOf(outcomes.get(address))).toEqual(files.map((file) => `because ${file} changes`));
  });

  test('and takes them up without a stop where it can', async () => {
    const scripts = async (role: string, address: string): Promise<string> =>
      actionsOf((await planned(role, 'etcd-2', SAMPLE_CLUSTER)).get(address))
        .flatMap((action) => (action.kind === 'run' ? [action.command.summary] : []))
        .join(', ');
    expect(await scripts('etcd-proxy', 'service:haproxy')).toBe('systemctl reload haproxy');
    expect(await scripts('etcd-virtual-ip', 'service:keepalived')).toBe('systemctl reload keepalived');
  });

  test('and it is marked where clients may feel it', async () => {
    const disruptive = async (role: string, address: string): Promise<boolean | undefined> => {
      const outcome = (await planned(role, 'etcd-2', SAMPLE_CLUSTER)).get(address);
      return outcome?.kind === 'change' ? outcome.change.disruptive : undefined;
    };
    expect(await disruptive('etcd', 'etcd-member:m2')).toBe(true);
    expect(await disruptive('etcd-proxy', 'service:haproxy')).toBe(false);
    expect(await disruptive('etcd-virtual-ip', 'service:keepalived')).toBe(true);
  });
});

describe('owner and mode', () => {
  const owned = async (role: string, cluster: Cluster, host = 'etcd-1'): Promise<readonly string[]> =>
    [...(await planned(role, host, cluster)).values()].flatMap((outcome) =>
      actionsOf(outcome).flatMap((action) => {
        if (action.kind === 'make-directory' || action.kind === 'write-file' || action.kind === 'install-trust')
          return [`${action.path} ${action.owner}:${action.group} ${action.mode}`];
        if (action.kind !== 'issue-certificate') return [];
        const { destination, owner, group, mode } = action;
        return [`${destination.layout === 'pair' ? destination.keyPath : destination.path} ${owner}:${group} ${mode}`];
      }),
    );

  test.each<[string, Cluster, readonly string[]]>([
    [
      'etcd',
      SAMPLE_CLUSTER,
      [
        '/var/lib/etcd/default etcd:etcd 0700',
        '/etc/etcd root:root 0755',
        '/etc/etcd/pki root:root 0755',
        '/etc/etcd/pki/ca.crt root:root 0644',
        '/etc/etcd/pki/server.key etcd:etcd 0600',
        '/etc/etcd/pki/peer.key etcd:etcd 0600',
        '/etc/etcd/pki/client.key root:root 0600',
        '/etc/default/etcd root:root 0644',
      ],
    ],
    [
      'etcd-virtual-ip',
      SAMPLE_CLUSTER,
      [
        '/usr/local/lib/provision root:root 0755',
        '/usr/local/lib/provision/check-haproxy root:root 0755',
        '/etc/systemd/system/haproxy.service.d root:root 0755',
        '/etc/systemd/system/haproxy.service.d/60-provision-down.conf root:root 0644',
        '/etc/keepalived root:root 0755',
        '/etc/keepalived/keepalived.conf root:root 0600',
      ],
    ],
    [
      'etcd-virtual-ip',
      OWN_AFTER_OTHERS,
      [
        '/usr/local/lib/provision root:root 0755',
        '/usr/local/lib/provision/check-nginx root:root 0755',
        '/etc/systemd/system/provision-etcd-nginx.service.d root:root 0755',
        '/etc/systemd/system/provision-etcd-nginx.service.d/60-provision-down.conf root:root 0644',
        '/etc/keepalived root:root 0755',
        '/etc/keepalived/provision root:root 0755',
        '/etc/systemd/system/provision-etcd-keepalived.service root:root 0644',
        '/etc/keepalived/provision/etcd.conf root:root 0600',
      ],
    ],
    [
      'etcd-proxy',
      OWN_AFTER_OTHERS,
      [
        '/etc/keepalived root:root 0755',
        '/etc/haproxy/etcd-ca.crt root:root 0644',
        '/etc/haproxy/etcd-client.pem root:root 0600',
        '/etc/nginx/provision root:root 0755',
        '/etc/systemd/system/provision-etcd-nginx.service root:root 0644',
        '/etc/nginx/provision/etcd.cfg root:root 0644',
      ],
    ],
  ])('of what %s puts on a host: %#', async (role, cluster, expected) => {
    expect(await owned(role, cluster)).toEqual(expected);
  });
});

describe('an installation', () => {
  const scriptOf = async (role: string, cluster: Cluster): Promise<string> => {
    const outcomes = await planned(role, 'etcd-1', cluster);
    const [, outcome] = [...outcomes].find(([address]) => address.startsWith('packages:')) ?? [];
    return actionsOf(outcome)
      .flatMap((action) => (action.kind === 'run' ? [action.command.script] : []))
      .join('\n');
  };

  test.each<[string, Cluster, RegExp]>([
    ['etcd', SAMPLE_CLUSTER, /mask --runtime.* etcd\b/],
    ['etcd-proxy', SAMPLE_CLUSTER, /mask --runtime.* haproxy\b/],
    ['etcd-virtual-ip', SAMPLE_CLUSTER, /mask --runtime.* keepalived\b/],
  ])('starts nothing before its files are there: %s', async (role, cluster, words) => {
    expect(await scriptOf(role, cluster)).toMatch(words);
    expect(await scriptOf(role, cluster)).not.toMatch(/systemctl disable/);
  });

  test.each<[string, RegExp]>([
    ['etcd-proxy', /\bdisable\b.*nginx/],
    ['etcd-virtual-ip', /\bdisable\b.*keepalived/],
  ])('leaves the package’s own unit off where an instance of our own runs: %s', async (role, words) => {
    expect(await scriptOf(role, OWN_AFTER_OTHERS)).toMatch(words);
  });
});

test('what an earlier inventory had here is stopped, and its script asks the new proxy only where it is another one', async () => {
  const outcomes = await planned(
    'etcd-proxy',
    'etcd-1',
    OWN_AFTER_OTHERS,
    {
      'file-states': { kind: 'file', owner: 'root', group: 'root', mode: '0644', changedAt: 0, sha256: 'x' },
      'file-contents': 'old\n',
    },
    /^retired:/,
  );
  const kinds = (address: string): readonly string[] =>
    actionsOf(outcomes.get(address)).map((action) =>
      action.kind === 'write-file' ? `write ${action.path}` : action.kind,
    );
  expect(kinds('retired:haproxy')).toEqual([
    'write /usr/local/lib/provision/check-haproxy',
    ...['remove-file', 'run', 'run', 'run'],
  ]);
  expect(kinds('retired:old-nginx')).toEqual(['remove-file', 'run', 'run', 'run']);
});

describe('a virtual IP that someone else has', () => {
  /** Everybody holds the address but these. */
  const refused = async (hosts: readonly string[], holder: string): Promise<string> => {
    const inventory = templateInventory(hosts);
    const [resource] =
      roleTable(ROLE_TOOLS).get('etcd-virtual-ip')?.resources(namedHost('etcd-1'), inventory, SAMPLE_CLUSTER) ?? [];
    const at = (host: string): Probe => ({
      ...probeOf(host, {
        'addresses-in-use': '42:00:00:00:00:01',
        'host-addresses': [
          { interface: 'eth0', address: `10.0.0.${host.at(-1) ?? ''}`, prefixLength: 24 },
          ...(host === holder ? [{ interface: 'eth0', address: '10.0.0.100', prefixLength: 32 }] : []),
        ],
      }),
      on: at,
    });
    return resource === undefined
      ? ''
      : resource.plan(at('etcd-1')).then(
          ({ kind }) => kind,
          (error: unknown) => (error instanceof Error ? error.message : ''),
        );
  };

  test.each(['cp-1', 'spare-1', 'spare-2'])(
    'on a host of the inventory that is no balancer, %s, is refused',
    async (holder) => {
      expect(await refused(['etcd-1', 'etcd-2', 'etcd-3', 'cp-1', 'spare-1', 'spare-2'], holder)).toContain(holder);
    },
  );

  test('is no matter on a balancer', async () => {
    for (const holder of ['etcd-1', 'etcd-2', 'etcd-3'])
      expect(await refused(['etcd-1', 'etcd-2', 'etcd-3', 'cp-1'], holder)).toBe('unchanged');
  });
});

describe('the part of a host', () => {
  test('is found by its name', () => {
    expect(memberOn(SAMPLE_CLUSTER, namedHost('etcd-2')).name).toBe('m2');
    expect(() => memberOn(SAMPLE_CLUSTER, namedHost('cp-1'))).toThrow(
      expect.objectContaining({
        code: 'not-in-group',
        message: expect.stringContaining('cp-1 is not in the group etcd,') as unknown,
      }),
    );
    expect(() => controlPlaneOn(SAMPLE_CLUSTER, namedHost('etcd-1'))).toThrow('not in the group kube_control_plane,');
    for (const role of ['etcd-proxy', 'etcd-virtual-ip', 'etcd-nonlocal-bind'])
      expect(() => roleTable(ROLE_TOOLS).get(role)?.resources(namedHost('cp-1'), INVENTORY, SAMPLE_CLUSTER)).toThrow(
        'cp-1 is not in the group etcd_lb,',
      );
  });

  test('is a load balancer only where the inventory has one', () => {
    const none = { ...SAMPLE_CLUSTER, services: [] };
    for (const role of ['etcd-proxy', 'etcd-virtual-ip', 'etcd-nonlocal-bind', 'kube-apiserver'])
      expect(() =>
        roleTable(ROLE_TOOLS)
          .get(role)
          ?.resources(namedHost(role === 'kube-apiserver' ? 'cp-1' : 'etcd-1'), INVENTORY, none),
      ).toThrow(expect.objectContaining({ code: 'no-load-balancer' }));
    expect(
      roleTable(ROLE_TOOLS).get('kube-apiserver-off-old-address')?.resources(namedHost('cp-1'), INVENTORY, none),
    ).toEqual([]);
  });
});
