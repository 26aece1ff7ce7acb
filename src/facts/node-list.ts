import { isIP } from 'node:net';
import { isNodeName } from '../model/kubernetes.js';
import type { Fact } from '../model/remote.js';
import { KUBECTL, SET_MARK } from '../shell/drain-node.js';
import { quote } from '../shell/quote.js';

/** A node as Kubernetes lists it. */
export interface ListedNode {
  readonly name: string;
  /** Its internal IP addresses. */
  readonly addresses: readonly string[];
  /** By its label. */
  readonly isControlPlane: boolean;
  /** An upgrade by this program has cordoned it, and it takes no pods yet. */
  readonly isUpgrading: boolean;
}

/** What an API server lists; or that it lists nothing. */
export type NodeListSeen =
  { readonly kind: 'silent' } | { readonly kind: 'listed'; readonly nodes: readonly ListedNode[] };

const LABELS = ['control-plane', 'master'].map((role) => `(eq $label "node-role.kubernetes.io/${role}")`).join(' ');

const TEMPLATE = [
  '{{range .items}}',
  SET_MARK,
  'N{{"\\t"}}{{.metadata.name}}{{"\\t"}}',
  '{{range .status.addresses}}{{if eq .type "InternalIP"}}{{printf "%q" .address}} {{end}}{{end}}{{"\\t"}}',
  `{{range $label, $value := .metadata.labels}}{{if or ${LABELS}}}C{{end}}{{end}}`,
  '{{"\\t"}}{{if .spec.unschedulable}}{{if $mark}}M{{end}}{{end}}{{"\\n"}}{{end}}',
].join('');

/** kubectl goes on trying for minutes; in seconds. */
const LIMIT_S = 15;

/** Key: URL of the API server of the control plane itself, asked there as its administrator: each says what it has. */
export const nodeList: Fact<NodeListSeen> = {
  name: 'node-list',
  script: (servers) =>
    servers
      .map(
        (server) =>
          `printf 'A\\n'; if nodes=$(timeout ${LIMIT_S} ${KUBECTL} --server ${quote(server)} get nodes -o ${quote(`go-template=${TEMPLATE}`)} 2>/dev/null </dev/null); then printf '%s\\nE\\n' "$nodes"; fi`,
      )
      .join('\n'),
  parse(stdout, servers) {
    const parts = stdout.split(/^A$/m).slice(1);
    if (parts.length !== servers.length) throw new Error('not every API server came back');
    return new Map(servers.map((server, index) => [server, readList(parts[index] ?? '')]));
  },
};

function readList(text: string): NodeListSeen {
  const lines = text.split('\n').filter((line) => line !== '');
  if (lines.at(-1) !== 'E') return { kind: 'silent' };
  return { kind: 'listed', nodes: lines.slice(0, -1).map(readNode) };
}

function readNode(line: string): ListedNode {
  const [kind, name = '', addresses = '', roles = '', mark, ...rest] = line.split('\t');
  if (kind !== 'N' || mark === undefined || rest.length > 0 || !isNodeName(name))
    throw new Error('a node without a name came back');
  return {
    name,
    // A kubelet writes them, and may write what it likes.
    addresses: [...addresses.matchAll(/(?<!\S)"([^"\\ ]+)"(?!\S)/g)].flatMap(([, address = '']) =>
      isIP(address) === 0 ? [] : [address],
    ),
    isControlPlane: roles !== '',
    isUpgrading: mark === 'M',
  };
}
