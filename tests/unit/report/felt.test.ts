import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { feltOf } from '../../../src/report/plan-overview.js';

// Whoever adds a change that clients may notice says what they feel of it: the count of its file is another one then.

/** File → how many of its changes are, or may be, disruptive, and the resources whose changes they are. */
const FELT: Readonly<Record<string, readonly [count: number, ...addresses: string[]]>> = {
  'day-two/defrag-plays.ts': [1, 'etcd-defrag:etcd-1'],
  'day-two/recover-plays.ts': [3, 'restore:fenced', 'restore:unpacked', 'restore:exchanged'],
  'day-two/restart-plays.ts': [2, 'restore:restarted', 'restore:workers-restarted'],
  'day-two/restore-plays.ts': [1, 'restore:exchanged'],
  'day-two/restore-service-steps.ts': [1, 'restore:apiserver-stopped'],
  'day-two/restore-step.ts': [1, 'restore:started'],
  'day-two/take-back-plays.ts': [1, 'restore:back-stopped'],
  'resources/certificate.ts': [1, 'certificate:/etc/etcd/pki/server.crt'],
  'resources/drained-node.ts': [1, 'kubernetes:drained', 'node-upgrade:drained'],
  'resources/etcd-member.ts': [1, 'etcd-member:etcd-1'],
  'resources/firewall.ts': [1, 'firewall:inet provision'],
  'resources/freed-balancer.ts': [1, 'freed-balancer:etcd'],
  'resources/joining-steps.ts': [1, 'member-open:etcd-1'],
  'resources/kubelet-server.ts': [2, 'kubelet-server'],
  'resources/leaving-steps.ts': [2, 'member-stop:etcd-1', 'member-remove:etcd-1'],
  'resources/node-upgrade.ts': [3, 'node-upgrade:finished', 'node-upgrade:packages', 'node-upgrade:reboot'],
  'resources/restarted-static-pod.ts': [1, 'static-pod-start:/etc/kubernetes/manifests/kube-scheduler.yaml'],
  'resources/retired-unit.ts': [1, 'retired:haproxy'],
  'resources/service.ts': [1, 'service:haproxy'],
  'resources/static-pod-arguments.ts': [1, 'static-pod:/etc/kubernetes/manifests/kube-apiserver.yaml'],
  'resources/trust-bundle.ts': [1, 'trust:/etc/etcd/pki/ca.crt'],
};

/** Of these nobody knows more than that connections may end, for the reason that is given. */
const OTHERWISE: Readonly<Record<string, readonly [count: number, reason: string]>> = {
  'resources/down-mark.ts': [1, 'it is the change of the service that it is about'],
  'resources/file.ts': [1, 'a file of others is replaced: what reads it is not known'],
  'resources/kubernetes-former.ts': [1, 'the node was drained before'],
  'resources/kubernetes-joined.ts': [1, 'a half-joined host is reset, which serves nobody'],
  'resources/kubernetes-manifest.ts': [1, 'what the objects of a network are is not known'],
};

const ROOMS = ['day-two', 'resources', 'roles', 'proxies'];

/** Of each file, how often it says that a change is disruptive, or may be. */
function countsOf(texts: ReadonlyMap<string, string>): Readonly<Record<string, number>> {
  const said = /\bdisruptive: (?!false\b|boolean\b)/g;
  const counts = [...texts].map(([file, text]) => [file, text.match(said)?.length ?? 0] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

const FILES = ROOMS.flatMap((room) =>
  readdirSync(join('src', room), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(room, name)),
);
const TEXTS = new Map(FILES.map((file) => [file, readFileSync(join('src', file), 'utf8')]));
const KNOWN = Object.fromEntries(
  [...Object.entries(FELT), ...Object.entries(OTHERWISE)].map(([file, [count]]) => [file, count]),
);

describe('what clients feel of a change that is disruptive', () => {
  test('is known of each that there is, or why it is not', () => {
    expect(countsOf(TEXTS)).toEqual(KNOWN);
  });

  test.each(Object.values(FELT).flatMap(([, ...addresses]) => addresses))('is said: %s', (address) => {
    expect(feltOf(address)).not.toContain('docs/what-clients-feel.md');
  });

  test('is asked of one that is planted', () => {
    const planted = 'disruptive: false, disruptive: isBusy, disruptive: boolean; disruptive: true';
    expect(countsOf(new Map([['x.ts', planted]]))).toEqual({ 'x.ts': 2 });
  });
});
