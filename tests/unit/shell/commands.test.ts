import { expect, test } from '@jest/globals';
import type { Command } from '../../../src/model/remote.js';
import { applyManifest, keepAppliedObjects } from '../../../src/shell/apply-manifest.js';
import { finishInstallation, updatePackageLists, upgradePackages } from '../../../src/shell/apt-upgrade.js';
import { startAgain, stopForAWhile } from '../../../src/shell/dead-mans-switch.js';
import { drainNode, uncordonMarked } from '../../../src/shell/drain-node.js';
import { startPod, stopPod } from '../../../src/shell/etcd-pod.js';
import { compactHistory, defragmentMember, disarmNospace } from '../../../src/shell/etcd-space.js';
import { allowBootstrap, forbidBootstrap, moveDataAside, queueEtcd } from '../../../src/shell/etcd-unit.js';
import { endJoinOfHost, finishJoinOfHost } from '../../../src/shell/finish-join.js';
import { keepFirewall, loadKeptFirewall, removeFirewall, takeFirewallBack } from '../../../src/shell/firewall.js';
import { deleteFormerNode, removeForGood, resetFormerNode } from '../../../src/shell/former-node.js';
import { addLearner, allowJoin, endJoin, promoteLearner, removeMember } from '../../../src/shell/join-member.js';
import {
  beginKubernetes,
  finishKubernetes,
  inviteHost,
  joinHost,
  type JoiningHost,
  revokeInvitation,
} from '../../../src/shell/kubeadm.js';
import { backInService, removeLeaving, yieldLeadership } from '../../../src/shell/leave-cluster.js';
import { measureLatency } from '../../../src/shell/measure-latency.js';
import { daemonReload, serviceCommand } from '../../../src/shell/service-command.js';
import { awaitSmokeTest, askSmokeTest, beginSmokeTest, endSmokeTest } from '../../../src/shell/smoke-test.js';
import { endWatch } from '../../../src/shell/watch-endpoint.js';
import { sampleMember } from '../../support/sample-cluster.js';

const [ONE, TWO] = [sampleMember(1), sampleMember(2)];
const REQUEST = { member: ONE, peers: [TWO] };
const POD = { ...ONE, manifest: '/m/etcd.yaml' };
const HOST: JoiningHost = { name: 'w-1', address: '10.0.0.9', kind: 'worker', isHalfJoined: false };
const FILES = { ca: '/ca', certificate: '/crt', key: '/key' };
const MINUTE = 60_000;

// What people read of each, and how long it may take: what is not said ends after the time of all commands.
test.each<[Command, string, number | undefined]>([
  [applyManifest('a.yaml', 'x'), 'kubectl apply --server-side -f a.yaml', 5 * MINUTE],
  [keepAppliedObjects([]), 'note what was applied in ConfigMap kube-system/provision-network', undefined],
  [updatePackageLists(), 'apt-get update', 10 * MINUTE],
  [finishInstallation(), 'dpkg --configure -a', 20 * MINUTE],
  [upgradePackages([]), 'apt-get upgrade', 30 * MINUTE],
  [stopForAWhile('etcd', 30), 'stop etcd, with a timer that starts it again in 30 s', 2 * MINUTE],
  [startAgain('etcd'), 'start etcd again', 2 * MINUTE],
  [drainNode({ name: 'w-1', timeoutS: 300, cordon: 'plain' }), 'kubectl drain w-1', 7 * MINUTE],
  [uncordonMarked('w-1'), 'kubectl uncordon w-1', 2 * MINUTE],
  [
    stopPod(POD),
    expect.stringMatching(/^move \/m\/etcd\.yaml to .*, and wait until its pod has ended$/) as never,
    2 * MINUTE,
  ],
  [startPod(POD), 'move /m/etcd.yaml back, where its data is in its place', undefined],
  [compactHistory(ONE, 7), 'etcdctl compact --physical 7', 61 * MINUTE],
  [defragmentMember(ONE), 'etcdctl defrag', 76 * MINUTE],
  [disarmNospace(ONE), 'etcdctl alarm disarm', undefined],
  [allowBootstrap(), 'allow the cluster to bootstrap', undefined],
  [forbidBootstrap(), 'forbid another bootstrap', undefined],
  [queueEtcd('start', 'etcd'), 'systemctl start --no-block etcd', undefined],
  [queueEtcd('restart', 'etcd'), 'systemctl restart --no-block etcd', undefined],
  [moveDataAside('/data'), 'move /data aside', undefined],
  [endJoinOfHost(), 'remove what a finished join has left', undefined],
  [finishJoinOfHost(HOST, '/run/c.sock'), 'finish the join of w-1', 5 * MINUTE],
  [takeFirewallBack(), 'put table inet provision_etcd back as it was', undefined],
  [keepFirewall(), 'keep table inet provision_etcd: provision-etcd-firewall loads it at boot', undefined],
  [loadKeptFirewall(), 'have provision-etcd-firewall load what is kept', undefined],
  [removeFirewall(), 'remove table inet provision_etcd, and stop provision-etcd-firewall', undefined],
  [resetFormerNode(), 'kubeadm reset', 10 * MINUTE],
  [deleteFormerNode(HOST), 'kubectl delete node w-1', 2 * MINUTE],
  [removeForGood(['/a', '/b']), 'rm /a /b', undefined],
  [removeMember(REQUEST, 'ab'), 'etcdctl member remove ab', 6 * MINUTE],
  [addLearner(REQUEST), 'etcdctl member add m1 --learner', 6 * MINUTE],
  [promoteLearner(REQUEST), 'etcdctl member promote', 6 * MINUTE],
  [allowJoin(REQUEST), 'let it join, as a learner that serves no clients', 6 * MINUTE],
  [endJoin(), 'remove the drop-in of the joining member', undefined],
  [beginKubernetes({ url: 'https://a:1', ...FILES }), 'kubeadm init, up to the control plane', 15 * MINUTE],
  [finishKubernetes(), 'kubeadm init, the objects of the cluster', 15 * MINUTE],
  [inviteHost(HOST), 'let w-1 join', 2 * MINUTE],
  [revokeInvitation(HOST), 'delete the token of w-1', 2 * MINUTE],
  [joinHost(HOST), 'kubeadm join of w-1', 15 * MINUTE],
  [yieldLeadership(ONE, ['etcd-1']), 'hand over etcd leadership, if held', undefined],
  [removeLeaving(REQUEST, 'ab', undefined), 'etcdctl member remove ab', 6 * MINUTE],
  [backInService(ONE), 'start etcd again, where its data is in its place', undefined],
  [measureLatency({ url: 'https://a:1' }), 'measure how fast https://a:1 answers', MINUTE / 2],
  [serviceCommand('start', 'etcd'), 'systemctl start etcd', 2 * MINUTE],
  [daemonReload(), 'systemctl daemon-reload', undefined],
  [beginSmokeTest(), 'kubectl get nodes', MINUTE],
  [awaitSmokeTest('ab'), 'kubectl rollout status (namespace provision-smoke-test-ab)', 4 * MINUTE],
  [askSmokeTest(['10.0.0.1', '10.0.0.2']), 'ask 10.0.0.1, 10.0.0.2', 100_000],
  [endSmokeTest('ab'), 'kubectl delete namespace provision-smoke-test-ab', 2.5 * MINUTE],
  [endWatch('ab'), 'end the measurement', undefined],
])('%#', (command, summary, timeoutMs) => {
  expect([command.summary, command.timeoutMs]).toEqual([summary, timeoutMs]);
  expect(command.script).not.toBe('');
});

test('what is made for others to run says so', () => {
  expect(endWatch('ab').runsBeside).toBe(true);
  expect(daemonReload().script).toBe('systemctl daemon-reload');
});
