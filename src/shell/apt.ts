import { quote } from './quote.js';
import { withAptProxies } from './remote-environment.js';

/** How long apt waits for another dpkg (unattended-upgrades) to end, in seconds. */
export const APT_LOCK_WAIT_S = 600;

/** `apt-get` with the host's own proxy, which waits for others. */
export function aptGet(): string {
  return `${withAptProxies()} apt-get -q -o DPkg::Lock::Timeout=${APT_LOCK_WAIT_S}`;
}

/** Whatever the host's own settings allow, a repository must be signed, and what can't be read is an error. */
const STRICT = [
  'APT::Update::Error-Mode=any',
  'Acquire::AllowInsecureRepositories=false',
  'Acquire::AllowWeakRepositories=false',
  'Acquire::AllowDowngradeToInsecureRepositories=false',
];

/** A mirror that does not answer is reported, and not waited for until the command ends: of each of its addresses, twice. */
const IMPATIENT = ['Acquire::Retries=1', 'Acquire::http::Timeout=20', 'Acquire::https::Timeout=20'];

/** How long the proof of a source may take: a slow proxy is no reason to refuse it. */
export const PROOF_MS = 300_000;

/** Reads the lists of all sources: one that can't be read is an error. */
export function updateLists(): string {
  return `${aptGet()} ${STRICT.map((option) => `-o ${option}`).join(' ')} update`;
}

/** Reads the lists of one file of sources alone; those of others stay. @param file a word of the shell */
function updateListsOf(file: string): string {
  const only = [`Dir::Etc::sourcelist=${file}`, 'Dir::Etc::sourceparts=/dev/null', 'APT::Get::List-Cleanup=false'];
  return `${aptGet()} ${[...only, ...STRICT, ...IMPATIENT].map((option) => `-o ${option}`).join(' ')} update`;
}

/** Where packages must come from. */
export interface PackageSource {
  /** The file of sources that has them. */
  readonly file: string;
  /** The repository that it names. */
  readonly uri: string;
}

/**
 * Lines that end with an error unless apt would take each package from the source: another one may have the same version, or one that
 * counts as newer. Lists of the source that do not have it are read again first.
 * @param specs `NAME=VERSION`, quoted words
 */
export function requireSource(specs: readonly string[], { file, uri }: PackageSource): readonly string[] {
  const names = specs.map((spec) => spec.replace(/=.*/, ''));
  const state = quote('${db:Status-Abbrev}');
  const [words, start] = [specs.map(quote).join(' '), `${uri.replace(/\/+$/, '')}/`];
  return [
    // Of what was downloaded before, apt names no URI.
    'none=$(mktemp -d /run/provision-apt.XXXXXXXX)',
    'mkdir "$none/partial"',
    `from() { apt-get -qq --print-uris -o Dir::Cache::archives="$none" install ${words}; }`,
    `if ! found=$(from 2>/dev/null); then`,
    `  { ${updateListsOf(quote(file))} && found=$(from); } || { rm -rf "$none"; exit 1; }`,
    'fi',
    'rm -rf "$none"',
    `for name in ${names.map(quote).join(' ')}; do`,
    `  of=$(printf '%s\\n' "$found" | awk -v name="$name" 'index($2, name "_") == 1 { gsub(/\\047/, "", $1); print $1 }')`,
    '  case $of in',
    `  ${quote(start)}*) continue ;;`,
    // An earlier run has unpacked it, and was cut off.
    `  '') if dpkg-query -W -f=${state} "$name" 2>/dev/null | grep -q '^.[UFWt]'; then continue; fi ;;`,
    '  esac',
    `  echo "apt would take $name from \${of:-nowhere}, which is not" ${quote(`${uri}: nothing is installed; name the version with its revision (kube_cluster_packages_version), which only one of them has`)} >&2`,
    '  exit 1',
    'done',
  ];
}

/**
 * Lines that accept a file of sources, `"$1"`, once apt has read its lists by it; they stay, and count from when it is in place.
 * @param fingerprints of the keys that the file names
 */
export function proveAptSource(uri: string, fingerprints: readonly string[]): string {
  return [
    'set -u',
    'directory=$(mktemp -d /run/provision-apt.XXXXXXXX) || exit 1',
    `trap 'rm -rf "$directory"' EXIT`,
    // apt tells the two formats apart by the name.
    'cp "$1" "$directory/new.sources" || exit 1',
    `if said=$(${updateListsOf('"$directory/new.sources"')} 2>&1); then exit 0; fi`,
    `printf '%s\\n' "$said" | grep -E '^(E|W|Err)' | tail -n 8`,
    `case $said in`,
    `*NO_PUBKEY* | *BADSIG* | *'is not signed'* | *"couldn't be verified"*)`,
    `  echo ${quote(`${uri} is not signed by ${fingerprints.join(' or ')} (kube_cluster_packages_key): apt does not trust it, and nothing is installed from it`)} ;;`,
    `*) echo ${quote(`apt can't read the lists of ${uri}: nothing is installed from it`)} ;;`,
    'esac',
    'exit 1',
  ].join('\n');
}
