import { createHash } from 'node:crypto';
import type { Fact } from '../model/remote.js';
import { manifestDiffScript } from '../shell/apply-manifest.js';

/** An object that an apply would change: all of it, without what the API server counts and reports by itself. */
export interface ChangedObject {
  /** As kubectl names it: `apps.v1.DaemonSet.net.agent`. */
  readonly name: string;
  /** Absent: there is none yet. */
  readonly before: string | undefined;
  readonly after: string;
}

/** What applying a manifest would change, as the API server of a control plane sees it. */
export type ManifestDiff =
  | { readonly kind: 'compared'; readonly objects: readonly ChangedObject[] }
  /** Others have set fields that the manifest sets otherwise. */
  | { readonly kind: 'conflict'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

/** Key: the text of a manifest. What an apply would do is its evidence: another answer is another plan. */
export const manifestDiff: Fact<ManifestDiff> = {
  name: 'manifest-diffs',
  isConfidential: true,
  script: (manifests) => manifests.map(manifestDiffScript).join('\n'),
  parse(stdout, manifests) {
    const lines = stdout.split('\n');
    return new Map(manifests.map((manifest, index) => [manifest, parseDiff(lines[index] ?? '')]));
  },
  evidence: (found) => createHash('sha256').update(JSON.stringify(found)).digest('hex'),
};

const MAX_REASON = 400;

function parseDiff(line: string): ManifestDiff {
  const [, status, encoded = ''] = /^(\d+) ([A-Za-z0-9+/=]*)$/.exec(line) ?? [];
  if (status === undefined) throw new Error('no difference came back');
  const text = Buffer.from(encoded, 'base64').toString('utf8').trim();
  // Lines of a diff begin otherwise.
  const first = text.split('\n').find((each) => /^(?:error|Error|Unable|The |unable)/.test(each));
  if (first === undefined && (status === '0' || /^diff /m.test(text)))
    return { kind: 'compared', objects: objectsIn(text) };
  const reason = (first ?? text).slice(0, MAX_REASON);
  return { kind: /conflict/i.test(text) ? 'conflict' : 'failed', reason: reason === '' ? `status ${status}` : reason };
}

/** One section an object, which has all of its lines. */
function objectsIn(text: string): readonly ChangedObject[] {
  return text.split(/^(?=diff )/m).flatMap((section) => {
    const [head = '', ...lines] = section.trimEnd().split('\n');
    const name = /\/([^/\s]+)$/.exec(head)?.[1];
    if (!head.startsWith('diff ') || name === undefined) return [];
    const hunk = lines.filter((line) => !/^(?:---|\+\+\+) \/|^@@ |^\\/.test(line));
    const side = (signs: string): string =>
      wanted(hunk.filter((line) => signs.includes(line[0] ?? ' ')).map((line) => line.slice(1)));
    const [before, after] = [side(' -'), side(' +')];
    return before === after ? [] : [{ name, before: before === '' ? undefined : before, after }];
  });
}

/** Of `metadata`, what the API server counts; and kubectl before v1.21 shows the managers of fields. */
const COUNTED = /^ {2}(?:managedFields|generation|resourceVersion|uid|creationTimestamp|selfLink):/;

/**
 * An object in YAML without what is only reported of it, and what is within that: lists are no further in than their fields. Two reads
 * of a status differ.
 */
function wanted(lines: readonly string[]): string {
  let top = '';
  let within: number | undefined;
  const kept = lines.filter((line) => {
    const depth = line.search(/[^ ]/);
    if (within !== undefined && (depth > within || (depth === within && line.startsWith('- ', depth)))) return false;
    if (depth === 0 && !line.startsWith('- ')) top = line.replace(/:.*/, '');
    const isReported = (depth === 0 && top === 'status') || (top === 'metadata' && COUNTED.test(line));
    within = isReported ? depth : undefined;
    return !isReported;
  });
  return kept.map((line) => `${line}\n`).join('');
}
