import { describe, expect, test } from '@jest/globals';
import type { Outcome } from '../../../src/model/change.js';
import { kubeconfigServer } from '../../../src/resources/kubeconfig-server.js';
import { kubeletServer, type KubeletServerOptions } from '../../../src/resources/kubelet-server.js';
import { fakeProbe, type FakeAnswers } from '../../support/fake-probe.js';
import { adminConf, kubeletConf } from '../../support/kubeconfigs.js';
import { shownChange } from '../../support/shown-change.js';
import { expectRefused } from '../../support/refusals.js';

const PATH = '/etc/kubernetes/kubelet.conf';
const ADMIN = '/etc/kubernetes/admin.conf';
const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const OLD = 'https://10.0.0.11:6443';
const VIP = 'https://10.0.0.101:8443';
const ENDPOINT = { ip: '10.0.0.101', name: 'api.example.com', port: 8443 };
const WAY = 'vip-answers-kubeconfigs: kube-apiserver';
const AFTER = { kind: 'await', gate: 'kubelet-ready', parameters: {} } as const;
const WORKER: KubeletServerOptions = { endpoint: ENDPOINT, way: WAY, after: AFTER, controlPlane: undefined };

function stateOf(changedAt: number): object {
  return { kind: 'file', owner: 'root', group: 'root', mode: '0600', changedAt, sha256: 'x' };
}

interface Host {
  readonly text?: string | undefined;
  readonly path?: string;
  readonly startedAt?: number | undefined;
  readonly connections?: readonly object[];
  readonly changedAt?: number;
  readonly manifest?: string;
}

/** A node whose kubelet was started at 1000. */
function node({ text, path = PATH, startedAt = 1000, connections = [], changedAt = 500, manifest }: Host): FakeAnswers {
  const argv = ['/usr/bin/kubelet', `--kubeconfig=${path}`];
  return {
    'kubelet-processes': { kubelet: [{ pid: 7, argv, connections }] },
    units: { kubelet: { active: startedAt > 0, startedAt } },
    'file-contents': { [PATH]: undefined, [path]: text, [MANIFEST]: manifest },
    'file-states': {
      [PATH]: { kind: 'absent' },
      [path]: text === undefined ? { kind: 'absent' } : stateOf(changedAt),
    },
  };
}

function actionsOf(outcome: Outcome): readonly string[] {
  if (outcome.kind !== 'change') return [outcome.kind];
  return outcome.change.actions.map((action) => {
    if (action.kind === 'write-file') return `write ${action.path} ${action.owner}:${action.group} ${action.mode}`;
    if (action.kind === 'await') return `await ${action.gate} ${JSON.stringify(action.parameters)}`;
    return action.kind === 'run' ? action.command.summary : action.kind;
  });
}

describe('the kubelet of a worker', () => {
  const plan = async (host: Host, options = WORKER): Promise<Outcome> =>
    kubeletServer(options).plan(fakeProbe(node(host)));

  test('is moved: the way is proved, the file alone changes, it is restarted, and waited for', async () => {
    const outcome = await plan({ text: kubeletConf(OLD) });
    expect(actionsOf(outcome)).toEqual([
      `await ${WAY} {"path":"${PATH}"}`,
      `write ${PATH} root:root 0600`,
      'systemctl restart kubelet',
      'await kubelet-ready {}',
    ]);
    expect(shownChange(outcome)).toEqual([
      `set the server of ${PATH} to ${VIP}, and restart the kubelet: pods go on`,
      ...['@@ line 5 @@', `- server: ${OLD}`, `+ server: ${VIP}`, '  all else stays, byte by byte'],
      ...[`wait for ${WAY} {"path":"${PATH}"}`, `write ${PATH} root:root 0600`],
      ...[
        '$ systemctl restart kubelet',
        'back: systemctl restart kubelet',
        'wait for kubelet-ready {}',
        'clients notice',
      ],
    ]);
    const [, write] = outcome.kind === 'change' ? outcome.change.actions : [];
    expect(write?.kind === 'write-file' ? write.content.reveal() : '').toBe(kubeletConf(VIP));
  });

  test('is left alone where it uses the virtual IP, by address or by name', async () => {
    for (const server of [VIP, 'https://api.example.com:8443'])
      expect(await plan({ text: kubeletConf(server) })).toEqual({ kind: 'unchanged' });
  });

  test('has the kubeconfig that its process says', async () => {
    const path = '/srv/kubelet.conf';
    expect(actionsOf(await plan({ path, text: kubeletConf(OLD) }))).toContain(`write ${path} root:root 0600`);
  });

  test('is restarted where a run was killed before that', async () => {
    const connections = [{ address: '10.0.0.11', port: 6443 }];
    const outcome = await plan({ text: kubeletConf(VIP), changedAt: 1001, connections });
    expect(shownChange(outcome)).toEqual([
      `restart the kubelet: it does not use ${VIP} yet`,
      `because ${PATH} is newer than the running process, which has no connection to ${VIP}`,
      ...[`wait for ${WAY} {"path":"${PATH}"}`, '$ systemctl restart kubelet', 'back: systemctl restart kubelet'],
      ...['wait for kubelet-ready {}', 'clients notice'],
    ]);
  });

  const [ELSEWHERE, THERE] = [
    { address: '10.0.0.11', port: 6443 },
    { address: '10.0.0.101', port: 8443 },
  ];
  test.each([
    ['is not restarted for a file that it wrote itself, when its node joined', [[THERE]], false],
    ['nor where it is connected elsewhere, too', [[ELSEWHERE, THERE]], false],
    ['nor where another of its processes is', [[], [THERE]], false],
    ['is restarted where it is connected to another port', [[{ ...THERE, port: 6443 }]], true],
    ['is restarted where it is connected to another address', [[{ ...THERE, address: '10.0.0.11' }]], true],
    ['is restarted where it is not connected', [[]], true],
  ])('%s', async (_, connected, isRestarted) => {
    const answers = node({ text: kubeletConf(VIP), changedAt: 1001 });
    const kubelet = connected.map((connections) => ({ pid: 7, argv: ['/usr/bin/kubelet'], connections }));
    const outcome = await kubeletServer(WORKER).plan(fakeProbe({ ...answers, 'kubelet-processes': { kubelet } }));
    expect(outcome.kind).toBe(isRestarted ? 'change' : 'unchanged');
  });

  test.each([
    ['has no kubeconfig', { text: undefined }, /there is no \/etc\/kubernetes\/kubelet\.conf/],
    ['does not run', { text: kubeletConf(OLD), startedAt: 0 }, /does not run/],
  ])('is refused where it %s', async (_, host, message) => {
    await expect(plan(host)).rejects.toMatchObject({ code: 'no-kubelet', message: expect.stringMatching(message) });
  });

  test('is refused while planning where the way could not be proved with its credentials', async () => {
    const text = kubeletConf(OLD).replace(/client-certificate: .*/, 'token: U0VDUkVU');
    await expectRefused(plan({ text }), 'kubeconfig-unreadable');
  });
});

describe('the kubelet of a control plane', () => {
  const options = { ...WORKER, controlPlane: { address: '10.0.0.11', manifest: MANIFEST } };
  const image = (tag: string): string => `    image: registry.k8s.io/kube-apiserver:${tag}\n`;
  const seen = (server: string, tag: string) => fakeProbe(node({ text: kubeletConf(server), manifest: image(tag) }));

  test.each([
    ['its own API server, as kubeadm had it before', OLD, 'v1.32.9', 4],
    ['the one of another host', 'https://10.0.0.12:6443', 'v1.34.1', 4],
    ['its own API server', OLD, 'v1.33.0', 1],
    ['its own API server, by loopback', 'https://127.0.0.1:6443', 'v1.34.1', 1],
    ['its own API server, by loopback of IPv6', 'https://[::1]:6443', 'v1.34.1', 1],
    ['its own API server, by the name of loopback', 'https://localhost:6443', 'v1.34.1', 1],
    ['its own API server of a version that is not known', OLD, 'latest', 1],
  ])('uses %s (%s, %s): %i actions', async (_, server, tag, count) => {
    expect(actionsOf(await kubeletServer(options).plan(seen(server, tag)))).toHaveLength(count);
  });

  test('says that it stays', async () => {
    expect(await kubeletServer(options).doubt?.(seen(OLD, 'v1.33.0'))).toMatch(
      /stays with the API server of its own host/,
    );
    expect(await kubeletServer(options).doubt?.(seen(OLD, 'v1.20.2'))).toBeUndefined();
  });
});

describe("an administrator's kubeconfig", () => {
  const resource = kubeconfigServer({ path: ADMIN, endpoint: ENDPOINT, way: WAY });

  test('is moved, and nothing is restarted; its key is neither in the diff nor in what a plan keeps', async () => {
    const host = fakeProbe({ 'file-contents': { [ADMIN]: adminConf(OLD) }, 'file-states': { [ADMIN]: stateOf(1) } });
    const outcome = await resource.plan(host);
    expect([resource.address, resource.paths]).toEqual([`kubeconfig:${ADMIN}`, [ADMIN]]);
    expect(shownChange(outcome)).toEqual([
      `set the server of ${ADMIN} to ${VIP}`,
      ...[
        expect.stringMatching(/^@@ line \d+ @@$/),
        `- server: ${OLD}`,
        `+ server: ${VIP}`,
        '  all else stays, byte by byte',
      ],
      ...[`wait for ${WAY} {"path":"${ADMIN}"}`, `write ${ADMIN} root:root 0600`],
    ]);
    if (outcome.kind !== 'change') throw new Error('no change');
    const [, write] = outcome.change.actions;
    if (write?.kind !== 'write-file') throw new Error('no file');
    const secret = 'U0VDUkVULUtFWQ==';
    expect(write.content.reveal()).toContain(secret);
    expect(write.content.redacted).toBe(`server: ${VIP}\n`);
    expect(JSON.stringify([outcome.change.diff, outcome.change.summary, write.content.redacted])).not.toContain(secret);
  });

  test('is not made where there is none, and that is said', async () => {
    const host = fakeProbe({ 'file-contents': { [ADMIN]: undefined }, 'file-states': { [ADMIN]: { kind: 'absent' } } });
    expect(await resource.plan(host)).toEqual({ kind: 'unchanged' });
    expect(await resource.doubt?.(host)).toBe(`there is no ${ADMIN}: nothing to change`);
  });
});
