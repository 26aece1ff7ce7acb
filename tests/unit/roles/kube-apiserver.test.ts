import { describe, expect, test } from '@jest/globals';
import { etcdDataKey } from '../../../src/facts/etcd-data.js';
import { etcdIdentityKey, type EtcdIdentity } from '../../../src/facts/etcd-identity.js';
import { etcdStatusKey } from '../../../src/facts/etcd-status.js';
import type { Outcome } from '../../../src/model/change.js';
import { kubeApiserverDirectRole, kubeApiserverRole } from '../../../src/roles/kube-apiserver/role.js';
import { fakeProbe, type FakeProbe } from '../../support/fake-probe.js';
import { ROLE_TOOLS } from '../../support/role-tools.js';
import { SAMPLE_CLUSTER, withExternal } from '../../support/sample-cluster.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';

const DIRECTORY = '/etc/kubernetes/manifests';
const MANIFEST = `${DIRECTORY}/kube-apiserver.yaml`;
const MEMBERS = ['https://10.0.0.1:2379', 'https://10.0.0.2:2379', 'https://10.0.0.3:2379'];
const VIP = 'https://10.0.0.100:2379';
const FILES = { ca: '/pki/ca.crt', certificate: '/pki/etcd.crt', key: '/pki/etcd.key' };
const OURS: EtcdIdentity = { kind: 'answers', clusterId: '7', memberId: '1', leaderId: '1', revision: 10 };
const THEIRS: EtcdIdentity = { kind: 'answers', clusterId: '8', memberId: '1', leaderId: '1', revision: 10 };

interface Given {
  readonly servers: string;
  readonly overrides?: string;
  /** Who answers there; cluster 7 is this inventory's. */
  readonly answers?: Readonly<Record<string, EtcdIdentity>>;
  /** Command lines of running kube-apiservers. */
  readonly running?: readonly (readonly string[])[];
  /** Further files beside the manifest. */
  readonly files?: Readonly<Record<string, string>>;
}

function manifest({ servers, overrides }: Given): string {
  return `metadata:
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - name: kube-apiserver
    command:
    - --etcd-servers=${servers}
    - --etcd-cafile=/pki/ca.crt
    - --etcd-certfile=/pki/etcd.crt
    - --etcd-keyfile=/pki/etcd.key
${overrides === undefined ? '' : `    - --etcd-servers-overrides=${overrides}\n`}`;
}

function controlPlane(given: Given): FakeProbe {
  const { answers = {}, running = [], files = {} } = given;
  const text = manifest(given);
  const listed = { status: { kind: 'answers', clusterId: '7', revision: 10, members: [{ id: '1' }] } };
  const members = Object.fromEntries(
    SAMPLE_CLUSTER.members.map((member) => [
      member.host,
      {
        'etcd-status': { [etcdStatusKey(member)]: listed.status },
        'etcd-data': { [etcdDataKey(member)]: { hasData: true } },
      },
    ]),
  );
  const hosts = ['127.0.0.1', '10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.100'];
  return fakeProbe(
    {
      'file-contents': { [MANIFEST]: text },
      'file-states': { [MANIFEST]: { kind: 'file', owner: 'root', group: 'root', mode: '0600', sha256: '' } },
      'static-pod-files': {
        [DIRECTORY]: Object.entries({ 'kube-apiserver.yaml': text, ...files }).map(([name, each]) => ({
          name,
          text: each,
        })),
      },
      'apiserver-processes': { 'kube-apiserver': running.map((argv) => ({ pid: 1, argv, connections: [] })) },
      'etcd-identities': Object.fromEntries(
        Object.entries(answers).map(([url, identity]) => [etcdIdentityKey({ url, ...FILES }), identity]),
      ),
      'name-addresses': Object.fromEntries(hosts.map((host) => [host, [host]])),
    },
    members,
    'cp-1',
  );
}

/** What the role does on such a control plane, and what was asked there. */
async function planned(given: Given): Promise<{ readonly outcome: Outcome; readonly asked: readonly string[] }> {
  const probe = controlPlane(given);
  const inventory = templateInventory(['cp-1']);
  const [resource, ...more] = kubeApiserverDirectRole().resources(namedHost('cp-1'), inventory, SAMPLE_CLUSTER);
  if (resource === undefined || more.length > 0) throw new Error('one resource was expected');
  return { outcome: await resource.plan(probe), asked: probe.asked };
}

/** The manifest that is written. */
async function written(given: Given): Promise<string> {
  const { outcome } = await planned(given);
  const write = outcome.kind === 'change' ? outcome.change.actions[1] : undefined;
  if (write?.kind !== 'write-file') throw new Error('no file is written');
  return write.content.redacted;
}

describe('kube-apiserver-direct', () => {
  test('names all members, once one of them has answered with the files of the manifest', async () => {
    const { outcome } = await planned({ servers: VIP, answers: { [VIP]: OURS } });
    if (outcome.kind !== 'change') throw new Error('nothing is changed');
    const [before, , after] = outcome.change.actions;
    expect(before).toEqual({
      kind: 'await',
      gate: 'etcd-answers-directly',
      parameters: { urls: MEMBERS, ...FILES },
    });
    expect(await written({ servers: VIP, answers: { [VIP]: OURS } })).toContain(`--etcd-servers=${MEMBERS.join()}\n`);
    expect(after).toMatchObject({ kind: 'await', gate: 'apiserver-ready' });
  });

  test.each([MEMBERS, MEMBERS.toReversed()])('lets be one that uses them, in whatever order', async (...servers) => {
    const { outcome, asked } = await planned({ servers: servers.join() });
    expect(outcome).toEqual({ kind: 'unchanged' });
    // Nobody is asked whose etcd it is where nothing is to be done.
    expect(asked.filter((each) => each.startsWith('etcd-'))).toEqual([]);
  });

  test('adds the members that are missing', async () => {
    const servers = MEMBERS.slice(1);
    const answers = Object.fromEntries(servers.map((url) => [url, OURS]));
    expect((await planned({ servers: servers.join(), answers })).outcome).toMatchObject({ kind: 'change' });
  });
});

describe('an API server that uses another etcd', () => {
  test('is not moved, whatever its manifest says: the running process is asked for', async () => {
    const argv = ['kube-apiserver', '--etcd_servers', 'http://127.0.0.1:2379'];
    const plain = etcdIdentityKey({ url: 'http://127.0.0.1:2379', ca: '/etc/ssl/certs/ca-certificates.crt' });
    const probe = controlPlane({ servers: VIP, answers: { [VIP]: OURS }, running: [argv] });
    const asking = {
      ...probe,
      ask: ((fact, key) => (key === plain ? Promise.resolve(THEIRS) : probe.ask(fact, key))) as FakeProbe['ask'],
    };
    const [resource] = kubeApiserverDirectRole().resources(
      namedHost('cp-1'),
      templateInventory(['cp-1']),
      SAMPLE_CLUSTER,
    );
    await expect(resource?.plan(asking)).rejects.toMatchObject({ code: 'foreign-etcd' });
  });

  test('is not moved from a list in which one server is foreign', async () => {
    const servers = `${MEMBERS[0] ?? ''},https://10.0.0.2:2379`;
    const answers = { 'https://10.0.0.1:2379': OURS, 'https://10.0.0.2:2379': THEIRS };
    await expect(planned({ servers, answers })).rejects.toMatchObject({ code: 'foreign-etcd' });
  });
});

describe('--etcd-servers-overrides', () => {
  const answers = { [VIP]: OURS };

  test('that name this cluster are moved with the rest', async () => {
    const overrides = `/events#${VIP},/leases#https://events.example:2379;https://events-2.example:2379`;
    expect(await written({ servers: VIP, overrides, answers })).toContain(
      `--etcd-servers-overrides=/events#${MEMBERS.join(';')},/leases#https://events.example:2379;https://events-2.example:2379\n`,
    );
  });

  test('that name an etcd of their own stay, and move nothing', async () => {
    const overrides = '/events#https://events.example:2379';
    expect((await planned({ servers: MEMBERS.join(), overrides })).outcome).toEqual({ kind: 'unchanged' });
  });

  test('that mix both are refused', async () => {
    const overrides = `/events#${VIP};https://events.example:2379`;
    await expect(planned({ servers: VIP, overrides, answers })).rejects.toMatchObject({ code: 'mixed-overrides' });
  });
});

describe('another file that claims the pod', () => {
  const answers = { [VIP]: OURS };

  test.each([
    ['a copy under any name', { 'kube-apiserver.yaml.backup': manifest({ servers: VIP }) }],
    ['the same pod in JSON', { 'x.json': '{"metadata": {"name": "kube-apiserver", "namespace": "kube-system"}}' }],
    [
      'another pod with an API server',
      { 'a.yaml': 'metadata: {name: x}\nspec: {containers: [{name: kube-apiserver}]}\n' },
    ],
    ['its first document', { 'a.yaml': `${manifest({ servers: VIP })}---\nkind: Other\n` }],
  ])('refuses the move, by name: %s', async (_, files) => {
    const [name = ''] = Object.keys(files);
    await expect(planned({ servers: VIP, answers, files })).rejects.toMatchObject({
      code: 'manifest-claimed-twice',
      message: expect.stringContaining(`${DIRECTORY}/${name} claims the pod of ${MANIFEST} too`) as unknown,
    });
  });

  test.each([
    [
      'another pod',
      { 'etcd.yaml': 'metadata: {name: etcd, namespace: kube-system}\nspec: {containers: [{name: etcd}]}\n' },
    ],
    ['the same name elsewhere', { 'x.yaml': 'metadata: {name: kube-apiserver}\nspec: {containers: [{name: x}]}\n' }],
    ['no YAML', { README: 'a: [' }],
  ])('is none: %s', async (_, files) => {
    expect((await planned({ servers: VIP, answers, files })).outcome.kind).toBe('change');
  });

  test.each([
    [
      MEMBERS.toReversed().join(),
      SAMPLE_CLUSTER,
      /^its API server uses .*directly: .*; this plan moves it to the virtual IP$/,
    ],
    [
      MEMBERS.join(),
      withExternal(),
      /^its API server uses .*directly: .*; this plan moves it to https:\/\/10\.9\.0\.1:2379$/,
    ],
    [VIP, SAMPLE_CLUSTER, undefined],
    ['https://10.9.9.9:2379', SAMPLE_CLUSTER, undefined],
  ])(
    'an API server at %s is told to use the members directly, and what it is moved to',
    async (servers, cluster, told) => {
      const role = kubeApiserverRole(ROLE_TOOLS);
      const resource = role.resources(namedHost('cp-1'), templateInventory(['cp-1']), cluster).at(-1);
      const doubt = await resource?.doubt?.(controlPlane({ servers }));
      if (told === undefined) expect(doubt).toBeUndefined();
      else expect(doubt).toMatch(told);
    },
  );

  test('is reported where nothing is to be done', async () => {
    const files = { 'kube-apiserver.yaml.backup': manifest({ servers: VIP }) };
    const [resource] = kubeApiserverDirectRole().resources(
      namedHost('cp-1'),
      templateInventory(['cp-1']),
      SAMPLE_CLUSTER,
    );
    const servers = MEMBERS.join();
    expect(await resource?.doubt?.(controlPlane({ servers, files }))).toContain('kube-apiserver.yaml.backup claims');
    const two = { ...files, 'kube-apiserver.yaml.old': manifest({ servers: VIP }) };
    expect(await resource?.doubt?.(controlPlane({ servers, files: two }))).toContain(
      `${DIRECTORY}/kube-apiserver.yaml.backup, ${DIRECTORY}/kube-apiserver.yaml.old claim the pod of ${MANIFEST} too: the kubelet reads`,
    );
    expect(resource?.address).toBe(`static-pod:${MANIFEST}`);
    expect(await resource?.doubt?.(controlPlane({ servers }))).toBeUndefined();
  });
});
