import type { Member } from '../model/cluster.js';
import type { Fact } from '../model/remote.js';
import { BOOTSTRAP_DROP_IN } from '../shell/etcd-unit.js';
import { quote } from '../shell/quote.js';
import { SHUT, shutAt } from '../shell/shut-port.js';
import { blocksByKey } from './blocks-by-key.js';

/** What a member that listens on localhost without TLS says of itself: one that its package started alone. */
interface LoneMember {
  /** etcd begins at revision 1: more means that something was written. */
  readonly revision: number;
  readonly members: number;
  readonly peerUrls: readonly string[];
}

/** What is on the disk of one member. */
export interface EtcdData {
  /** The data directory holds a member. */
  readonly hasData: boolean;
  /** The bootstrap drop-in is there: the cluster is not known to be formed. */
  readonly isBootstrapping: boolean;
  /** The environment file names an initial cluster, or others configured it: it is no package default. */
  readonly isConfigured: boolean;
  /** Its `ETCD_INITIAL_CLUSTER`, as the environment file has it, without quotes; absent where it names none. */
  readonly initialCluster?: string;
  /** Another directory, which its environment file names, and which holds a member; absent: there is none. */
  readonly keptIn?: string;
  /** Asked only where there is data without a configuration; absent when nothing answers. */
  readonly lone: LoneMember | undefined;
}

/** The key to ask {@link etcdData} by. */
export function etcdDataKey(member: Pick<Member, 'dataDir' | 'configFile'>): string {
  return JSON.stringify([member.dataDir, member.configFile ?? null]);
}

/** Key: {@link etcdDataKey}. */
export const etcdData: Fact<EtcdData> = {
  name: 'etcd-data',
  script: (keys) => [...SHUT, ...keys.map(scriptFor)].join('\n'),
  parse: (stdout, keys) => blocksByKey(stdout, /^D ?/m, keys, parseBlock),
};

/** Where the package's own start listens. */
const LONE_URL = 'http://127.0.0.1:2379';

function scriptFor(key: string): string {
  const [dataDir, configFile] = JSON.parse(key) as readonly [string, string | null];
  // The package's own start has no TLS: https://127.0.0.1 would not answer.
  const ask = `ETCDCTL_API=3 timeout 10 etcdctl --endpoints=${LONE_URL} --dial-timeout=2s`;
  return [
    'words=D',
    `[ ! -d ${quote(`${dataDir}/member`)} ] || words="$words data"`,
    `[ ! -e ${quote(BOOTSTRAP_DROP_IN)} ] || words="$words bootstrapping"`,
    configFile === null ? 'words="$words configured"' : readConfiguration(configFile),
    `printf '%s\\n' "$words"`,
    ...(configFile === null
      ? []
      : [
          `[ -z "$cluster" ] || printf '%s\\n' "$cluster"`,
          `[ -z "$place" ] || [ ! -d "$place/member" ] || [ "$place" -ef ${quote(dataDir)} ] || printf 'W %s\\n' "$place"`,
        ]),
    `if [ "$words" = "D data" ] && ! ${shutAt(LONE_URL, 'own-host')}; then`,
    '  if command -v etcdctl >/dev/null; then',
    `    printf 'S '; ${ask} endpoint status -w json 2>/dev/null || echo`,
    `    printf 'M '; ${ask} member list -w json 2>/dev/null || echo`,
    '  else',
    ...WITHOUT_ETCDCTL,
    '  fi',
    'fi',
  ].join('\n');
}

/** Lines that find its initial cluster, and where it has its data; the last of each counts, as for systemd. */
function readConfiguration(path: string): string {
  // As systemd reads it (systemd.exec(5), EnvironmentFile=): either quotes or none, and no blanks around it.
  const place = `s/^[[:space:]]*ETCD_DATA_DIR=["']\\{0,1\\}\\([^"']*[^"'[:space:]]\\)["']\\{0,1\\}[[:space:]]*$/W \\1/p`;
  return [
    'cluster= place=',
    `while IFS= read -r line; do case $line in 'C '*) cluster=$line ;; 'W '*) place=\${line#W } ;; esac; done <<CONFIGURATION`,
    `$(sed -n -e 's/^ETCD_INITIAL_CLUSTER=/C /p' -e ${quote(place)} ${quote(path)} 2>/dev/null)`,
    'CONFIGURATION',
    '[ -z "$cluster" ] || words="$words configured"',
  ].join('\n');
}

/**
 * etcdctl is a package of its own. Without it, etcd's JSON gateway is asked (etcd docs, "gRPC gateway": `/v3/` since 3.4)
 * through bash, and its answers are put in etcdctl's frame.
 */
const WITHOUT_ETCDCTL = [
  '    post() {',
  `      timeout 10 bash -c 'exec 3<>/dev/tcp/127.0.0.1/2379; printf "POST /v3/%s HTTP/1.0\\r\\nContent-Length: 2\\r\\n\\r\\n{}" "$1" >&3; cat <&3' post "$1" 2>/dev/null | grep '^{'`,
  '    }',
  `    ! status=$(post maintenance/status) || printf 'S [{"Status":%s}]\\n' "$status"`,
  `    ! members=$(post cluster/member/list) || printf 'M %s\\n' "$members"`,
];

function parseBlock(block: string): EtcdData {
  const [first = '', ...rest] = block.split('\n');
  const words = first.split(' ');
  const initialCluster = rest
    .findLast((line) => line.startsWith('C '))
    ?.slice(2)
    .replace(/^"(.*)"$/, '$1');
  const keptIn = rest.find((line) => line.startsWith('W '))?.slice(2);
  return {
    ...(initialCluster === undefined ? {} : { initialCluster }),
    ...(keptIn === undefined ? {} : { keptIn }),
    hasData: words.includes('data'),
    isBootstrapping: words.includes('bootstrapping'),
    isConfigured: words.includes('configured'),
    lone: parseLone(rest),
  };
}

function parseLone(lines: readonly string[]): LoneMember | undefined {
  const status = readJson(lines.find((line) => line.startsWith('S '))?.slice(2));
  const list = readJson(lines.find((line) => line.startsWith('M '))?.slice(2));
  if (!Array.isArray(status) || list === undefined || list === null) return undefined;
  const [first] = status as readonly {
    readonly Status?: { readonly header?: { readonly revision?: number | string } };
  }[];
  const members = (list as { readonly members?: readonly { readonly peerURLs?: readonly string[] }[] }).members ?? [];
  const revision = first?.Status?.header?.revision;
  if (revision === undefined) return undefined;
  // The gateway writes 64-bit numbers as text (the JSON of protocol buffers).
  return {
    revision: Number(revision),
    members: members.length,
    peerUrls: members.flatMap((member) => member.peerURLs ?? []),
  };
}

function readJson(text: string | undefined): unknown {
  return text === undefined || text === '' ? undefined : JSON.parse(text);
}
