import { describe, expect, test } from '@jest/globals';
import { loadInventory } from '../../../src/ansible/load-inventory.js';
import { VARIABLES, type VariableName } from '../../../src/cluster/known-variables.js';
import { createVariableReader } from '../../../src/cluster/variable-reader.js';
import { Secret } from '../../../src/model/secret.js';
import { encryptVault } from '../../support/encrypt-vault.js';
import { hostOf, loadFiles } from '../../support/write-inventory.js';

const names = Object.keys(VARIABLES) as readonly VariableName[];

/** What is said of a value; undefined where it is taken. */
function refusalOf(name: VariableName, value: unknown): string | undefined {
  return VARIABLES[name].schema.safeParse(value).error?.issues[0]?.message;
}

/** The least and the most, and whose they are. */
const BOUNDS = [
  [[0, 20], 'kube_cluster_apiserver_shutdown_delay'],
  [[0, 3650], 'etcd_cert_renew_before_days'],
  [[1, 100], 'haproxy_check_fall haproxy_check_rise nginx_max_fails'],
  [[1, 254], 'keepalived_priority kube_apiserver_lb_priority'],
  [[1, 255], 'keepalived_vrid kube_apiserver_lb_vrid'],
  [[1, 3650], 'etcd_cert_days'],
  [[1, 10_000], 'etcd_snapshot_keep'],
  [[1, 36_500], 'etcd_ca_days'],
  [
    [1, 65_535],
    'etcd_client_port etcd_host_metrics_port etcd_lb_port etcd_metrics_port etcd_peer_port haproxy_metrics_port haproxy_stats_port keepalived_smtp_port kube_apiserver_lb_port kube_apiserver_port',
  ],
  [[1, 1_000_000], 'haproxy_maxconn nginx_maxconn'],
  [[1, Number.MAX_SAFE_INTEGER], 'etcd_quota_backend_bytes etcd_snapshot_count'],
  [[2, 3], 'keepalived_vrrp_version'],
  [[10, 3600], 'kube_apiserver_ready_timeout'],
  [[10, 10_000], 'etcd_heartbeat_interval'],
  [[10, 86_400], 'kube_cluster_drain_timeout'],
  [[50, 50_000], 'etcd_election_timeout'],
] as const;

describe('whole numbers', () => {
  const bounds = Object.fromEntries(
    names.flatMap((name) => {
      const found = /^expected a whole number from (\d+) to (\d+)$/.exec(refusalOf(name, 'x') ?? '');
      return found === null ? [] : [[name, found.slice(1).map(Number)]];
    }),
  );

  test('have these bounds', () => {
    expect(bounds).toEqual(
      Object.fromEntries(BOUNDS.flatMap(([both, those]) => those.split(' ').map((name) => [name, both]))),
    );
  });

  test('are taken within them, and no further', () => {
    const taken = Object.entries(bounds).map(([name, [least = 0, most = 0]]) =>
      [least - 1, least, most, most + 1, least + 0.5].map(
        (value) => refusalOf(name as VariableName, value) === undefined,
      ),
    );
    expect(new Set(taken.map(String))).toEqual(new Set(['false,true,true,false,false']));
  });
});

describe('texts', () => {
  /** Lines of a proxy's configuration; and words of a command in a manifest, where a line end is a character as any other. */
  const OF_SEVERAL_LINES = [
    ...names.filter((name) => name.endsWith('_extra_config')),
    'kube_cluster_smoke_test_command',
  ];

  /** Every text within a value. */
  function textsOf(value: unknown): readonly string[] {
    if (typeof value === 'string') return [value];
    return typeof value === 'object' && value !== null ? Object.entries(value).flat().flatMap(textsOf) : [];
  }

  test('of more than one line are taken for none but those of several lines', async () => {
    const { hosts } = await loadInventory('fixtures/described/every-variable.yaml');
    const tried = names.flatMap((name) => {
      const values = [...hosts.values()].map(({ variables }) => variables.get(name));
      const texts = [
        ...new Set<unknown>(values.flatMap((value): readonly unknown[] => (Array.isArray(value) ? value : [value]))),
      ];
      return texts
        .filter((text) => typeof text === 'string')
        .flatMap((text) => [`${text}\n`, `\n${text}`, `${text}\nx`, `x\n${text}`])
        .flatMap((text) => [text, [text]])
        .map((value) => ({ name, taken: VARIABLES[name].schema.safeParse(value).data }));
    });
    const withMore = tried.filter(({ taken }) => textsOf(taken).some((text) => text.includes('\n')));
    expect([...new Set(withMore.map(({ name }) => name))].sort()).toEqual([...OF_SEVERAL_LINES].sort());
    expect(tried.length).toBeGreaterThan(500);
  });
});

describe('values that are nearly right', () => {
  test.each<[VariableName, unknown, string]>([
    ['etcd_managed', 'yesterday', 'expected true or false'],
    ['etcd_managed', 'not', 'expected true or false'],
    ['etcd_managed', 2, 'expected true or false'],
    ['etcd_key_type', 'rsa-1024', 'expected ecdsa-p256, rsa-2048, rsa-3072, rsa-4096'],
    ['etcd_lb_host', 'a..example', 'expected a DNS name such as etcd.example.com'],
    ['etcd_lb_host', 'a'.repeat(64), 'expected a DNS name such as etcd.example.com'],
    ['keepalived_network', '10.0.0.0', 'expected a network such as 10.0.0.0/24'],
    ['etcd_firewall_allow', ['10.0.0.0/33'], 'expected a network such as 10.0.0.0/24, or an address'],
    ['keepalived_smtp_server', '*.example.com', 'expected an IP address or a DNS name'],
    ['haproxy_check_inter', '5 s', 'expected a time such as 5s, 500ms or 5m'],
    ['kube_apiserver_manifest', 'manifests/a.yaml', 'expected an absolute path without spaces and quotes'],
    ['keepalived_auth_pass', 'nine-char', '1 to 8 characters without spaces and quotes'],
    ['etcd_version', '3.3.27', 'expected a version of etcd such as 3.5.16, from 3.4.0 on'],
    ['etcd_client_url', 'http://10.0.0.1:2379', 'expected an https URL such as https://10.0.1.10:2379'],
    [
      'kube_cluster_registry_mirrors',
      { 'docker.io': 'me:secret@x' },
      'expected an http or https URL without a password',
    ],
    ['kube_cluster_other_nodes', ['-a'], 'expected the name of a node, in which * is any number of characters'],
  ])('%s: %j', (name, value, words) => {
    expect(refusalOf(name, value)).toContain(words);
  });
});

test('a vault value is taken where it is kept out of sight, and for no other variable', async () => {
  const vault = encryptVault('planted', 'password').replace(/^/gm, '  ');
  const inventory = await loadFiles(
    {
      hosts: '[etcd]\na\n',
      'group_vars/all.yml': names.map((name) => `${name}: !vault |\n${vault}\n`).join(''),
    },
    { vaultPassword: new Secret('password') },
  );
  const reader = createVariableReader();
  for (const name of names) reader.read(hostOf(inventory, 'a'), name);
  const refused = reader.problems().filter(({ message }) => message.startsWith('is a vault value, or computed from'));
  const subjects = new Set(refused.map(({ subject }) => subject));
  expect(names.filter((name) => !subjects.has(name)).sort()).toEqual([
    ...['etcd_extra_env', 'etcd_release_url', 'haproxy_extra_config', 'haproxy_stats_password'],
    ...['keepalived_auth_pass', 'kube_apiserver_lb_extra_config', 'nginx_extra_config'],
  ]);
  const said = JSON.stringify(reader.problems());
  expect(said).toContain('"subject":"etcd_snapshot_schedule"');
  expect(said).not.toContain('planted');
});

describe('a NUL, at which most programs end a text', () => {
  const SAMPLES = ['a', '/a/b', 'https://a.b:1', '10.0.0.1', 'a.b', 'a/b', '5s', 'a@b.c', '1.30.4', 'Mon *-*-* 02:00'];
  const hasAny = (name: VariableName, value: unknown): boolean => refusalOf(name, value) === undefined;
  const texts = names.flatMap((name) => {
    const sample = SAMPLES.find((each) => hasAny(name, each));
    const isList = SAMPLES.find((each) => hasAny(name, [each]));
    return [
      ...(sample === undefined ? [] : [{ name, make: (value: string): unknown => value, sample }]),
      ...(isList === undefined ? [] : [{ name, make: (value: string): unknown => [value], sample: isList }]),
    ];
  });

  test('is taken in no text', () => {
    expect(texts.length).toBeGreaterThan(60);
    const taken = texts.filter(({ name, make, sample }) =>
      [`\0${sample}`, `${sample}\0`, `${sample.slice(0, 1)}\0${sample.slice(1)}`].some((value) =>
        hasAny(name, make(value)),
      ),
    );
    expect(taken.map(({ name }) => name)).toEqual([]);
  });
});
