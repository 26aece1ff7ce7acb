import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { clusterNodes, type ClusterNodesSeen } from '../../src/facts/cluster-nodes.js';
import { drainNode } from '../../src/shell/drain-node.js';
import { scratch } from '../support/scratch.js';

/** `kubectl` as it answers with these words, in a real shell; it warns, as it does of old kinds. */
function sh(
  script: string,
  kubectl: string,
): { readonly status: number | null; readonly stdout: string; stderr: string } {
  const stub = `kubectl() { echo 'Warning: policy/v1beta1 is deprecated' >&2; case "$*" in ${kubectl} *) echo "unexpected: $*" >&2; return 1 ;; esac; }`;
  return spawnSync('sh', ['-c', `${stub}\n${script}`], { cwd: scratch(), encoding: 'utf8' });
}

const NODES = String.raw`*'get nodes -o go-template'*) cat <<'END'
cp-1		True	"10.0.0.1" 		"c0"
w-1	true	False	"10.0.0.2" "fd00::2" 	marked	"4f"
w-2		True	"10.0.0.22" "x\nvictim\t\tTrue\t10.0.0.9" "y 10.0.0.9" "\"10.0.0.9\"" 		"x\ty z"
END
;;`;
const PODS = String.raw`*'spec.nodeName=w-1'*) printf 'default/web-1\tReplicaSet\tRunning\ndefault/alone\t\tRunning\n' ;; *'spec.nodeName=w-2'*) ;;`;
const BUDGETS = String.raw`*'get poddisruptionbudgets'*) printf 'default/web\t0\ndefault/free\t1\nother/web\t0\nx/y\t10\n' ;;`;

function ask(kubectl: string, ...addresses: readonly string[]): readonly (ClusterNodesSeen | undefined)[] {
  const { stdout } = sh(clusterNodes.script(addresses), kubectl);
  const found = clusterNodes.parse(stdout, addresses);
  return addresses.map((address) => found.get(address));
}

test('nodes are found by exactly their address, with their pods; warnings are none of them', () => {
  const w1 = {
    ...{
      name: 'w-1',
      machine: '4f',
      takesPods: false,
      isMarked: true,
      ready: 'false',
      evicted: ['default/web-1', 'default/alone'],
    },
    ...{ unowned: ['default/alone'], budgets: ['default/web'] },
  };
  expect(ask(`${NODES} ${PODS} ${BUDGETS}`, '10.0.0.2', 'fd00::2', '10.0.0.22', '10.0.0.3', '10.0.0.9')).toEqual([
    { nodes: [w1] },
    { nodes: [w1] },
    {
      nodes: [
        {
          name: 'w-2',
          machine: '',
          takesPods: true,
          isMarked: false,
          ready: 'true',
          evicted: [],
          unowned: [],
          budgets: [],
        },
      ],
    },
    { nodes: [] },
    // What a kubelet writes is one word, whatever it holds.
    { nodes: [] },
  ]);
});

/** `kubectl` that fills the template that it is given, for one object, as a real one does. */
function filling(fields: Readonly<Record<string, string>>): string {
  const known = { ...fields, '"\\t"': '\\t', '"\\n"': '\\n' };
  const filled = Object.entries(known).map(([field, value]) => `s|{${field.replace(/[.*[\]\\]/g, '\\$&')}}|${value}|g`);
  return `for word; do :; done; printf '%s' "$word" | sed ${['s/^jsonpath={range .items[[][*][]]}//', 's/{end}$//', ...filled].map((each) => `-e '${each}'`).join(' ')} ;;`;
}

test('pods and budgets are asked for in the order in which they are read', () => {
  const meta = { '.metadata.namespace': 'default', '.metadata.name': 'web-1' };
  const pods = `*'spec.nodeName=w-1'*) ${filling({ ...meta, '.metadata.ownerReferences[*].kind': 'ReplicaSet Other', '.status.phase': 'Running' })} *'spec.nodeName=w-2'*) ;;`;
  const budgets = `*'get poddisruptionbudgets'*) ${filling({ ...meta, '.status.disruptionsAllowed': '0' })}`;
  expect(ask(`${NODES} ${pods} ${budgets}`, '10.0.0.2')).toMatchObject([
    { nodes: [{ evicted: ['default/web-1'], unowned: [], budgets: ['default/web-1'] }] },
  ]);
  const ended = pods.replace('Running', 'Succeeded').replace('ReplicaSet Other', '');
  expect(ask(`${NODES} ${ended} ${BUDGETS}`, '10.0.0.2')).toMatchObject([{ nodes: [{ unowned: [] }] }]);
  const alone = pods.replace('ReplicaSet Other', '');
  expect(ask(`${NODES} ${alone} ${BUDGETS}`, '10.0.0.2')).toMatchObject([{ nodes: [{ unowned: ['default/web-1'] }] }]);
});

test('what is not answered is not taken for nothing', () => {
  expect(ask(`${NODES} ${PODS}`, '10.0.0.2')).toMatchObject([{ nodes: [{ name: 'w-1', budgets: undefined }] }]);
  expect(ask(`${NODES} ${BUDGETS}`, '10.0.0.2')).toMatchObject([
    { silent: expect.stringContaining('unexpected') as unknown },
  ]);
  expect(ask(BUDGETS, '10.0.0.2')).toMatchObject([{ silent: expect.stringContaining('get nodes') as unknown }]);
});

test.each([
  ['', 'and the node takes pods again', 1],
  ['true', 'and the node stays as it was', 0],
])('a drain that fails names the pods once each; it was unschedulable before: %j %s', (before, _, uncordoned) => {
  const said = String.raw`node/w-1 cordoned\nerror when evicting pods/"a" (will retry after 5s): budget\nerror when evicting pods/"a" (will retry after 5s): budget\nerror: global timeout reached\n`;
  const { status, stderr } = sh(
    drainNode({ name: 'w-1', timeoutS: 20, cordon: 'plain' }).script,
    `*'get node w-1'*) printf 'w-1 ${before}' ;; *' --help'*) echo --delete-emptydir-data ;; *'drain w-1 --ignore-daemonsets --delete-emptydir-data --timeout=20s'*) printf '${said}'; return 1 ;; *'uncordon w-1'*) ;;`,
  );
  expect(status).toBe(1);
  expect(stderr.match(/error when evicting pods\/"a"/g)).toHaveLength(1);
  expect(stderr.match(/the node takes pods again/g) ?? []).toHaveLength(uncordoned);
});
