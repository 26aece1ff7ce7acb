import type { Fact } from '../model/remote.js';
import { isNodeName } from '../model/kubernetes.js';
import { KUBECTL, SET_MARK } from '../shell/drain-node.js';
import { quote } from '../shell/quote.js';

/** A node of Kubernetes, and its pods, for who takes it away. */
export interface ClusterNode {
  readonly name: string;
  /** Of the machine that it is (machine-id(5)), as its kubelet says; empty: it does not. */
  readonly machine: string;
  /** New pods may come to it. */
  readonly takesPods: boolean;
  /** This program has cordoned it for an upgrade, which is to be over by and by, and nobody else has since. */
  readonly isMarked: boolean;
  /** `unknown`: its kubelet has said nothing for a while. */
  readonly ready: 'true' | 'false' | 'unknown';
  /** Those that a drain evicts, `namespace/name`: neither of a DaemonSet nor static. */
  readonly evicted: readonly string[];
  /** Those of {@link evicted} that nobody would make again elsewhere. */
  readonly unowned: readonly string[];
  /** Disruption budgets of their namespaces that allow nothing at the moment, `namespace/name`; absent: not known. */
  readonly budgets: readonly string[] | undefined;
}

/** What a control plane says: or why it says nothing. */
export type ClusterNodesSeen = { readonly silent: string } | { readonly nodes: readonly ClusterNode[] };

const TAB = '{"\\t"}';
// A kubelet writes the status and the annotations of its own node, and may write what it likes: quoted, no line of it is one of ours.
const NODES = [
  SET_MARK,
  '{{.metadata.name}}',
  '{{"\\t"}}{{if .spec.unschedulable}}true{{end}}',
  '{{"\\t"}}{{range .status.conditions}}{{if eq .type "Ready"}}{{if eq .status "True"}}True{{else if eq .status "False"}}False{{end}}{{end}}{{end}}',
  '{{"\\t"}}{{range .status.addresses}}{{if eq .type "InternalIP"}}{{printf "%q" .address}} {{end}}{{end}}',
  '{{"\\t"}}{{if $mark}}marked{{end}}',
  '{{"\\t"}}{{printf "%q" .status.nodeInfo.machineID}}{{"\\n"}}',
].join('');
const PODS = ['{.metadata.namespace}/{.metadata.name}', '{.metadata.ownerReferences[*].kind}', '{.status.phase}'].join(
  TAB,
);
const BUDGETS = ['{.metadata.namespace}/{.metadata.name}', '{.status.disruptionsAllowed}'].join(TAB);

const each = (fields: string): string => quote(`jsonpath={range .items[*]}${fields}{"\\n"}{end}`);

/** Key: an IP address. The nodes that have it, asked on a control plane as its administrator. */
export const clusterNodes: Fact<ClusterNodesSeen> = {
  name: 'cluster-nodes',
  script: (addresses) =>
    [
      `ask() { ${KUBECTL} --request-timeout=20s get "$@" 2>/dev/null </dev/null; }`,
      // Its warnings are no part of an answer; only why there is none is asked for.
      `silent() { printf 'S\\t%s\\n' "$(${KUBECTL} --request-timeout=20s get "$1" -A -o name 2>&1 >/dev/null </dev/null | tr '\\n' ' ' | cut -c 1-300)"; }`,
      `if nodes=$(ask nodes -o ${quote(`go-template={{range .items}}${NODES}{{end}}`)}); then`,
      ...addresses.map(
        (address) =>
          `printf 'A\\n'; printf '%s\\n' "$nodes" | awk -F '\\t' -v at=${quote(`"${address}"`)} '{ n = split($4, all, " "); for (i = 1; i <= n; i++) if (all[i] == at) { print $1 "\\t" ($2 == "" ? "-" : $2) "\\t" ($3 == "" ? "-" : $3) "\\t" ($5 == "" ? "-" : "marked") "\\t" $6; break } }' | while read -r name rest; do
  printf 'N\\t%s\\t%s\\n' "$name" "$rest"
  if pods=$(ask pods -A --field-selector "spec.nodeName=$name" -o ${each(PODS)}); then printf '%s\\n' "$pods" | sed '/./s/^/P\\t/'; else silent pods; fi
done`,
      ),
      `if budgets=$(ask poddisruptionbudgets -A -o ${each(BUDGETS)}); then printf '%s\\n' "$budgets" | sed -n 's/\\t0$//p' | sed 's/^/B\\t/'; else printf 'U\\n'; fi`,
      'else silent nodes; fi',
    ].join('\n'),
  parse(stdout, addresses) {
    const lines = stdout.split('\n').map((line) => line.split('\t'));
    const [silent] = lines.filter(([kind]) => kind === 'S');
    if (silent !== undefined) return new Map(addresses.map((address) => [address, { silent: silent[1] ?? '' }]));
    const budgets = lines.some(([kind]) => kind === 'U')
      ? undefined
      : lines.flatMap((line) => (line[0] === 'B' ? [namespaced(fieldsOf(line, 2)[1])] : []));
    const starts = lines.flatMap(([kind], index) => (kind === 'A' ? [index] : []));
    if (starts.length !== addresses.length) throw new Error('not every address came back');
    return new Map(
      addresses.map((address, index) => {
        const part = lines.slice((starts[index] ?? 0) + 1, starts[index + 1]);
        return [address, { nodes: parseNodes(part, budgets) }];
      }),
    );
  },
};

type Line = readonly string[];

/** Of exactly so many. */
function fieldsOf(line: Line, count: number): Line {
  if (line.length !== count) throw new Error(`a line of ${line.length} fields came back, in place of ${count}`);
  return line;
}

/** `namespace/name`: names go into sentences, and into what a person types. */
function namespaced(found = ''): string {
  const [namespace = '', name = '', ...rest] = found.split('/');
  if (rest.length > 0 || !isNodeName(namespace) || !isNodeName(name)) throw new Error('a pod without a name came back');
  return found;
}

function parseNodes(lines: readonly Line[], budgets: readonly string[] | undefined): readonly ClusterNode[] {
  const starts = lines.flatMap(([kind], index) => (kind === 'N' ? [index] : []));
  return starts.map((start, index) => parseNode(lines.slice(start, starts[index + 1]), budgets));
}

function parseNode([head = [], ...rest]: readonly Line[], budgets: readonly string[] | undefined): ClusterNode {
  const [, name = '', unschedulable, ready = '', mark, machine = ''] = fieldsOf(head, 6);
  if (!isNodeName(name)) throw new Error('a node without a name came back');
  const pods = rest.flatMap((line) => {
    if (line[0] !== 'P') return [];
    const [, pod, owners = '', phase = ''] = fieldsOf(line, 4);
    return [{ pod: namespaced(pod), owners: owners.split(' ').filter((owner) => owner !== ''), phase }];
  });
  const evicted = pods.filter(({ owners }) => !owners.some((owner) => owner === 'DaemonSet' || owner === 'Node'));
  const unowned = evicted.filter(({ owners, phase }) => owners.length === 0 && !ENDED.has(phase));
  const namespaces = new Set(evicted.map(({ pod }) => pod.split('/')[0]));
  return {
    name,
    machine: /^"([0-9A-Za-z-]*)"$/.exec(machine)?.[1] ?? '',
    takesPods: unschedulable !== 'true',
    isMarked: mark === 'marked',
    ready: ready === 'True' ? 'true' : ready === 'False' ? 'false' : 'unknown',
    evicted: evicted.map(({ pod }) => pod),
    unowned: unowned.map(({ pod }) => pod),
    budgets: budgets?.filter((budget) => namespaces.has(budget.split('/')[0])),
  };
}

const ENDED = new Set(['Succeeded', 'Failed']);
