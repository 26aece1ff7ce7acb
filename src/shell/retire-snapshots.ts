import { quote } from './quote.js';

/** What a manifest of a schedule says that no other has: whose cluster it is of, and which host saved it. Texts of JSON. */
export interface ManifestMarks {
  readonly cluster: string;
  readonly savedBy: string;
}

/** How the time in the name of a snapshot looks, as a pattern of the shell; after `$prefix`. */
const TIMES = '????-??-??T??-??-??Z.db';

/**
 * Functions that tell the snapshots of this host and of this cluster apart. They read `$name`, `$prefix`, `$keep` and, of the cluster as it is
 * now, `$id` and `$live`, how many keys it has: of a snapshot
 * only the number of its revisions is known, and a compaction makes that smaller.
 *
 * - `count`: how many good ones there are, the one that was just saved included, in `$good`; in `$larger` those of the same
 *   cluster with more than twice its keys; in `$other` those of another cluster id, which the members had before.
 * - `retire`: removes the oldest of the first two beyond `$keep`, each by its own count. So a cluster that was set up again, or that lost its
 *   keys, pushes out none of what it was before. Those of another cluster id stay.
 */
export function retireFunctions({ cluster, savedBy }: ManifestMarks): readonly string[] {
  return [
    'is_ours() {',
    `  grep -qxF -e ${quote(`  "cluster": ${cluster},`)} "$1" && grep -qxF -e ${quote(`  "savedBy": ${savedBy},`)} "$1"`,
    '}',
    // Of the manifest of a snapshot: a number, or an id in quotes.
    `field() { sed -n "s/^  \\"$1\\": \\"\\{0,1\\}\\([0-9]*\\)\\"\\{0,1\\},$/\\1/p" "$2.json"; }`,
    // What a person copied here, or cut, counts for none, and stays.
    'is_good() {',
    '  [ -f "$1" ] && [ -f "$1.json" ] && is_ours "$1.json" && [ "$(field bytes "$1")" = "$(stat -c %s "$1")" ]',
    '}',
    'kind() {',
    '  if [ "$1" = "../$name" ]; then echo latest',
    '  elif ! is_good "$1"; then echo none',
    '  elif [ "$(field clusterId "$1")" != "$id" ]; then echo other',
    '  elif was=$(field liveKeys "$1") && [ -n "$was" ] && [ -n "$live" ] && [ "$was" -gt $((live * 2)) ]; then echo larger',
    '  else echo good; fi',
    '}',
    'count() {',
    '  good=1 larger=0 other=0',
    `  for path in ../"$prefix"${TIMES}; do`,
    '    case $(kind "$path") in',
    '    good) good=$((good + 1)) ;;',
    '    larger) larger=$((larger + 1)) ;;',
    '    other) other=$((other + 1)) ;;',
    '    esac',
    '  done',
    '}',
    // The names sort as their times do. Where the clock was set back, the latest is not the last: it stays all the same.
    'retire() {',
    `  for path in ../"$prefix"${TIMES}; do`,
    '    case $(kind "$path") in',
    '    good) [ "$good" -gt "$keep" ] || continue; good=$((good - 1)) ;;',
    '    larger) [ "$larger" -gt "$keep" ] || continue; larger=$((larger - 1)) ;;',
    '    *) continue ;;',
    '    esac',
    '    rm -f "$path" "$path.json"',
    '  done',
    // Of a run that ended between its renames.
    `  for path in ../"$prefix"${TIMES}.json; do`,
    '    [ -e "${path%.json}" ] || [ ! -f "$path" ] || ! is_ours "$path" || rm -f "$path"',
    '  done',
    '}',
  ];
}
