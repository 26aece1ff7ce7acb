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
