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

/** Reads the lists of one file of sources alone; those of others stay. @param file a word of the shell */
export function updateListsOf(file: string): string {
  const only = [`Dir::Etc::sourcelist=${file}`, 'Dir::Etc::sourceparts=/dev/null', 'APT::Get::List-Cleanup=false'];
  return `${aptGet()} ${[...only, ...STRICT].map((option) => `-o ${option}`).join(' ')} update`;
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
