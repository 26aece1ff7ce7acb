import { describe, expect, test } from '@jest/globals';
import { kubeadmOutline } from '../../../src/facts/kubeadm-outline.js';
import type { Resource } from '../../../src/model/change.js';
import type { KubernetesNode, KubernetesSettings } from '../../../src/model/kubernetes.js';
import { cgroupDriver } from '../../../src/resources/cgroup-driver.js';
import { pullProxies } from '../../../src/roles/containerd/pull-proxies.js';
import { containerdRole } from '../../../src/roles/containerd/role.js';
import { fakeProbe, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { ROLE_TOOLS } from '../../support/role-tools.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';

function resources(changes: Partial<KubernetesSettings> = {}): readonly Resource[] {
  const { kubernetes } = SAMPLE_CLUSTER;
  const cluster = {
    ...SAMPLE_CLUSTER,
    kubernetes: { ...kubernetes, settings: { ...kubernetes.settings, ...changes } },
  };
  return containerdRole(ROLE_TOOLS).resources(namedHost('cp-1'), templateInventory(['cp-1']), cluster);
}

/** What is written to a path on a bare host. */
async function textOf(path: string, of: readonly Resource[], answers: FakeAnswers = {}): Promise<string> {
  const resource = of.find(({ address }) => address === `file:${path}`);
  const outcome = await resource?.plan(fakeProbe({ 'file-states': { [path]: { kind: 'absent' } }, ...answers }));
  const [action] = outcome?.kind === 'change' ? outcome.change.actions : [];
  return action?.kind === 'write-file' ? action.content.reveal() : '';
}

const CONFIGURATION = '/etc/containerd/config.toml';
const asked = (isContainer: boolean, kubeadm: unknown): FakeAnswers => ({
  'node-outline': { node: { isContainer } },
  'kubeadm-outline': { 'registry.k8s.io': kubeadm },
});
const KUBEADM = { version: 'v1.30.2', sandboxImage: 'registry.k8s.io/pause:3.9' };

test('the configuration has the cgroup driver of the kubelet, and the sandbox image of kubeadm', async () => {
  const text = await textOf(CONFIGURATION, resources(), asked(false, KUBEADM));
  expect(text).toMatch(/^# Written by provision\.\nversion = 2\n/);
  expect(text).toContain('\n  sandbox_image = "registry.k8s.io/pause:3.9"\n');
  expect(text).toContain('\n        SystemdCgroup = true\n');
  expect(text).not.toContain('restrict_oom_score_adj');
  const other = await textOf(
    CONFIGURATION,
    resources({ cgroupDriver: 'cgroupfs', sandboxImage: 'own/pause:1', cniBinDir: '/usr/lib/cni' }),
    asked(true, undefined),
  );
  expect(other).toContain('sandbox_image = "own/pause:1"');
  expect(other).toContain('restrict_oom_score_adj = true');
  expect(other).toContain('bin_dir = "/usr/lib/cni"');
  expect(other).toContain('SystemdCgroup = false');
});

test('all that it keeps is of root, and read by everybody', async () => {
  const of = resources({ pullProxies: PROXIES, releases: RELEASES, registryMirrors: { 'docker.io': ['https://a'] } });
  const paths = of.flatMap((resource) => [...resource.paths, resource.address.replace(/^\w+:/, '')]);
  const answers = {
    ...asked(false, KUBEADM),
    'file-states': Object.fromEntries(paths.map((path) => [path, { kind: 'absent' }])),
  };
  const kept = await Promise.all(
    of
      .filter(({ address }) => /^(?:file|directory):/.test(address))
      .map(async (resource) => {
        const outcome = await resource.plan(fakeProbe(answers));
        const actions = outcome.kind === 'change' ? outcome.change.actions : [];
        return actions.flatMap((action) =>
          action.kind === 'write-file' || action.kind === 'make-directory'
            ? [`${action.path} ${action.owner}:${action.group} ${action.mode}`]
            : [],
        );
      }),
  );
  expect(kept.flat()).toEqual([
    '/etc/containerd root:root 0755',
    '/etc/containerd/config.toml root:root 0644',
    '/etc/containerd/certs.d root:root 0755',
    '/etc/containerd/certs.d/docker.io root:root 0755',
    '/etc/containerd/certs.d/docker.io/hosts.toml root:root 0644',
    '/etc/crictl.yaml root:root 0644',
    '/etc/systemd/system/containerd.service root:root 0644',
    '/etc/systemd/system/containerd.service.d root:root 0755',
    `${DROP_IN} root:root 0644`,
  ]);
});

test('a host without kubeadm is refused by name', async () => {
  await expect(textOf(CONFIGURATION, resources(), asked(false, undefined))).rejects.toMatchObject({
    code: 'no-kubeadm',
    message: expect.stringContaining('host-1: there is no kubeadm') as unknown,
  });
});

test('mirrors are asked before their registry, and cost no restart', async () => {
  const of = resources({ registryMirrors: { 'docker.io': ['https://a', 'https://b:5000'], _default: ['https://c'] } });
  expect(await textOf('/etc/containerd/certs.d/docker.io/hosts.toml', of)).toBe(
    '# Written by provision.\nserver = "https://registry-1.docker.io"\n\n[host."https://a"]\n  capabilities = ["pull", "resolve"]\n\n[host."https://b:5000"]\n  capabilities = ["pull", "resolve"]\n',
  );
  expect(await textOf('/etc/containerd/certs.d/_default/hosts.toml', of)).toBe(
    '# Written by provision.\n\n[host."https://c"]\n  capabilities = ["pull", "resolve"]\n',
  );
  expect(resources().map(({ address }) => address)).toEqual([
    'cgroup-driver',
    'packages:containerd',
    'directory:/etc/containerd',
    'file:/etc/containerd/config.toml',
    'file:/etc/crictl.yaml',
    'absent:/etc/systemd/system/containerd.service.d/60-provision-proxies.conf',
    'service:containerd',
    'held-packages:containerd,containerd.io',
  ]);
});

test('a containerd that is there, from wherever, is not installed again', async () => {
  const [, installed] = resources();
  const answers = (isThere: boolean): FakeAnswers => ({
    packages: { containerd: { installed: undefined, candidate: '1.6', held: false } },
    paths: { '/usr/bin/containerd': false, '/usr/local/bin/containerd': isThere },
  });
  expect(await installed?.plan(fakeProbe(answers(true)))).toEqual({ kind: 'unchanged' });
  expect(await installed?.plan(fakeProbe(answers(false)))).toMatchObject({ change: { summary: 'install containerd' } });
});

test.each([
  ['apiVersion: v1\ncgroupDriver: cgroupfs\n', 'cgroupfs'],
  ['cgroupDriver: "cgroupfs"', 'cgroupfs'],
  ['a:\n  cgroupDriver: cgroupfs\ncgroupDriver: systemd\n', undefined],
  [undefined, undefined],
])('a node that runs keeps its cgroup driver: %j', async (text, differs) => {
  const planned = cgroupDriver('systemd').plan(
    fakeProbe({ 'file-contents': { '/var/lib/kubelet/config.yaml': text } }),
  );
  if (differs === undefined) expect(await planned).toEqual({ kind: 'unchanged' });
  else
    await expect(planned).rejects.toMatchObject({
      code: 'cgroup-driver-differs',
      hint: expect.stringContaining(differs) as unknown,
    });
});

test('the kubeadm of a host, and the image that it names', () => {
  const found = kubeadmOutline.parse('V v1.20.2\nI a/pause:3.2\nI b/pause:3.2\n', ['a', 'b']);
  expect(found.get('b')).toEqual({ version: 'v1.20.2', sandboxImage: 'b/pause:3.2' });
  expect(kubeadmOutline.parse('V \n', ['a']).get('a')).toBeUndefined();
  expect(() => kubeadmOutline.parse('V v1.20.2\n', ['a'])).toThrow('no image');
});

const PROXIES: KubernetesSettings['pullProxies'] = {
  http: undefined,
  https: 'http://proxy.example:3128/a%20b',
  exceptions: ['registry.local', '10.0.0.11'],
};
const DROP_IN = '/etc/systemd/system/containerd.service.d/60-provision-proxies.conf';
const SHA = 'ab'.repeat(32);
const RELEASES: KubernetesSettings['releases'] = {
  containerd: { product: 'containerd', source: '/srv/containerd-1.7.20-linux-amd64.tar.gz', sha256: SHA },
  runc: { product: 'runc', source: 'https://mirror/runc.amd64', sha256: SHA },
};
const RELEASED = `/usr/local/lib/provision-releases/containerd-${SHA.slice(0, 12)}/containerd`;

/** What the service would be done to, with a process that was started from this program, with this mark of proxies. */
async function restart(
  changes: Partial<KubernetesSettings>,
  program: string | undefined,
  proxies?: string,
): Promise<readonly string[]> {
  const of = resources(changes);
  const files = of.flatMap(({ paths }) => paths);
  const service = of.find(({ address }) => address === 'service:containerd');
  const outcome = await service?.plan(
    fakeProbe({
      units: {
        containerd: {
          active: program !== undefined,
          enabled: true,
          maskedAtRuntime: false,
          startedAt: 100,
          loadedAt: 100,
        },
      },
      'runtime-processes': { containerd: { program, proxies } },
      ...asked(false, KUBEADM),
      'file-states': Object.fromEntries(files.map((path) => [path, { kind: 'absent' }])),
    }),
  );
  return outcome?.kind === 'change' ? [outcome.change.summary, ...outcome.change.diff] : [outcome?.kind ?? ''];
}

describe('proxies', () => {
  test('are in a drop-in, beside all that is asked directly: this host, services and pods, nodes, virtual IPs', async () => {
    const text = await textOf(DROP_IN, resources({ pullProxies: PROXIES, podSubnet: '10.9.0.0/16' }));
    expect(text).toMatch(/^# Written by provision: .*\n\[Service\]\n/);
    expect(text).toContain('\nEnvironment="HTTPS_PROXY=http://proxy.example:3128/a%%20b"\n');
    expect(text).not.toContain('"HTTP_PROXY=');
    const [, direct = ''] = /NO_PROXY=([^"]*)"/.exec(text) ?? [];
    const [virtual] = SAMPLE_CLUSTER.services;
    const nodes = SAMPLE_CLUSTER.kubernetes.nodes.flatMap(({ address }) => address ?? []);
    expect(direct.split(',')).toEqual(
      expect.arrayContaining([
        ...['localhost', '127.0.0.1', '::1', '.svc', '.cluster.local', '10.96.0.0/12', '10.9.0.0/16', 'registry.local'],
        ...nodes,
        ...(virtual === undefined ? [] : [virtual.endpoint.ip]),
      ]),
    );
    expect(new Set(direct.split(',')).size).toBe(direct.split(',').length);
  });

  test('a node more is written down, and is no reason for a restart', async () => {
    const { kubernetes } = SAMPLE_CLUSTER;
    const settings = { ...kubernetes.settings, pullProxies: PROXIES };
    const markIn = (nodes: KubernetesNode[]): Promise<readonly [string, string]> => {
      const of = pullProxies({ ...SAMPLE_CLUSTER, kubernetes: { ...kubernetes, settings, nodes } });
      return textOf(DROP_IN, of).then((text) => [text, /PROVISION_PROXIES=(\w+)/.exec(text)?.[1] ?? ''] as const);
    };
    const [node] = kubernetes.nodes;
    if (node === undefined) throw new Error('the sample has no node');
    const [few, more] = await Promise.all([
      markIn([node]),
      markIn([node, { ...node, host: 'new', address: '10.7.7.7' }]),
    ]);
    expect([few[0].includes('10.7.7.7'), more[0].includes('10.7.7.7'), few[1] === more[1]]).toEqual([
      false,
      true,
      true,
    ]);
  });

  test('of an earlier inventory go, and a process that still has them is restarted, whoever removed the file', async () => {
    expect(resources().map(({ address }) => address)).toContain(`absent:${DROP_IN}`);
    const told = await restart({}, '/usr/bin/containerd', 'abc');
    expect(told.join()).toContain('restart containerd');
    expect(told.join()).toContain('the process has proxies of an earlier inventory');
  });

  test('that the process has are no reason; those that it has not are', async () => {
    const text = await textOf(DROP_IN, resources({ pullProxies: PROXIES }));
    const [, mark = ''] = /PROVISION_PROXIES=(\w+)/.exec(text) ?? [];
    expect((await restart({ pullProxies: PROXIES }, '/usr/bin/containerd', mark)).join()).not.toContain('proxies');
    expect((await restart({ pullProxies: PROXIES }, '/usr/bin/containerd', 'abc')).join()).toContain(
      'the process has not these proxies',
    );
  });
});

describe('releases in place of packages', () => {
  test('have links, a unit of ours, and no package', () => {
    expect(resources({ releases: RELEASES }).map(({ address }) => address)).toEqual([
      'cgroup-driver',
      'node-release:runc',
      'node-release:containerd',
      'directory:/etc/containerd',
      'file:/etc/containerd/config.toml',
      'file:/etc/crictl.yaml',
      'file:/etc/systemd/system/containerd.service',
      `absent:${DROP_IN}`,
      'service:containerd',
      'held-packages:containerd,containerd.io',
    ]);
  });

  test('need a runc, which a package would bring', async () => {
    const { containerd } = RELEASES;
    const [, needed] = resources({ releases: containerd === undefined ? {} : { containerd } });
    const places = ['/usr/local/sbin/runc', '/usr/local/bin/runc', '/usr/sbin/runc', '/usr/bin/runc'];
    const paths = Object.fromEntries(places.map((path) => [path, false]));
    await expect(needed?.plan(fakeProbe({ paths }))).rejects.toMatchObject({ code: 'no-runc' });
    expect(await needed?.plan(fakeProbe({ paths: { ...paths, '/usr/sbin/runc': true } }))).toEqual({
      kind: 'unchanged',
    });
  });

  test.each([
    [{}, RELEASED, /names no release/],
    [{}, '/usr/bin/containerd', undefined],
    [{ releases: RELEASES }, RELEASED, undefined],
  ])('of an earlier inventory go on, and are reported: %j %s', async (changes, program, told) => {
    const service = resources(changes).find(({ address }) => address === 'service:containerd');
    const doubt = await service?.doubt?.(
      fakeProbe({ 'runtime-processes': { containerd: { program, proxies: undefined } } }),
    );
    expect(told === undefined ? doubt : told.test(doubt ?? '')).toBe(told === undefined ? undefined : true);
  });

  test('are started by a unit as upstream has it', async () => {
    const path = '/etc/systemd/system/containerd.service';
    const text = await textOf(path, resources({ releases: RELEASES }), asked(false, KUBEADM));
    expect(text).toContain('\nExecStart=/usr/local/bin/containerd\n');
    expect(text).toContain('\nKillMode=process\n');
    expect(text).toContain('\nOOMScoreAdjust=-999\n');
    expect(await textOf(path, resources({ releases: RELEASES }), asked(true, KUBEADM))).toContain('OOMScoreAdjust=0');
  });

  test.each([
    ['/usr/bin/containerd', `the process is /usr/bin/containerd, not ${RELEASED}`],
    [RELEASED, 'changes'],
    [undefined, 'start containerd'],
  ])('a process that was started from %s', async (program, told) => {
    expect((await restart({ releases: RELEASES }, program)).join()).toContain(told);
  });

  test('a process that was started from the release of now is no reason', async () => {
    expect((await restart({ releases: RELEASES }, RELEASED)).join()).not.toContain('the process is');
  });
});

describe('the configuration of crictl', () => {
  const path = '/etc/crictl.yaml';
  const crictl = resources().find(({ address }) => address === `file:${path}`);
  const found = (origin: unknown): ReturnType<typeof fakeProbe> =>
    fakeProbe({
      'file-states': {
        [path]: { kind: 'file', owner: 'root', group: 'root', mode: '0644', sha256: 'x', changedAt: 1 },
      },
      'file-contents': { [path]: 'runtime-endpoint: unix:///var/run/crio/crio.sock\n' },
      'file-origins': { [path]: origin },
    });

  test('of another tool stays, and is named', async () => {
    const probe = found({ kind: 'foreign', lines: 1 });
    expect(await crictl?.plan(probe)).toEqual({ kind: 'unchanged' });
    expect(await crictl?.doubt?.(probe)).toBe(
      '/etc/crictl.yaml was written by another tool, and stays: crictl asks the runtime that it names',
    );
  });

  test('asks where containerd listens', async () => {
    const text = await textOf(path, resources());
    expect(text.split('\n').slice(1)).toEqual([
      'runtime-endpoint: unix:///run/containerd/containerd.sock',
      'image-endpoint: unix:///run/containerd/containerd.sock',
      '',
    ]);
  });

  test('of ours is updated without a word', async () => {
    const probe = found({ kind: 'ours' });
    expect(await crictl?.plan(probe)).toMatchObject({ kind: 'change' });
    expect(await crictl?.doubt?.(probe)).toBeUndefined();
  });
});
