import { describe, expect, test } from '@jest/globals';
import { aptSourceKey, type AptSourceFile } from '../../../src/facts/apt-sources.js';
import type { Resource } from '../../../src/model/change.js';
import type { KubernetesPackages } from '../../../src/model/kubernetes.js';
import { containerdRole } from '../../../src/roles/containerd/role.js';
import { kubernetesPackagesRole, packageVersion } from '../../../src/roles/kubernetes-packages/role.js';
import { kubeadmView } from '../../../src/resources/kubernetes-host.js';
import { fakeProbe, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { ROLE_TOOLS } from '../../support/role-tools.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';

const WANTED: KubernetesPackages = {
  repository: 'https://pkgs.k8s.io/core:/stable:/v1.30/deb/',
  suite: '/',
  components: [],
  keyFile: '/srv/Release.key',
  version: '1.30.4',
  containerdVersion: undefined,
};
const SOURCE = '/etc/apt/sources.list.d/provision-kubernetes.sources';
const PIN = '/etc/apt/preferences.d/provision-kubernetes.pref';

/** A key of version 4 without a body that means anything. */
const KEY = Buffer.from([0xc6, 3, 4, 1, 2]);

function clusterWith(packages: KubernetesPackages | undefined): typeof SAMPLE_CLUSTER {
  const { kubernetes } = SAMPLE_CLUSTER;
  return { ...SAMPLE_CLUSTER, kubernetes: { ...kubernetes, settings: { ...kubernetes.settings, packages } } };
}

function resources(
  packages: KubernetesPackages | undefined,
  readBytes: (path: string) => Buffer = () => KEY,
): readonly Resource[] {
  const role = kubernetesPackagesRole({ readBytes });
  return role.resources(namedHost('cp-1'), templateInventory(['cp-1']), clusterWith(packages));
}

function named(address: string, of: readonly Resource[]): Resource {
  const found = of.find((each) => each.address === address);
  if (found === undefined) throw new Error(`no ${address}`);
  return found;
}

const absent = (sources: readonly AptSourceFile[] = [], { repository: uri, suite } = WANTED): FakeAnswers => ({
  'file-states': { [SOURCE]: { kind: 'absent' }, [PIN]: { kind: 'absent' } },
  'apt-sources': { [aptSourceKey({ uri, suite })]: sources },
});

async function written(path: string, packages: KubernetesPackages): Promise<string> {
  const outcome = await named(`file:${path}`, resources(packages)).plan(fakeProbe(absent([], packages)));
  const actions = outcome.kind === 'change' ? outcome.change.actions : [];
  const write = actions.find((action) => action.kind === 'write-file');
  return write?.kind === 'write-file' ? write.content.reveal() : '';
}

const COMPLETION = [
  'directory:/usr/local/share/bash-completion',
  'directory:/usr/local/share/bash-completion/completions',
  'file:/usr/local/share/bash-completion/completions/kubectl',
  'file:/usr/local/share/bash-completion/completions/kubeadm',
];

test('an inventory without a repository leaves the packages to others', () => {
  expect(resources(undefined).map(({ address }) => address)).toEqual(COMPLETION);
});

test('the source has the key within it, and the pin is there before it', async () => {
  expect(resources(WANTED).map(({ address }) => address)).toEqual([
    `file:${PIN}`,
    `file:${SOURCE}`,
    'kubernetes:packages',
    'held-packages:kubelet,kubeadm,kubectl',
    ...COMPLETION,
  ]);
  expect(await written(SOURCE, WANTED)).toBe(
    '# Written by provision.\nTypes: deb\nURIs: https://pkgs.k8s.io/core:/stable:/v1.30/deb/\nSuites: /\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n xgMEAQI=\n =uoZS\n -----END PGP PUBLIC KEY BLOCK-----\n',
  );
  expect(await written(SOURCE, { ...WANTED, suite: 'stable', components: ['main', 'extra'] })).toContain(
    '\nSuites: stable\nComponents: main extra\nSigned-By:',
  );
  expect(await written(PIN, WANTED)).toBe(
    '# Written by provision.\nPackage: kubelet kubeadm kubectl\nPin: version 1.30.4-*\nPin-Priority: 999\n',
  );
  expect(await written(PIN, { ...WANTED, version: '1.30.4-1.1', containerdVersion: '1.7.1' })).toContain(
    'Pin: version 1.30.4-1.1\nPin-Priority: 999\n\nPackage: containerd\nPin: version 1.7.1-*\n',
  );
});

test('completion is of root, and read by everybody', async () => {
  const of = resources(undefined);
  const paths = COMPLETION.map((address) => address.replace(/^\w+:/, ''));
  const probe = fakeProbe({ 'file-states': Object.fromEntries(paths.map((path) => [path, { kind: 'absent' }])) });
  const outcomes = await Promise.all(of.map((resource) => resource.plan(probe)));
  const actions = outcomes.flatMap((outcome) => (outcome.kind === 'change' ? outcome.change.actions : []));
  expect(
    actions.map((action) =>
      action.kind === 'write-file' || action.kind === 'make-directory'
        ? [action.path, action.owner, action.group, action.mode]
        : action.kind,
    ),
  ).toEqual(paths.map((path, index) => [path, 'root', 'root', index < 2 ? '0755' : '0644']));
});

test('what an administrator has in the place of completion stays, and ours is renewed', async () => {
  const of = resources(undefined);
  const paths = COMPLETION.map((address) => address.replace(/^\w+:/, ''));
  const kinds = async (origin: string): Promise<readonly string[]> => {
    const owned = { owner: 'admin', group: 'admin', mode: '0700', sha256: 'x', changedAt: 1 };
    const probe = fakeProbe({
      'file-states': Object.fromEntries(
        paths.map((path, index) => [path, { kind: index < 2 ? 'directory' : 'file', ...owned }]),
      ),
      'file-origins': Object.fromEntries(paths.map((path) => [path, { kind: origin, lines: 1 }])),
      'file-contents': Object.fromEntries(paths.map((path) => [path, 'complete -F mine kubectl\n'])),
    });
    return (await Promise.all(of.map((resource) => resource.plan(probe)))).map(({ kind }) => kind);
  };
  expect(await kinds('foreign')).toEqual(['unchanged', 'unchanged', 'unchanged', 'unchanged']);
  expect(await kinds('ours')).toEqual(['unchanged', 'unchanged', 'change', 'change']);
});

test('a source lands only after apt has read its lists by it, and when no other apt is at work', async () => {
  const outcome = await named(`file:${SOURCE}`, resources(WANTED)).plan(fakeProbe(absent()));
  expect(outcome).toMatchObject({
    change: {
      diff: expect.arrayContaining([expect.stringMatching(/^signed by [0-9A-F]{40}$/)]) as unknown,
      actions: [
        { kind: 'await', gate: 'apt-unlocked' },
        {
          ...{ kind: 'write-file', path: SOURCE, validateMs: 300_000 },
          validate: expect.stringMatching(/Error-Mode=any.*http::Timeout=20/) as unknown,
        },
      ],
    },
  });
});

describe('a source of others for the same repository is named, and nobody is told to remove a file', () => {
  const refusal = async (...files: readonly AptSourceFile[]): Promise<unknown> =>
    named(`file:${SOURCE}`, resources(WANTED))
      .plan(fakeProbe(absent([{ path: SOURCE, namesOthers: false }, ...files])))
      .catch((error: unknown) => error);

  test('the main file, with the sources of the system', async () => {
    const found = await refusal({ path: '/etc/apt/sources.list', namesOthers: true });
    expect(found).toMatchObject({
      code: 'apt-source-taken',
      message: expect.stringMatching(/^host-1: \/etc\/apt\/sources\.list names https:\S+ \/, too/) as unknown,
      hint: expect.stringContaining(
        'take the lines or the stanza of it out, and leave what else is there; they are: ssh host-1 ' +
          "'sudo grep -n -F https://pkgs.k8s.io/core:/stable:/v1.30/deb /etc/apt/sources.list'",
      ) as unknown,
    });
    expect((found as { hint?: string }).hint).not.toMatch(/\brm\b/);
  });

  test('all files', async () => {
    const found = await refusal(
      { path: '/etc/apt/sources.list.d/a.list', namesOthers: false },
      { path: '/etc/apt/sources.list.d/b.sources', namesOthers: false },
    );
    expect(found).toMatchObject({
      message: expect.stringContaining('a.list, /etc/apt/sources.list.d/b.sources name https:') as unknown,
      hint: expect.stringContaining('/etc/apt/sources.list.d/a.list /etc/apt/sources.list.d/b.sources') as unknown,
    });
    expect((found as { hint?: string }).hint).not.toContain('leave what else');
  });
});

describe('the key of the repository', () => {
  test('a text is refused by name', () => {
    expect(() => resources(WANTED, () => Buffer.from('hello'))).toThrow(
      expect.objectContaining({
        code: 'repository-key-unusable',
        message: expect.stringContaining(
          '/srv/Release.key, which kube_cluster_packages_key names, is no OpenPGP key',
        ) as unknown,
      }),
    );
  });

  test('no file is refused as each one that the inventory names', () => {
    const none = (): Buffer => {
      throw Object.assign(new Error("ENOENT: no such file or directory, open 'x'"), { code: 'ENOENT' });
    };
    expect(() => resources(WANTED, none)).toThrow(
      'kube_cluster_packages_key: names /srv/Release.key, which cannot be read: no such file or directory (ENOENT)',
    );
  });
});

/** A host with these packages, and programs of others. */
function host(
  installed: Readonly<Partial<Record<'kubelet' | 'kubeadm' | 'kubectl', string>>>,
  { joined = false, programs = [] as readonly string[], held = false } = {},
): FakeAnswers {
  const names = ['kubelet', 'kubeadm', 'kubectl'] as const;
  const places = ['/usr/local/sbin', '/usr/local/bin'].flatMap((place) => names.map((name) => `${place}/${name}`));
  return {
    packages: Object.fromEntries(
      names.map((name) => [name, { installed: installed[name], candidate: undefined, held }]),
    ),
    paths: {
      '/etc/kubernetes/kubelet.conf': joined,
      ...Object.fromEntries(places.map((path) => [path, programs.includes(path)])),
    },
  };
}

const ALL = { kubelet: '1.30.4-1.1', kubeadm: '1.30.4-1.1', kubectl: '1.30.4-1.1' };

/** The only control plane: nobody else is asked. */
function onFirst(answers: FakeAnswers): ReturnType<typeof fakeProbe> {
  return fakeProbe(answers, {}, 'cp-1');
}

describe('the packages of a host', () => {
  const packages = named('kubernetes:packages', resources(WANTED));

  test('a bare host gets all of them, of this version, with a kubelet that does not start', async () => {
    expect(await packages.plan(onFirst(host({})))).toMatchObject({
      change: {
        summary: 'install kubelet, kubeadm, kubectl',
        actions: [
          { gate: 'apt-unlocked' },
          {
            command: {
              summary: 'apt-get install kubelet=1.30.4-* kubeadm=1.30.4-* kubectl=1.30.4-*',
              script: expect.stringMatching(
                /mask --runtime --quiet kubelet\.service[^]*--print-uris[^]*install 'kubelet=1\.30\.4-\*'[^]*provision-kubernetes\.sources[^]*AllowUnauthenticated=false/,
              ) as unknown,
            },
          },
        ],
      },
    });
  });

  test('what is there in this version stays, and another one is replaced where nobody runs it', async () => {
    expect(await packages.plan(onFirst(host(ALL)))).toEqual({ kind: 'unchanged' });
    expect(await packages.plan(onFirst(host({ ...ALL, kubeadm: '1.30.40-1.1' })))).toMatchObject({
      change: { diff: ['~ kubeadm 1.30.40-1.1 → 1.30.4-*'] },
    });
    await expect(packages.plan(onFirst(host({ ...ALL, kubeadm: '1.29.0-1.1' }, { held: true })))).rejects.toMatchObject(
      { code: 'package-held' },
    );
  });

  /** A host that is to join, beside these control planes. @param theirs their version, `bare` or `lost` */
  async function joining(version: string, ...theirs: readonly string[]): Promise<unknown> {
    const others = theirs.map((their, index): [string, FakeAnswers] => [
      `cp-${index + 1}`,
      their === 'lost' ? UNREACHABLE : controlPlane(their),
    ]);
    const all = Object.fromEntries(others);
    const controlPlanes = others.map(([name]) => ({ ...SAMPLE_CLUSTER.controlPlanes[0], host: name }));
    const cluster = { ...clusterWith({ ...WANTED, version }), controlPlanes } as typeof SAMPLE_CLUSTER;
    const made = kubernetesPackagesRole({ readBytes: () => KEY }).resources(
      namedHost('cp-1'),
      templateInventory(['cp-1']),
      cluster,
    );
    return named('kubernetes:packages', made)
      .plan(fakeProbe(host({}), all, 'worker-1'))
      .then(
        ({ kind }) => kind,
        (error: unknown) => (error as { code?: string }).code,
      );
  }

  function controlPlane(version: string): FakeAnswers {
    const isThere = version !== 'bare';
    return {
      'file-contents': { '/var/lib/provision/kubernetes': undefined },
      paths: {
        '/etc/kubernetes/kubelet.conf': isThere,
        '/etc/kubernetes/bootstrap-kubelet.conf': false,
        '/etc/kubernetes/admin.conf': isThere,
        '/etc/kubernetes/manifests/kube-apiserver.yaml': isThere,
      },
      'kubeadm-outline': { 'registry.k8s.io': isThere ? { version, sandboxImage: 'x' } : undefined },
    };
  }

  test.each([
    ['1.30.4', ['v1.30.2'], 'change'],
    ['1.30.4', ['v1.31.0'], 'change'],
    ['1.31.0', ['v1.31.0', 'v1.30.9'], 'kubernetes-version-ahead'],
    ['1.31.2-1.1', ['v1.30.9'], 'kubernetes-version-ahead'],
    ['1.30.4', ['v1.9.9'], 'kubernetes-version-ahead'],
    ['2.0.0', ['v1.31.0'], 'kubernetes-version-ahead'],
    ['1.31.0', ['v2.0.0'], 'change'],
    ['1.31.2', ['bare', 'lost'], 'change'],
    ['1.31.2', [], 'change'],
    ['2024.1', ['v1.30.0'], 'change'],
  ])(
    'a host that is to join gets no newer version (%s) than the control planes have: %j',
    async (version, theirs, expected) => {
      expect(await joining(version, ...theirs)).toBe(expected);
    },
  );

  test('a node that has joined keeps its version, which is said', async () => {
    const older = onFirst(host({ ...ALL, kubelet: '1.29.0-1.1' }, { joined: true, held: true }));
    expect(await packages.plan(older)).toEqual({ kind: 'unchanged' });
    expect(await packages.doubt?.(older)).toBe(
      'kubelet 1.29.0-1.1 stays, where the inventory has 1.30.4-*: a node that has joined is upgraded with kubeadm upgrade, by its administrator',
    );
    expect(await packages.doubt?.(onFirst(host(ALL, { joined: true })))).toBeUndefined();
    expect(await packages.doubt?.(onFirst(host({ ...ALL, kubelet: '1.29.0-1.1' })))).toBeUndefined();
  });

  test('a node that has joined gets kubectl where it has none', async () => {
    const without = { kubelet: ALL.kubelet, kubeadm: ALL.kubeadm };
    expect(await packages.plan(onFirst(host(without, { joined: true })))).toMatchObject({
      change: { summary: 'install kubectl' },
    });
  });

  test.each([
    [
      'programs before those of packages',
      host({}, { programs: ['/usr/local/bin/kubelet'] }),
      '/usr/local/bin/kubelet would run in place',
    ],
    [
      'a node that runs a kubelet of no package',
      host({ kubeadm: '1.30.4-1.1' }, { joined: true }),
      'its kubelet is of no package',
    ],
    ['a node that runs nothing of a package', host({}, { joined: true }), 'its kubelet and kubeadm are of no package'],
  ])('%s are refused', async (_, answers, message) => {
    await expect(packages.plan(onFirst(answers))).rejects.toMatchObject({
      code: 'kubernetes-programs-of-others',
      message: expect.stringContaining(message) as unknown,
    });
  });
});

test.each([
  ['1.30.4', '1.30.4-*'],
  ['1.30.4-1.1', '1.30.4-1.1'],
])('of the version %s apt is given %s', (version, told) => {
  expect(packageVersion(version)).toBe(told);
});

describe('what kubeadm would say, before it is installed', () => {
  const cluster = clusterWith({ ...WANTED, containerdVersion: '1.7.1' });
  const containerd = containerdRole(ROLE_TOOLS).resources(namedHost('cp-1'), templateInventory(['cp-1']), cluster);
  const asked = (kubeadm: unknown): FakeAnswers => ({
    'node-outline': { node: { name: 'CP-1', isContainer: false } },
    'kubeadm-outline': { 'registry.k8s.io': kubeadm },
    'file-states': { '/etc/containerd/config.toml': { kind: 'absent' } },
  });
  const KUBEADM = { version: 'v1.29.0', sandboxImage: 'registry.k8s.io/pause:3.9' };

  test('the configuration of containerd is decided once it is there', async () => {
    const configuration = named('file:/etc/containerd/config.toml', containerd);
    expect(await configuration.plan(fakeProbe(asked(undefined)))).toEqual({
      kind: 'unknown',
      because: "kubeadm, which is installed first, names the image of pods' sandboxes",
    });
    expect(await configuration.plan(fakeProbe(asked(KUBEADM)))).toMatchObject({ kind: 'change' });
    expect(containerd.map(({ address }) => address)).toContain('packages:containerd=1.7.1-*');
  });

  test.each([
    ['1.30.4', undefined, 'v1.30.4'],
    ['1.30.4-1.1', undefined, 'v1.30.4'],
    // Of an earlier version of the inventory: it is replaced before it is used.
    ['1.30.4', KUBEADM, 'v1.30.4'],
    ['1.30.4+really1.29.0-1', KUBEADM, 'v1.29.0'],
  ])('packages of %s with %j make a cluster of %s', async (version, kubeadm, is) => {
    const { settings } = clusterWith({ ...WANTED, version }).kubernetes;
    const [node] = SAMPLE_CLUSTER.kubernetes.nodes;
    if (node === undefined) throw new Error('no node');
    const view = await kubeadmView(
      {
        node,
        controlPlanes: [node],
        cluster: {
          settings,
          endpoint: '',
          certSans: [],
          etcd: { endpoints: [], caFile: '', certFile: '', keyFile: '' },
        },
        joinSeen: () => Promise.resolve('finished'),
      },
      fakeProbe(asked(kubeadm)),
    );
    expect(view.cluster.version).toBe(is);
  });
});
