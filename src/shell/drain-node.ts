import type { Command } from '../model/remote.js';
import { ADMIN } from './kubeadm.js';
import { quote } from './quote.js';

/** On a control plane: moves the pods of a node elsewhere. */
export interface Drain {
  /** Of the node. */
  readonly name: string;
  readonly timeoutS: number;
  /** `marked`: the node comes back, and {@link uncordonMarked} knows that this program has cordoned it. */
  readonly cordon: 'plain' | 'marked';
}

/** kubectl keeps what it has learnt of an API server beside its kubeconfig; a question leaves nothing. */
export const KUBECTL = `kubectl --kubeconfig ${ADMIN} --cache-dir /dev/null/none`;

/** Annotation of a node that this program has cordoned, and uncordons again: in the next run where this one is killed. */
export const CORDONED = 'provision/cordoned';

/** By what name the API server notes who has set a field (metadata.managedFields). */
const MANAGER = 'provision';

/**
 * Of a node, for a go-template: `$mark` is the mark of this program where its cordon still counts. Who uncordons the node by hand, and
 * cordons it again later, has set the field by then, and the API server notes that in the same request; the mark may be there yet.
 */
export const SET_MARK = [
  `{{$mark := ""}}{{with .metadata.annotations}}{{with index . "${CORDONED}"}}{{$mark = .}}{{end}}{{end}}`,
  '{{range .metadata.managedFields}}{{$manager := printf "%v" .manager}}{{with .fieldsV1}}{{with index . "f:spec"}}',
  `{{range $field, $value := .}}{{if and (eq $field "f:unschedulable") (ne $manager "${MANAGER}")}}{{$mark = ""}}{{end}}{{end}}`,
  '{{end}}{{end}}{{end}}',
].join('');

/** The mark as a JSON pointer (RFC 6901). */
const MARK_PATH = `/metadata/annotations/${CORDONED.replace('/', '~1')}`;

/** A drain that fails says the same of each pod every five seconds. */
const LINES = 12;

/** Both at once: a node is never cordoned by this program without its mark. It is another one for each drain. */
const CORDON = `patch node "$node" --field-manager=${MANAGER} --type merge -p '{"metadata":{"annotations":{"${CORDONED}":"'"$token"'"}},"spec":{"unschedulable":true}}'`;
const UNCORDON = `patch node "$node" --type merge -p ${quote(JSON.stringify({ metadata: { annotations: { [CORDONED]: null } }, spec: { unschedulable: null } }))}`;

/** Only while the mark is that of this drain: where the run was killed, a later one may be at work on the node by then. */
const UNCORDON_OWN = `patch node "$node" --type json -p '[{"op":"test","path":"${MARK_PATH}","value":"'"$token"'"},{"op":"remove","path":"${MARK_PATH}"},{"op":"remove","path":"/spec/unschedulable"}]'`;

/**
 * Evicts the pods of a node, as their disruption budgets let it. Where that takes too long, the node takes pods again, if it did or this
 * program has cordoned it, and which pods are in the way is reported.
 */
export function drainNode({ name, timeoutS, cordon }: Drain): Command {
  const fields = cordon === 'marked' ? MARKED_FIELDS : 'jsonpath={.metadata.name} {.spec.unschedulable}';
  return {
    summary: `kubectl drain ${name}`,
    timeoutMs: (timeoutS + 120) * 1000,
    script: [
      'set -eu',
      `node=${quote(name)}`,
      `was=$(${KUBECTL} get node "$node" --ignore-not-found -o ${quote(fields)})`,
      '[ -n "$was" ] || exit 0',
      // Until v1.20 it had another name.
      'local=--delete-local-data',
      'if kubectl drain --help | grep -q -e --delete-emptydir-data; then local=--delete-emptydir-data; fi',
      ...(cordon === 'marked' ? MARK_LINES : PLAIN_LINES),
      `if out=$(${KUBECTL} drain "$node" --ignore-daemonsets "$local" --timeout=${timeoutS}s 2>&1); then exit 0; fi`,
      `[ -z "$back" ] || { ${KUBECTL} ${cordon === 'marked' ? UNCORDON_OWN : 'uncordon "$node"'} >/dev/null 2>&1 && echo 'the node takes pods again' >&2 || :; }`,
      `printf '%s\\n' "$out" | grep -v -e '^evicting ' -e '^pod/.* evicted$' -e '^node/' | awk '!seen[$0]++' | tail -n ${LINES} >&2`,
      'exit 1',
    ].join('\n'),
  };
}

/** A kubelet may write what it likes into annotations of its own node: none of that is printed. */
const MARKED = '{{if $mark}}marked{{end}}';

/** Name, `true` where it is cordoned, and whether the mark of this program counts. */
const MARKED_FIELDS = `go-template=${SET_MARK}{{.metadata.name}} {{if .spec.unschedulable}}true{{end}} ${MARKED}`;

/** `back`: whether the node is to take pods again where the drain fails. */
const PLAIN_LINES = ['back=yes', 'case $was in *true) back= ;; esac'];

/** A node that is cordoned without a mark was cordoned by others. */
const MARK_LINES = [
  'back=yes',
  `case $was in *' true ') back= ;; esac`,
  'token=$(cat /proc/sys/kernel/random/uuid)',
  `[ -z "$back" ] || ${KUBECTL} ${CORDON} >/dev/null`,
];

/** On a control plane: has a node take pods again that {@link drainNode} has cordoned; one that others have cordoned stays cordoned. */
export function uncordonMarked(name: string): Command {
  return {
    summary: `kubectl uncordon ${name}`,
    timeoutMs: 120_000,
    script: [
      'set -eu',
      `node=${quote(name)}`,
      `mark=$(${KUBECTL} get node "$node" -o ${quote(`go-template=${SET_MARK}${MARKED}`)})`,
      '[ -n "$mark" ] || exit 0',
      `${KUBECTL} ${UNCORDON} >/dev/null`,
    ].join('\n'),
  };
}
