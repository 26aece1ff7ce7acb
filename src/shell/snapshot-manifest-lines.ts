import type { Member } from '../model/cluster.js';
import { quote } from './quote.js';
import type { ManifestMarks } from './retire-snapshots.js';
import { SNAPSHOT_UNIT } from './snapshot-unit.js';

/** Of etcdctl's `simple` output: id, status, name, peer URLs, client URLs, is learner. */
const MEMBERS_AS_JSON = [
  '{ gsub(/["\\\\]|[[:cntrl:]]/, "?"); n = split($4, url, ","); urls = ""',
  'for (i = 1; i <= n; i++) urls = urls (i > 1 ? ", " : "") "\\"" url[i] "\\""',
  'printf "%s{ \\"name\\": \\"%s\\", \\"peerUrls\\": [%s] }", (NR > 1 ? ", " : ""), $3, urls }',
].join('\n');

/**
 * Lines that write a manifest as `SnapshotManifest` has it, in `./manifest`, each field on a line of its own. They read what was found of the
 * snapshot: `$name`, `$now`, `$id`, `$status`, `$revision`, `$keys`, `$live`, `$hash`, `$bytes` and `$sha256`.
 */
export function manifestLines(
  { host, name }: Pick<Member, 'host' | 'name'>,
  { cluster, savedBy }: ManifestMarks,
): readonly string[] {
  const from = [quote(JSON.stringify(host)), quote(JSON.stringify(name))].join(' ');
  return [
    `version=$(printf %s "$status" | sed -n 's/.*"version":"\\([0-9A-Za-z.+-]*\\)".*/\\1/p')`,
    `members=$(ctl member list | awk -F ', ' ${quote(MEMBERS_AS_JSON)})`,
    '{',
    `  printf '{\\n  "formatVersion": 1,\\n  "file": "%s",\\n  "cluster": %s,\\n' "$name" ${quote(cluster)}`,
    `  printf '  "clusterId": "%s",\\n  "members": [%s],\\n' "$id" "$members"`,
    `  printf '  "from": { "host": %s, "name": %s, "memberId": "%s" },\\n' ${from} "$(number "$status" member_id)"`,
    `  printf '  "etcdVersion": "%s",\\n  "revision": %s,\\n  "keys": %s,\\n  "hash": %s,\\n' "$version" "$revision" "$keys" "$hash"`,
    `  [ -z "$live" ] || printf '  "liveKeys": %s,\\n' "$live"`,
    `  printf '  "bytes": %s,\\n  "sha256": "%s",\\n  "encryption": "none",\\n' "$bytes" "$sha256"`,
    `  printf '  "fileBytes": %s,\\n  "fileSha256": "%s",\\n' "$bytes" "$sha256"`,
    `  printf '  "savedAt": "%s",\\n  "savedBy": %s,\\n  "tool": "${SNAPSHOT_UNIT}"\\n}\\n' "$(date -u -d "@$now" +%Y-%m-%dT%H:%M:%SZ)" ${quote(savedBy)}`,
    '} >./manifest',
  ];
}
