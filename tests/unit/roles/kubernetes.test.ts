import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { etcdRegistry } from '../../../src/facts/etcd-registry.js';
import type { Change, Outcome, Resource } from '../../../src/model/change.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { JOIN_MARKS } from '../../../src/model/kubeadm.js';
import type { JoinSeen } from '../../../src/model/kubernetes.js';
import { kubernetesBeginRole, kubernetesFinishRole, kubernetesJoinRole } from '../../../src/roles/kubernetes/role.js';
import type { Role } from '../../../src/roles/role.js';
import { MADE_BEFORE_KUBELET } from '../../../src/shell/finish-join.js';
import { kubernetesJoined } from '../../../src/resources/kubernetes-joined.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { kubernetesHost, registryHost } from '../../support/kubernetes-hosts.js';
import { SAMPLE_APISERVER, SAMPLE_CLUSTER, sampleNode } from '../../support/sample-cluster.js';
import { scratch } from '../../support/scratch.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';

const NODES = [
  sampleNode('cp-1', 'control-plane'),
  { ...sampleNode('cp-2', 'control-plane'), address: '10.0.0.12' },
  sampleNode('worker-1', 'worker'),
];
const CLUSTER = {
  ...SAMPLE_CLUSTER,
  controlPlanes: ['cp-1', 'cp-2'].flatMap((host) => SAMPLE_CLUSTER.controlPlanes.map((each) => ({ ...each, host }))),
  kubernetes: { ...SAMPLE_CLUSTER.kubernetes, nodes: NODES },
};

type Hosts = Readonly<Record<string, FakeAnswers>>;
const BARE: Hosts = {
  ...Object.fromEntries(NODES.map((node) => [node.host, kubernetesHost(node.host, 'bare')])),
  ...Object.fromEntries([1, 2, 3].map((number) => [`etcd-${number}`, registryHost(number, false, 'silent')])),
};
const withHosts = (changes: Hosts): Hosts => ({ ...BARE, ...changes });
const etcdWith = (...registries: readonly string[]): Hosts =>
  Object.fromEntries(
    registries.map((registry, index) => [`etcd-${index + 1}`, registryHost(index + 1, true, registry)]),
  );

function resourceOf(role: Role, on: string): Resource | undefined {
  return role.resources(namedHost(on), templateInventory([on]), CLUSTER)[0];
}

async function plan(role: Role, on: string, hosts: Hosts): Promise<Outcome | undefined> {
  const probe = fakeProbes(hosts).get(on);
  return probe === undefined ? undefined : resourceOf(role, on)?.plan(probe);
}

async function changeOf(role: Role, on: string, hosts: Hosts): Promise<Change> {
  const outcome = await plan(role, on, hosts);
  if (outcome?.kind !== 'change') throw new Error(`${outcome?.kind ?? 'nothing'} was planned`);
  return outcome.change;
}

const ETCD = { endpoints: ['https://10.0.0.100:2379'], caFile: '/ca', certFile: '/crt', keyFile: '/key' };
const [begin, finish, join] = [kubernetesBeginRole(), kubernetesFinishRole(), kubernetesJoinRole()];
const UNCHANGED = { kind: 'unchanged' };

/** What kubeadm is given for a cluster, as it is shown. */
async function configurationOf(cluster: Cluster): Promise<string> {
  const [resource] = begin.resources(namedHost('cp-1'), templateInventory(['cp-1']), cluster);
  const probe = fakeProbes(BARE).get('cp-1');
  const outcome = probe === undefined ? undefined : await resource?.plan(probe);
  return outcome?.kind === 'change' ? outcome.change.diff.join('\n') : '';
}

describe('where clients find the API servers', () => {
  test.each([
    ['their virtual IP', [...CLUSTER.services, SAMPLE_APISERVER], '10.0.0.200:8443'],
    ['the first one, where they have none', CLUSTER.services, '10.0.0.11:6443'],
  ])('is %s', async (_, services, endpoint) => {
    const text = await configurationOf({ ...CLUSTER, services });
    expect(text).toContain(`"controlPlaneEndpoint": "${endpoint}"`);
    const [, names = ''] = /"certSANs": \[([^\]]*)\]/.exec(text) ?? [];
    expect(names.match(/[\d.]+/g)).toEqual([endpoint.replace(/:.*/, '')]);
  });
});

test.each([
  ['at its virtual IP', CLUSTER.services, ['https://10.0.0.100:2379']],
  [
    'at each member, where it has none',
    [],
    ['https://10.0.0.1:2379', 'https://10.0.0.2:2379', 'https://10.0.0.3:2379'],
  ],
])('the API servers find etcd %s', async (_, services, endpoints) => {
  const text = await configurationOf({ ...CLUSTER, services });
  const [, found = ''] = /"endpoints": \[([^\]]*)\]/.exec(text) ?? [];
  expect(found.match(/https:[^"]+/g)).toEqual(endpoints);
});

describe('the first control plane', () => {
  test('is planned on bare hosts, with what the others will join', async () => {
    expect((await changeOf(begin, 'cp-1', BARE)).summary).toBe('set up the first control plane (kubeadm init)');
    expect((await changeOf(finish, 'cp-1', BARE)).summary).toContain('make the objects of the cluster');
    expect(await plan(join, 'cp-1', BARE)).toEqual(UNCHANGED);
    expect(resourceOf(begin, 'cp-2')).toBeUndefined();
    expect((await changeOf(join, 'cp-2', BARE)).actions).toMatchObject([{ kind: 'join-kubernetes', through: 'cp-1' }]);
    expect((await changeOf(join, 'worker-1', BARE)).summary).toContain('as a worker');
  });

  test.each([
    ['begun', 'change', 'change'],
    ['serving', 'unchanged', 'change'],
    ['joined', 'unchanged', 'unchanged'],
  ] as const)('goes on where a run was killed: %s', async (state, first, rest) => {
    const hosts = withHosts({ 'cp-1': kubernetesHost('cp-1', state), ...etcdWith('used', 'used', 'used') });
    expect((await plan(begin, 'cp-1', hosts))?.kind).toBe(first);
    expect((await plan(finish, 'cp-1', hosts))?.kind).toBe(rest);
  });

  test('that serves is never reset, whoever has joined through it before its run was killed', async () => {
    const hosts = withHosts({
      'cp-1': kubernetesHost('cp-1', 'serving'),
      'cp-2': kubernetesHost('cp-2', 'joined'),
      ...etcdWith('used'),
    });
    expect(await plan(join, 'cp-1', hosts)).toEqual(UNCHANGED);
    expect((await plan(finish, 'cp-1', hosts))?.kind).toBe('change');
  });

  test('is never made a second time: another one serves, or etcd holds one', async () => {
    const served = withHosts({ 'cp-2': kubernetesHost('cp-2', 'joined'), ...etcdWith('used') });
    expect([await plan(begin, 'cp-1', served), await plan(finish, 'cp-1', served)]).toEqual([UNCHANGED, UNCHANGED]);
    expect((await changeOf(join, 'cp-1', served)).actions).toMatchObject([{ through: 'cp-2' }]);
    await expect(plan(begin, 'cp-1', withHosts(etcdWith('empty', 'used', 'silent')))).rejects.toMatchObject({
      code: 'kubernetes-in-etcd',
    });
    await expect(plan(begin, 'cp-1', withHosts({ 'cp-2': UNREACHABLE }))).rejects.toMatchObject({
      code: 'unreachable',
    });
    expect(
      await plan(begin, 'cp-1', withHosts({ 'cp-1': kubernetesHost('cp-1', 'joined'), 'cp-2': UNREACHABLE })),
    ).toEqual(UNCHANGED);
  });

  test('waits for an etcd that is to say whether it is empty', async () => {
    expect(await plan(begin, 'cp-1', withHosts(etcdWith('silent')))).toMatchObject({ kind: 'unknown' });
    expect((await plan(begin, 'cp-1', withHosts(etcdWith('silent', 'empty'))))?.kind).toBe('change');
    expect(etcdRegistry.parse('used\nsilent\n', ['a', 'b']).get('b')).toBe('silent');
    expect(() => etcdRegistry.parse('', ['a'])).toThrow();
  });

  test('is asked of etcd once more by the host itself, at the last moment', async () => {
    const [action] = (await changeOf(begin, 'cp-1', BARE)).actions;
    const script = action?.kind === 'run' ? action.command.script : '';
    expect(script.indexOf('/v3/kv/range')).toBeGreaterThan(0);
    expect(script.indexOf('/v3/kv/range')).toBeLessThan(script.indexOf('init phase'));
    expect(Buffer.from('L3JlZ2lzdHJ5Lw==', 'base64').toString()).toBe('/registry/');
    expect(script).toContain('L3JlZ2lzdHJ5Lw==');
  });
});

describe('a host that joins', () => {
  const served = withHosts({ 'cp-1': kubernetesHost('cp-1', 'joined') });

  test('is reset first where a join was killed, and its node deleted', async () => {
    const change = await changeOf(join, 'worker-1', { ...served, 'worker-1': kubernetesHost('worker-1', 'joining') });
    const [action] = change.actions;
    if (action?.kind !== 'join-kubernetes') throw new Error('no join');
    expect(change.summary).toMatch(/^reset the host, on which a join was interrupted, and join/);
    // Its etcd, and the certificates of that, are no part of it.
    const reset = 'kubeadm reset --force --skip-phases remove-etcd-member --cert-dir /run/provision/none';
    expect(action.join.script).toContain(`${reset} >/dev/null`);
    expect(action.invitation.script).toContain('kubectl delete node worker-1');
    const [clean] = (await changeOf(join, 'worker-1', served)).actions;
    expect(JSON.stringify(clean)).not.toMatch(/kubeadm reset|delete node/);
  });

  test('is let in by the kubeadm of the other host, which is asked in words of its own version', async () => {
    const hosts = { ...served, 'cp-1': kubernetesHost('cp-1', 'joined', 'v1.30.2') };
    const change = await changeOf(join, 'worker-1', {
      ...hosts,
      'worker-1': kubernetesHost('worker-1', 'bare', 'v1.31.0'),
    });
    const [action] = change.actions;
    if (action?.kind !== 'join-kubernetes') throw new Error('no join');
    expect(action.configuration.invitation).toContain('kubeadm.k8s.io/v1beta3');
    expect(action.configuration.join).toContain('kubeadm.k8s.io/v1beta4');
  });

  /** A worker on which a run was killed, or that has joined. @param seen what its API server says of it */
  async function planOf(state: 'joining' | 'joined', seen: JoinSeen): Promise<Outcome> {
    const node = sampleNode('worker-1', 'worker');
    const cluster = { endpoint: '', certSans: [], etcd: ETCD, settings: CLUSTER.kubernetes.settings };
    const controlPlanes = NODES.slice(0, 2);
    const probe = fakeProbes({ ...served, 'worker-1': kubernetesHost('worker-1', state) }).get('worker-1');
    if (probe === undefined) throw new Error('no probe');
    return kubernetesJoined({ node, controlPlanes, cluster, joinSeen: () => Promise.resolve(seen) }).plan(probe);
  }

  test('is never reset where its join was finished, whatever mark a killed run has left', async () => {
    expect(await planOf('joining', 'finished')).toMatchObject({
      kind: 'change',
      change: {
        summary: 'note that its join is finished: the run that began it was killed at the end',
        disruptive: false,
        actions: [
          { kind: 'run-on', on: 'cp-1', command: { script: expect.stringContaining('provision: worker-1 joins') } },
          {
            kind: 'run',
            command: {
              script:
                'set -eu\nrm -f /etc/kubernetes/bootstrap-kubelet.conf\nrm -f /var/lib/provision/kubernetes\nsync /var/lib/provision',
            },
          },
        ],
      },
    });
    expect(await planOf('joined', 'unfinished')).toEqual(UNCHANGED);
  });

  /** A control plane whose node is there, and not marked as one. @param empty a file that a power cut has left so */
  async function planOfControlPlane(empty?: string): Promise<Outcome> {
    const node = { ...sampleNode('cp-2', 'control-plane'), address: '10.0.0.12' };
    const cluster = { endpoint: '', certSans: [], etcd: ETCD, settings: CLUSTER.kubernetes.settings };
    const made = Object.fromEntries(MADE_BEFORE_KUBELET.map((path) => [path, path !== empty]));
    const hosts = { ...served, 'cp-2': { ...kubernetesHost('cp-2', 'joining'), 'has-content': made } };
    const probe = fakeProbes(hosts).get('cp-2');
    if (probe === undefined) throw new Error('no probe');
    const site = {
      node,
      controlPlanes: NODES.slice(0, 2),
      cluster,
      joinSeen: () => Promise.resolve('registered' as const),
    };
    return kubernetesJoined(site).plan(probe);
  }

  test('is finished, not reset, where the API server has its node already', async () => {
    const outcome = await planOfControlPlane();
    if (outcome.kind !== 'change') throw new Error('no change');
    const { summary, diff, disruptive, actions } = outcome.change;
    expect([summary, disruptive]).toEqual([
      'finish the join of the host: its node is there, and the run that began it was killed before the end',
      false,
    ]);
    expect(diff).toEqual([
      '+ annotation kubeadm.alpha.kubernetes.io/cri-socket: /run/containerd/containerd.sock',
      '+ labels and taint of a control plane (kubeadm join phase control-plane-join)',
      '- what the killed run made to let it in, through cp-1',
    ]);
    const [forget, action] = actions;
    expect(forget).toMatchObject({ kind: 'run-on', on: 'cp-1' });
    expect(JSON.stringify(forget)).toMatch(/provision: cp-2 joins.*kubeadm-certs/);
    if (action?.kind !== 'run') throw new Error('no command');
    expect(action.command.script).toContain('with join phase control-plane-join all');
    expect(action.command.script).not.toContain('reset');
    expect(JSON.parse(action.command.stdin as string)).toMatchObject({
      kind: 'JoinConfiguration',
      discovery: { file: { kubeConfigPath: '/etc/kubernetes/admin.conf' } },
      controlPlane: { localAPIEndpoint: { advertiseAddress: '10.0.0.12' } },
    });
    const worker = await planOf('joining', 'registered');
    expect(JSON.stringify(worker)).not.toMatch(/reset|control-plane|stdin/);
    expect(JSON.stringify(worker)).toContain('annotate --overwrite node worker-1');
  });

  test.each(MADE_BEFORE_KUBELET)('is reset all the same where a power cut has left %s empty', async (path) => {
    expect(await planOfControlPlane(path)).toMatchObject({
      change: { summary: expect.stringMatching(/^reset the host, /), disruptive: true },
    });
  });

  test('is not reset where nobody says whether its join was finished', async () => {
    await expect(planOf('joining', { unclear: 'https://10.0.0.101:8443 fails: no route' })).rejects.toMatchObject({
      code: 'node-join-unclear',
      message: expect.stringMatching(/^worker-1: .*: https:\/\/10\.0\.0\.101:8443 fails: no route$/),
      hint: expect.stringContaining(
        'ssh worker-1 sudo kubeadm reset --force --skip-phases remove-etcd-member --cert-dir /run/provision/none',
      ),
    });
    expect(await planOf('joining', 'unfinished')).toMatchObject({ change: { disruptive: true } });
  });

  test('deletes no node but its own, whatever it calls itself', async () => {
    const calling = (name: string): Hosts => {
      const own = { ...kubernetesHost('worker-1', 'joining'), 'node-outline': { node: { name } } };
      return { ...served, 'worker-1': own };
    };
    for (const name of ['--all', '-A', 'a;reboot', '$(reboot)'])
      await expect(plan(join, 'worker-1', calling(name))).rejects.toMatchObject({ code: 'node-unfit' });
    const [action] = (await changeOf(join, 'worker-1', calling('cp-2'))).actions;
    if (action?.kind !== 'join-kubernetes') throw new Error('no join');
    const lines = action.invitation.script.split('\n');
    const from = lines.findIndex((line) => line.startsWith('at=$(kubectl get node'));
    const script = lines.slice(from, lines.indexOf('esac') + 1).join('\n');
    const deleted = (addresses: string): readonly [number | null, string] => {
      const kubectl = `kubectl() { case $1 in get) printf %s '${addresses}' ;; *) echo "$@" >&3 ;; esac; }`;
      const { status, output } = spawnSync('sh', ['-euc', `${kubectl}\n${script}`], {
        ...{ cwd: scratch(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
      });
      return [status, output[3] ?? ''];
    };
    const own = 'delete node cp-2 --ignore-not-found\n';
    expect(deleted('10.0.0.21')).toEqual([0, own]);
    expect(deleted('10.0.0.21 2001:db8::21')).toEqual([0, own]);
    expect(deleted('')).toEqual([0, '']);
    expect(deleted('10.0.0.12')).toEqual([1, '']);
    expect(deleted('10.0.0.210')).toEqual([1, '']);
  });

  test('keeps what others have half made', async () => {
    await expect(
      plan(join, 'worker-1', { ...served, 'worker-1': kubernetesHost('worker-1', 'half-made') }),
    ).rejects.toMatchObject({
      code: 'node-half-made',
    });
  });

  test('is let in by a control plane that can be asked', async () => {
    const hosts = withHosts({ 'cp-1': UNREACHABLE, 'cp-2': kubernetesHost('cp-2', 'joined') });
    expect((await changeOf(join, 'worker-1', hosts)).actions).toMatchObject([{ through: 'cp-2' }]);
  });

  test('no secret of it is in the plan, in an argument or in a file', async () => {
    const [action] = (await changeOf(join, 'cp-2', served)).actions;
    if (action?.kind !== 'join-kubernetes') throw new Error('no join');
    for (const mark of Object.values(JOIN_MARKS)) expect(JSON.stringify(action.configuration)).toContain(mark);
    for (const { script } of [action.invitation, action.join, action.revocation]) {
      expect(script).not.toContain('--token');
      for (const mark of Object.values(JOIN_MARKS)) expect(script).not.toContain(mark);
    }
    // The configuration goes through a pipe: the only file that is written says how far the host is.
    expect(action.join.script.match(/>(?!&|\/dev\/null)\S+/g)).toEqual(['>/var/lib/provision/kubernetes']);
  });
});
