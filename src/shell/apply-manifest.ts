import { gzipSync } from 'node:zlib';
import type { Command } from '../model/remote.js';
import { KUBECTL } from './drain-node.js';
import { quote } from './quote.js';

/** Who sets the fields that a manifest has, in the words of server-side apply. */
const MANAGER = '--server-side --field-manager=provision';

/** Until objects of a kind that the same manifest defines are known, which takes seconds. */
const TRIES = 30;

/** Lines that print `STATUS BASE64` of what `kubectl diff` says: it asks the API server what an apply would come to, which keeps none of it. */
export function manifestDiffScript(manifest: string): string {
  const packed = gzipSync(manifest).toString('base64');
  // Its temporary files are where only root can look. A difference has all lines: which of them count is decided by what they are in.
  return [
    `out=$(printf %s ${quote(packed)} | base64 -d | gunzip | TMPDIR=/run KUBECTL_EXTERNAL_DIFF='diff -N -U999999' ${KUBECTL} --request-timeout=30s diff ${MANAGER} -f - 2>&1); status=$?`,
    `printf '%s %s\\n' "$status" "$(printf '%s\\n' "$out" | base64 -w0)"`,
  ].join('\n');
}

/** On a control plane: applies a manifest. @param name of its file, for people */
export function applyManifest(name: string, manifest: string): Command {
  return {
    summary: `kubectl apply --server-side -f ${name}`,
    timeoutMs: 300_000,
    stdin: manifest,
    script: [
      'set -eu',
      'manifest=$(cat)',
      `for _ in $(seq ${TRIES}); do`,
      `  if out=$(printf '%s\\n' "$manifest" | ${KUBECTL} apply ${MANAGER} -f - 2>&1); then exit 0; fi`,
      "  case $out in *'no matches for kind'*) sleep 1 ;; *) break ;; esac",
      'done',
      `printf '%s\\n' "$out" | grep -v 'serverside-applied$' >&2`,
      'exit 1',
    ].join('\n'),
  };
}

/** Where the cluster itself has the list of what was applied. */
const LIST = { namespace: 'kube-system', name: 'provision-network' };

/** An object, by the words that kubectl finds it by. */
interface NamedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** A line that prints `STATUS BASE64 BASE64` of the list of what was applied, and of what was said beside it; nothing where there is none. */
export function askAppliedObjects(): string {
  return answered(`-n ${LIST.namespace} get configmap ${LIST.name} --ignore-not-found -o 'jsonpath={.data.objects}'`);
}

const MANAGERS = '{range .metadata.managedFields[*]}{.manager}/{.operation} {end}';

/** A line that prints the same of who set fields of an object: `MANAGER/Apply …`. */
export function askObject(object: NamedObject): string {
  return answered(`get ${found(object)} --ignore-not-found -o ${quote(`jsonpath=${MANAGERS}`)}`);
}

function answered(words: string): string {
  const ask = `out=$(${KUBECTL} --request-timeout=30s ${words} 2>&4); printf '%s %s ' $? "$(printf %s "$out" | base64 -w0)" >&3`;
  // What it warns of is no answer, and an answer with a warning beside it may be half of one.
  return `{ err=$({ ${ask}; } 4>&1); printf '%s\\n' "$(printf %s "$err" | base64 -w0)"; } 3>&1`;
}

function found({ apiVersion, kind, namespace, name }: NamedObject): string {
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  // Of what has no namespace, kubectl passes it over.
  return `${quote(group === '' ? kind : `${kind}.${version}.${group}`)} ${quote(name)} -n ${quote(namespace === '' ? 'default' : namespace)}`;
}

/** On a control plane: keeps the list of what was applied, one line an object. */
export function keepAppliedObjects(lines: readonly string[]): Command {
  const list = { apiVersion: 'v1', kind: 'ConfigMap', metadata: LIST, data: { objects: lines.join('\n') } };
  return {
    summary: `note what was applied in ConfigMap ${LIST.namespace}/${LIST.name}`,
    stdin: JSON.stringify(list),
    script: `${KUBECTL} --request-timeout=30s apply ${MANAGER} --force-conflicts -f - >/dev/null`,
  };
}
