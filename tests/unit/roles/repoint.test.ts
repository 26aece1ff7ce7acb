import { describe, expect, test } from '@jest/globals';
import type { ApiserverProcess } from '../../../src/facts/apiserver-processes.js';
import { readStaticPodManifest } from '../../../src/facts/static-pod-manifest.js';
import type { EtcdIdentity } from '../../../src/facts/etcd-identity.js';
import type { Change, Outcome } from '../../../src/model/change.js';
import { RemoteError } from '../../../src/model/errors.js';
import type { Fact, Probe } from '../../../src/model/remote.js';
import { fromManifest } from '../../../src/roles/kube-apiserver/client-files.js';
import { movedOverrides, overriddenServers } from '../../../src/roles/kube-apiserver/etcd-overrides.js';
import { etcdUses } from '../../../src/roles/kube-apiserver/etcd-uses.js';
import { refuseForeignEtcd } from '../../../src/roles/kube-apiserver/etcd-evidence.js';
import { hostOf, knownServers } from '../../../src/model/known-servers.js';
import { beforeAddressGoes } from '../../../src/roles/kube-apiserver/old-address.js';
import { etcdProblem } from '../../../src/roles/kube-apiserver/whose-etcd.js';
import { roleTable } from '../../../src/roles/table.js';
import { fakeProbe, UNREACHABLE, unreachableError } from '../../support/fake-probe.js';
import { ROLE_TOOLS } from '../../support/role-tools.js';
import { SAMPLE_CLUSTER, shownCertificate } from '../../support/sample-cluster.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const VIP = 'https://10.0.0.100:2379';
const [CONTROL_PLANE] = SAMPLE_CLUSTER.controlPlanes;
if (CONTROL_PLANE === undefined) throw new Error('the sample has no control plane');

function manifestOf(...words: readonly string[]): string {
  const command = ['kube-apiserver', ...words].map((word) => `    - ${word}\n`).join('');
  return `metadata:\n  name: kube-apiserver\nspec:\n  containers:\n  - name: kube-apiserver\n    command:\n${command}`;
}

/** A host that answers everything of a kind alike. */
function probeOf(answers: Readonly<Record<string, unknown>>): Probe {
  const probe: Probe = {
    host: 'cp-1',
    ask<V>(fact: Fact<V>, key: string): Promise<V> {
      if (!Object.hasOwn(answers, fact.name)) return Promise.reject(new Error(`no answer for ${fact.name} ${key}`));
      const answer = answers[fact.name];
      return Promise.resolve((typeof answer === 'function' ? (answer as (key: string) => unknown)(key) : answer) as V);
    },
    on: () => probe,
  };
  return probe;
}

const changeOf = (outcome: Outcome | undefined): Change => {
  if (outcome?.kind !== 'change') throw new Error(`nothing is changed: ${outcome?.kind ?? 'no such resource'}`);
  return outcome.change;
};

describe('a kube-apiserver that is moved to the virtual IP', () => {
  const OWN = ['--etcd-cafile=/own/ca.crt', '--etcd-certfile=/own/etcd.crt', '--etcd-keyfile=/own/etcd.key'];
  const text = manifestOf('--etcd-servers=https://10.0.0.1:2379', ...OWN);
  const ours: EtcdIdentity = { kind: 'answers', clusterId: '7', memberId: '1', leaderId: '1', revision: 10 };
  const status = { kind: 'answers', clusterId: '7', revision: 10, members: [{ id: '1' }] };

  test('is asked for by the virtual IP first, with its own files, and then waited for with all its arguments', async () => {
    const resources = roleTable(ROLE_TOOLS)
      .get('kube-apiserver')
      ?.resources(namedHost('cp-1'), templateInventory(['cp-1']), SAMPLE_CLUSTER);
    const probe = probeOf({
      'file-contents': text,
      'file-states': { kind: 'file', owner: 'root', group: 'root', mode: '0600', sha256: '' },
      'static-pod-files': [{ name: 'kube-apiserver.yaml', text }],
      'apiserver-processes': [],
      'etcd-identities': ours,
      'etcd-status': status,
      'etcd-data': { hasData: true },
      'name-addresses': [],
    });
    const { actions } = changeOf(await resources?.at(-1)?.plan(probe));
    expect(actions[0]).toEqual({
      kind: 'await',
      gate: 'vip-answers: etcd',
      parameters: {
        url: `${VIP}/health?exclude=NOSPACE`,
        ca: '/own/ca.crt',
        certificate: '/own/etcd.crt',
        key: '/own/etcd.key',
      },
    });
    expect(actions[1]?.kind === 'write-file' ? actions[1].content.reveal() : '').toBe(
      manifestOf(`--etcd-servers=${VIP}`, ...OWN),
    );
    expect(actions[2]).toEqual({
      kind: 'await',
      gate: 'apiserver-ready',
      parameters: { arguments: [`--etcd-servers=${VIP}`, ...OWN] },
    });
  });

  test('gets its files where its manifest says, and where none says anything in the usual places', async () => {
    const nothing = { certificate: undefined, key: undefined, pem: '', publicKey: { kind: 'unchecked' } };
    const places = async (manifest: string | undefined): Promise<readonly unknown[]> => {
      const asked: string[] = [];
      const probe = probeOf({
        'file-contents': manifest,
        paths: false,
        'certificate-files': (key: string) => (asked.push(key), nothing),
        'file-states': { kind: 'absent' },
      });
      const resources =
        roleTable(ROLE_TOOLS)
          .get('kube-apiserver-files')
          ?.resources(namedHost('cp-1'), templateInventory(['cp-1']), SAMPLE_CLUSTER) ?? [];
      const outcomes = await Promise.all(resources.map((each) => each.plan(probe)));
      return outcomes.flatMap((outcome) =>
        changeOf(outcome).actions.map((action) =>
          action.kind === 'run'
            ? action.command.script.split('\n').at(-1)
            : action.kind === 'install-trust'
              ? action.path
              : action.kind === 'issue-certificate'
                ? action.destination
                : '',
        ),
      );
    };
    const own = [
      'mkdir -p -m 0755 /own',
      '/own/ca.crt',
      { layout: 'pair', certificatePath: '/own/etcd.crt', keyPath: '/own/etcd.key' },
    ];
    const pki = '/etc/kubernetes/pki';
    const usual = [
      `mkdir -p -m 0755 ${pki}/etcd`,
      `${pki}/etcd/ca.crt`,
      {
        layout: 'pair',
        certificatePath: `${pki}/apiserver-etcd-client.crt`,
        keyPath: `${pki}/apiserver-etcd-client.key`,
      },
    ];
    expect(await places(text)).toEqual(own);
    expect(await places(undefined)).toEqual(usual);
    expect(await places(manifestOf('--etcd-servers=https://10.0.0.1:2379'))).toEqual(usual);
  });

  test('asks once where its files are the usual ones, and what is wrong with others is no concern', async () => {
    let planned = 0;
    const [resource] = fromManifest(CONTROL_PLANE, ({ ca }) => [
      {
        address: 'x',
        paths: [],
        plan: () => {
          planned += 1;
          return ca.startsWith('/own') ? Promise.resolve({ kind: 'unchanged' }) : Promise.reject(new Error('not ours'));
        },
      },
    ]);
    expect(await resource?.plan(probeOf({ 'file-contents': text }))).toEqual({ kind: 'unchanged' });
    expect(planned).toBe(2);
    // What was refused for the usual files is handled, though nobody asks for it.
    await new Promise((resolve) => setImmediate(resolve));
    await expect(resource?.plan(probeOf({ 'file-contents': undefined }))).rejects.toThrow('not ours');
    expect(planned).toBe(3);
  });
});

test('a question whose answer nobody needs may fail, and is no error of its own', async () => {
  const members = 'https://10.0.0.1:2379,https://10.0.0.2:2379,https://10.0.0.3:2379';
  const text = manifestOf(`--etcd-servers=${members}`, '--etcd-cafile=/a', '--etcd-certfile=/b', '--etcd-keyfile=/c');
  const [resource] =
    roleTable(ROLE_TOOLS)
      .get('kube-apiserver-direct')
      ?.resources(namedHost('cp-1'), templateInventory(['cp-1']), SAMPLE_CLUSTER) ?? [];
  const probe = probeOf({
    'file-contents': text,
    'file-states': { kind: 'file', owner: 'root', group: 'root', mode: '0600', sha256: '' },
    'static-pod-files': [{ name: 'kube-apiserver.yaml', text }],
    // Not answered: its processes.
  });
  expect(await resource?.plan(probe)).toEqual({ kind: 'unchanged' });
  // A rejection that nobody handles is reported once the queue is empty, and fails this test.
  await new Promise((resolve) => setImmediate(resolve));
});

describe('what a kube-apiserver uses', () => {
  const isKnown = (url: string): boolean => url.includes('10.0.0.');
  const read = (...words: readonly string[]) => readStaticPodManifest(MANIFEST, manifestOf(...words), 'kube-apiserver');
  const running = (...argv: readonly string[]): ApiserverProcess => ({
    pid: 1,
    argv: ['kube-apiserver', ...argv],
    connections: [],
  });
  const roots = { ca: '/etc/ssl/certs/ca-certificates.crt', certificate: undefined, key: undefined };
  const files = { ca: '/ca', certificate: '/crt', key: '/key' };
  const FILES = ['--etcd-cafile=/ca', '--etcd-certfile=/crt', '--etcd-keyfile=/key'];

  test('is every server and every override of the manifest and of each process, each once', () => {
    const manifest = read('--etcd-servers=https://10.0.0.1:2379, https://10.0.0.2:2379,', ...FILES);
    const processes = [
      running('--etcd-servers=https://10.0.0.1:2379', ...FILES),
      running(
        '--etcd-servers',
        'http://other:2379',
        '--etcd-servers-overrides=/events#https://10.0.0.3:2379;https://10.0.0.4:2379,/leases#https://x:1',
      ),
    ];
    expect(etcdUses(manifest, processes, isKnown)).toEqual([
      { url: 'https://10.0.0.1:2379', ...files },
      { url: 'https://10.0.0.2:2379', ...files },
      { url: 'http://other:2379', ...roots },
      { url: 'https://10.0.0.3:2379', ...roots },
      { url: 'https://10.0.0.4:2379', ...roots },
    ]);
  });

  test('is nothing where neither says so', () => {
    expect(etcdUses(read('--secure-port=6443'), [running()], isKnown)).toEqual([]);
  });

  const known = (url: string): boolean => url.startsWith('a');
  test.each<[string, string, readonly string[]]>([
    ['/events#a1;a2', '/events#new1;new2', ['a1', 'a2']],
    ['/events#b1;b2', '/events#b1;b2', []],
    [
      '/events#a1,/leases#b1;b2,apps/deployments#a2',
      '/events#new1;new2,/leases#b1;b2,apps/deployments#new1;new2',
      ['a1', 'a2'],
    ],
    ['a1', 'new1;new2', ['a1']],
  ])('by overrides: %s is moved to %s', (value, moved, ours) => {
    expect(movedOverrides(value, known, () => ['new1', 'new2'])).toBe(moved);
    expect(overriddenServers(value, known)).toEqual(ours);
  });

  test('by overrides that mix two clusters is refused, and all of it is named', () => {
    expect(() => movedOverrides('/events#a1;b1;a2;b2', known, (given) => given)).toThrow(
      expect.objectContaining({
        code: 'mixed-overrides',
        message:
          "--etcd-servers-overrides of /events names a1, a2, which this inventory's cluster has, and b1, b2, which it has not",
      }),
    );
    expect(overriddenServers(undefined, known)).toEqual([]);
  });
});

describe('a known server', () => {
  const resolved = new Map([
    ['one.example', ['10.0.0.1']],
    ['both.example', ['10.0.0.1', '10.0.0.2']],
    ['mixed.example', ['10.0.0.1', '192.0.2.1']],
    ['none.example', []],
  ]);
  const cluster = {
    ...SAMPLE_CLUSTER,
    members: SAMPLE_CLUSTER.members.map((member, index) =>
      index === 2 ? { ...member, host: 'H3', name: 'n3', address: 'fd00::3' } : member,
    ),
  };

  test.each<[string, boolean]>([
    ['https://10.0.0.1:2379', true],
    ['https://etcd-2:2379', true],
    ['https://ETCD-2:2379', true],
    ['https://h3:2379', true],
    ['https://n3:2379', true],
    ['https://[fd00::3]:2379', true],
    ['https://10.0.0.100:2379', true],
    ['https://etcd.example.com:2379', true],
    ['https://one.example:2379', true],
    ['https://both.example:2379', true],
    ['https://mixed.example:2379', false],
    ['https://none.example:2379', false],
    ['https://10.0.0.1:2380', false],
    ['https://10.0.0.1', false],
    ['http://10.0.0.1:2379', false],
    ['https://10.0.0.9:2379', false],
    ['https://127.0.0.1:2379', false],
    ['10.0.0.1:2379', false],
    ['nonsense', false],
  ])('%s: %s', (url, isKnown) => {
    expect(knownServers(cluster, resolved)(url)).toBe(isKnown);
  });

  test('without a virtual IP is a member only, and port 443 is the one that is not written', () => {
    const bare = { ...cluster, services: [] };
    expect(knownServers(bare, resolved)('https://10.0.0.100:2379')).toBe(false);
    expect(knownServers(bare, resolved)('https://10.0.0.1:2379')).toBe(true);
    const [first, ...others] = bare.members;
    if (first === undefined) throw new Error('no member');
    expect(
      knownServers({ ...bare, members: [{ ...first, clientPort: 443 }, ...others] }, resolved)('https://10.0.0.1'),
    ).toBe(true);
    expect([hostOf('https://[fd00::3]:1'), hostOf('x')]).toEqual(['fd00::3', undefined]);
  });
});

describe('whose etcd answers', () => {
  const ours: EtcdIdentity = { kind: 'answers', clusterId: '7', memberId: '1', leaderId: '1', revision: 100_000 };
  const member = (host: string, revision: number) => ({
    host,
    status: {
      kind: 'answers',
      clusterId: '7',
      memberId: host,
      leaderId: '1',
      revision,
      members: [{ id: '1' }, { id: '2' }],
    } as never,
    hasData: true,
  });
  const judge = (identity: EtcdIdentity, revisions: readonly number[]) =>
    etcdProblem({
      endpoints: [{ url: 'https://10.9.9.9:2379', identity }],
      members: revisions.map((revision, index) => member(`m${index}`, revision)),
      isKnown: () => false,
      controlPlane: { host: 'cp-1', manifest: '/m.yaml' },
    })?.code;

  test.each([
    // A thousand writes and a hundredth of the larger one apart at most, either way.
    [100_000, 102_020, undefined],
    [100_000, 102_021, 'foreign-etcd'],
    [100_000, 98_000, undefined],
    [100_000, 97_999, 'foreign-etcd'],
    [1, 1_011, undefined],
    [1, 1_012, 'foreign-etcd'],
  ])('at revision %i, the members at %i: %s', (revision, of, problem) => {
    expect(judge({ ...ours, revision }, [of, of, of])).toBe(problem);
  });

  test.each([
    [[100_000, 100_000, 1], undefined],
    [[100_000, 1, 1], 'foreign-etcd'],
    [[100_000, 100_000, 1, 1], 'foreign-etcd'],
    [[100_000, 1], 'foreign-etcd'],
  ])('is what more than half of the members say: %j', (revisions, problem) => {
    expect(judge(ours, revisions)).toBe(problem);
  });

  const silent = (host: string, hasData: boolean | undefined) => ({
    host,
    status: { kind: 'silent', reason: `${host} refused` } as const,
    hasData,
  });
  test.each([
    [true, [true, true, true], undefined],
    [true, [true, undefined, true], undefined],
    [true, [true, false, true], 'etcd-not-proved'],
    [true, [false, false, false], 'foreign-etcd'],
    [true, [false, true, false], 'etcd-not-proved'],
    [false, [true, true, true], 'etcd-not-proved'],
  ])('where no member can be asked, at a known address (%s), with data %j: %s', (isKnown, data, code) => {
    const problem = etcdProblem({
      endpoints: [{ url: 'https://10.0.0.1:2379', identity: ours }],
      members: data.map((hasData, index) => silent(`m${index}`, hasData)),
      isKnown: () => isKnown,
      controlPlane: { host: 'cp-1', manifest: '/m.yaml' },
    });
    expect(problem?.code).toBe(code);
    if (code === 'etcd-not-proved') expect(problem?.message).toMatch(/m0: m0 refused; m1: m1 refused; m2: m2 refused$/);
  });

  test('is asked of every endpoint with its files, of every member, and of every name', async () => {
    const status = { kind: 'answers', clusterId: '7', revision: 10, members: [{ id: '1' }] };
    const names: string[] = [];
    const question = (identities: (key: string) => EtcdIdentity, status_: unknown = status) => ({
      cluster: SAMPLE_CLUSTER,
      controlPlane: CONTROL_PLANE,
      probe: probeOf({
        'etcd-identities': identities,
        'etcd-status': status_,
        'etcd-data': { hasData: true },
        'name-addresses': (name: string) => (names.push(name), name === 'two.example' ? ['10.0.0.1'] : []),
      }),
    });
    const uses = ['https://one.example:2379', 'https://two.example:2379', 'ftp://one.example', 'nonsense'].map(
      (url) => ({ url, ca: '/ca' }),
    );
    const here: EtcdIdentity = { kind: 'answers', clusterId: '7', memberId: '1', leaderId: '1', revision: 10 };
    await expect(
      refuseForeignEtcd(
        uses,
        question(() => here),
      ),
    ).rejects.toMatchObject({
      code: 'etcd-not-proved',
      message: expect.stringContaining(
        'uses ftp://one.example; nothing answers there (it is not an http or https URL)',
      ) as unknown,
    });
    expect(names).toEqual(['one.example', 'two.example']);
    await refuseForeignEtcd(
      uses.slice(0, 2),
      question(() => here),
    );
    const down: EtcdIdentity = { kind: 'silent', reason: 'refused' };
    // The second name leads to a member: what does not answer there is known by its address.
    await refuseForeignEtcd(
      uses.slice(0, 2),
      question((key) => (key.includes('two.') ? down : here)),
    );
    const away = (): never => {
      throw new RemoteError({ code: 'unreachable', host: 'etcd-1', message: 'etcd-1 is away' });
    };
    await expect(
      refuseForeignEtcd(
        uses.slice(0, 1),
        question(() => ({ ...here, clusterId: '8' }), away),
      ),
    ).rejects.toMatchObject({
      message: expect.stringContaining('etcd-1: etcd-1 is away') as unknown,
    });
    // What the first member does not say, the others do.
    const { probe, ...rest } = question(() => here);
    const silent = { ...probe, ask: () => Promise.reject(unreachableError('etcd-1')) } as Probe;
    await refuseForeignEtcd(uses.slice(0, 1), {
      ...rest,
      probe: { ...probe, on: (host) => (host === 'etcd-1' ? silent : probe) },
    });
    const broken = (): never => {
      throw new Error('a bug');
    };
    await expect(
      refuseForeignEtcd(
        uses.slice(0, 1),
        question(() => here, broken),
      ),
    ).rejects.toThrow(/^a bug$/);
  });
});

describe('an address that is about to go', () => {
  const moved = {
    address: 'static-pod',
    paths: [],
    plan: () => Promise.resolve({ kind: 'unknown', because: 'moved' } as const),
  };
  const addresses = (...all: readonly (readonly [string, number, string])[]) => ({
    'host-addresses': { all: all.map(([address, prefixLength, name]) => ({ interface: name, address, prefixLength })) },
    'certificate-files': shownCertificate(''),
  });
  const plan = async (server: string, third: ReturnType<typeof addresses>): Promise<string> => {
    const hosts = {
      'etcd-1': addresses(['10.0.0.1', 24, 'eth0']),
      'etcd-2': addresses(['10.0.0.2', 24, 'eth0']),
      'etcd-3': third,
    };
    const probe = fakeProbe({ 'file-contents': { [MANIFEST]: manifestOf(`--etcd-servers=${server}`) } }, hosts, 'cp-1');
    return (await beforeAddressGoes(SAMPLE_CLUSTER, CONTROL_PLANE, moved).plan(probe)).kind;
  };
  const held = addresses(['10.0.0.3', 24, 'eth0'], ['10.0.0.99', 32, 'eth0']);

  test.each([
    ['the virtual IP itself', VIP, held, 'unchanged'],
    ['another one that a balancer holds', 'https://10.0.0.99:2379', held, 'unknown'],
    ['the virtual IP by another port', 'https://10.0.0.100:12379', addresses(['10.0.0.100', 32, 'eth0']), 'unknown'],
    ['a second server beside it', `${VIP},https://10.0.0.99:2379`, held, 'unknown'],
    ['a member', 'https://10.0.0.1:2379', held, 'unchanged'],
    ['another address with its network', 'https://10.0.0.98:2379', addresses(['10.0.0.98', 24, 'eth0']), 'unchanged'],
    ['a balancer’s own that stands alone', 'https://10.0.0.3:2379', addresses(['10.0.0.3', 32, 'eth0']), 'unchanged'],
    ['one of loopback', 'https://127.0.0.2:2379', addresses(['127.0.0.2', 32, 'lo']), 'unchanged'],
    [
      'the second of two that a balancer holds',
      'https://10.0.0.99:2379',
      addresses(['10.0.0.98', 32, 'eth0'], ['10.0.0.99', 32, 'eth0']),
      'unknown',
    ],
  ])('%s', async (_, server, third, outcome) => {
    expect(await plan(server, third)).toBe(outcome);
  });

  test.each([
    ['https://10.0.0.99:2379', 'unknown'],
    ['https://10.0.0.98:2379', 'unchanged'],
  ])('is what the balancers hold that can be asked: %s', async (server, outcome) => {
    const hosts = { 'etcd-1': UNREACHABLE, 'etcd-2': held, 'etcd-3': UNREACHABLE };
    const probe = fakeProbe({ 'file-contents': { [MANIFEST]: manifestOf(`--etcd-servers=${server}`) } }, hosts, 'cp-1');
    expect((await beforeAddressGoes(SAMPLE_CLUSTER, CONTROL_PLANE, moved).plan(probe)).kind).toBe(outcome);
  });

  test('costs no question to a balancer where only the virtual IP is used', async () => {
    // The probe knows no other host: to ask one fails.
    const probe = fakeProbe({ 'file-contents': { [MANIFEST]: manifestOf(`--etcd-servers=${VIP}`) } }, {}, 'cp-1');
    expect(await beforeAddressGoes(SAMPLE_CLUSTER, CONTROL_PLANE, moved).plan(probe)).toEqual({ kind: 'unchanged' });
  });
});
