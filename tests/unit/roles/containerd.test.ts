import { describe, expect, test } from '@jest/globals';
import { kubeadmOutline } from '../../../src/facts/kubeadm-outline.js';
import type { Resource } from '../../../src/model/change.js';
import type { KubernetesSettings } from '../../../src/model/kubernetes.js';
import { cgroupDriver } from '../../../src/resources/cgroup-driver.js';
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

  test('of ours is updated without a word', async () => {
    const probe = found({ kind: 'ours' });
    expect(await crictl?.plan(probe)).toMatchObject({ kind: 'change' });
    expect(await crictl?.doubt?.(probe)).toBeUndefined();
  });
});
