import type { Member } from '../model/cluster.js';
import type { Fact } from '../model/remote.js';
import { RUN_CREDENTIAL } from '../shell/batch.js';
import { etcdctl, unverifiedEtcdctl } from '../shell/etcdctl.js';
import { quote } from '../shell/quote.js';
import { SHUT, shutAt } from '../shell/shut-port.js';
import { sideBySide } from '../shell/side-by-side.js';
import { blocksByKey } from './blocks-by-key.js';

/** One entry of etcd's member list. Ids are decimal texts: they are 64-bit, more than a JavaScript number holds. */
interface EtcdListedMember {
  readonly id: string;
  /** Empty until the member has started once. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly isLearner: boolean;
}

/** What one member says of itself and of the cluster, asked on its own host. */
export type EtcdStatus =
  | { readonly kind: 'silent'; readonly reason: string }
  | {
      readonly kind: 'answers';
      /** It committed a proposal: `etcdctl endpoint health`. */
      readonly isHealthy: boolean;
      readonly version: string;
      readonly clusterId: string;
      readonly memberId: string;
      /** Id of the leader; `0` while there is none. */
      readonly leaderId: string;
      readonly isLearner: boolean;
      readonly raftIndex: number;
      /** Size of the database file, bytes: what the quota limits. */
      readonly dbSize: number;
      /** Of {@link dbSize}, what is not free for later writes; absent where its etcd does not tell. */
      readonly dbSizeInUse?: number;
      /** The version whose format its data has, `3.6.0`; told by etcd 3.6 and later. */
      readonly storageVersion?: string;
      /** The store's revision: 1 when nothing was ever written. */
      readonly revision: number;
      /** Empty where it is a learner. */
      readonly members: readonly EtcdListedMember[];
      /** `NOSPACE`, `CORRUPT`. */
      readonly alarms: readonly string[];
      /** Which member raised each of {@link alarms}; absent where there is none. */
      readonly raisedBy?: readonly { readonly alarm: string; readonly memberId: string }[];
      /**
       * Why it did not answer to its host's client certificate, verified by its authority; it was then asked in another
       * way, as {@link otherWays} has them. Absent: it did.
       */
      readonly usualFailure?: string;
    };

/**
 * The key to ask {@link etcdStatus} by.
 * @param member with `server`: where its client certificate or its server certificate does not do, it is asked otherwise
 */
export function etcdStatusKey(member: Pick<Member, 'clientUrl' | 'client'> & Partial<Pick<Member, 'server'>>): string {
  const { ca, certificate, key } = member.client;
  const { server } = member;
  const other = server === undefined ? [] : [server.certificate, server.key];
  return JSON.stringify([member.clientUrl, ca, certificate, key, ...other]);
}

/** Key: {@link etcdStatusKey}. The output of etcdctl 3.4 and 3.5, which differ only in what they leave out. */
export const etcdStatus: Fact<EtcdStatus> = {
  name: 'etcd-status',
  // At once: one that is asked over the network may take its whole time.
  script: (keys) => ['export ETCDCTL_API=3', ...SHUT, sideBySide(keys.map(scriptFor))].join('\n'),
  parse: (stdout, keys) => blocksByKey(stdout, /^E$/m, keys, parseBlock),
};

function scriptFor(key: string): string {
  const [clientUrl, ca, certificate, clientKey, ...server] = JSON.parse(key) as readonly [
    ...[string, string, string, string],
    ...string[],
  ];
  const usual = etcdctl({ clientUrl, client: { ca, certificate, key: clientKey } });
  return [
    'echo E',
    // With the server's certificate it is asked by its own host.
    `if ${shutAt(clientUrl, server.length > 0 ? 'own-host' : 'another-host')}; then`,
    `  printf 'S no %s\\n' "$why"`,
    '  exit',
    'fi',
    // `ctl` is the way that the member answers to.
    `ctl() { ${usual} "$@"; }`,
    "nl='\n'",
    `ask() { letter=$1; shift; if out=$(ctl "$@" 2>&1); then printf '%s ok %s\\n' "$letter" "\${out##*"$nl"}"; ` +
      `else printf '%s no %s\\n' "$letter" "$(printf %s "$out" | grep -v '^\\[\\]$' | tail -n 1)"; fi; }`,
    'answers() { [ "${out#*raftIndex}" != "$out" ]; }',
    'ask S endpoint status -w json',
    ...otherWays(clientUrl, [certificate, clientKey], server),
    // Nothing more is asked of a member that does not answer, nor of a learner; where there is no quorum, each waits for its time-out.
    `if answers && [ "\${out#*'"isLearner":true'}" = "$out" ]; then`,
    sideBySide(['ask H endpoint health', 'ask M member list -w json', 'ask A alarm list -w json']),
    'fi',
  ].join('\n');
}

/**
 * A member whose own certificate has expired, or whose host lost its client certificate, still knows how its cluster is.
 * It is asked on its own host, where nobody stands between, without verifying it: with the client certificate, with its
 * server certificate, which is one for clients too (etcd#9785), and with the one that this run was given (batch.ts).
 */
function otherWays(
  clientUrl: string,
  client: readonly [string, string],
  [certificate, key]: readonly string[],
): readonly string[] {
  if (certificate === undefined || key === undefined) return [];
  const pairs = [client, [certificate, key] as const, [RUN_CREDENTIAL, RUN_CREDENTIAL] as const];
  return [
    'try_way() {',
    '  [ -e "$1" ] && [ -e "$2" ] || return 0',
    '  way=$1; way_key=$2',
    `  ctl() { ${unverifiedEtcdctl(clientUrl)} --cert="$way" --key="$way_key" "$@"; }`,
    '  out=$(ctl endpoint status -w json 2>&1) || true',
    '}',
    // A port that nobody listens on answers to no certificate.
    `case $out in *'connection refused'*) ;; *)`,
    '  if ! answers; then',
    `    usual=$(printf %s "$out" | grep -v '^\\[\\]$' | tail -n 1)`,
    ...pairs.map(([shown, shownKey]) => `    answers || try_way ${quote(shown)} ${quote(shownKey)}`),
    `    if answers; then printf 'U no %s\\nS ok %s\\n' "$usual" "$(printf %s "$out" | tail -n 1)"; fi`,
    '  fi ;;',
    'esac',
  ];
}

interface StatusJson {
  readonly header: { readonly cluster_id: string; readonly member_id: string; readonly revision?: number };
  readonly version: string;
  readonly leader?: string;
  readonly raftIndex?: number;
  readonly dbSize?: number;
  readonly dbSizeInUse?: number;
  readonly storageVersion?: string;
  readonly isLearner?: boolean;
}

interface MembersJson {
  readonly members?: readonly {
    readonly ID: string;
    readonly name?: string;
    readonly peerURLs?: readonly string[];
    readonly isLearner?: boolean;
  }[];
}

interface AlarmsJson {
  readonly alarms?: readonly { readonly alarm?: number; readonly memberID?: string }[];
}

/** etcd's rpc.proto, `enum AlarmType`. */
const ALARMS: Readonly<Record<number, string>> = { 1: 'NOSPACE', 2: 'CORRUPT' };

function alarmName(alarm = 0): string {
  return ALARMS[alarm] ?? `alarm ${alarm}`;
}

function parseBlock(block: string): EtcdStatus {
  const answers = new Map(
    [...block.matchAll(/^([USHMA]) (ok|no) ?(.*)$/gm)].map(([, letter = '', verdict = '', text = '']) => [
      letter,
      { isOk: verdict === 'ok', text },
    ]),
  );
  const status = answers.get('S');
  const list = answers.get('M');
  const alarms = answers.get('A');
  const usual = answers.get('U');
  if (status?.isOk !== true || !status.text.includes('raftIndex'))
    return { kind: 'silent', reason: status === undefined ? 'etcdctl said nothing' : readable(status.text) };
  const [first] = readEtcdJson(status.text) as readonly { readonly Status: StatusJson }[];
  if (first === undefined) return { kind: 'silent', reason: 'etcdctl gave an empty status' };
  const isLearner = first.Status.isLearner ?? false;
  // A learner answers for its status, and refuses all else (etcd docs, "learner").
  if (list?.isOk !== true && !isLearner) return { kind: 'silent', reason: readable(list?.text ?? 'no member list') };
  const listed = list?.isOk === true ? ((readEtcdJson(list.text) as MembersJson).members ?? []) : [];
  const raised = alarms?.isOk === true ? ((readEtcdJson(alarms.text) as AlarmsJson).alarms ?? []) : [];
  return {
    kind: 'answers',
    isHealthy: answers.get('H')?.isOk === true,
    version: first.Status.version,
    clusterId: first.Status.header.cluster_id,
    memberId: first.Status.header.member_id,
    leaderId: first.Status.leader ?? '0',
    isLearner,
    raftIndex: first.Status.raftIndex ?? 0,
    dbSize: first.Status.dbSize ?? 0,
    ...(first.Status.dbSizeInUse === undefined ? {} : { dbSizeInUse: first.Status.dbSizeInUse }),
    ...(first.Status.storageVersion === undefined ? {} : { storageVersion: first.Status.storageVersion }),
    revision: first.Status.header.revision ?? 0,
    members: listed.map((member) => ({
      id: member.ID,
      name: member.name ?? '',
      peerUrls: member.peerURLs ?? [],
      isLearner: member.isLearner ?? false,
    })),
    alarms: raised.map(({ alarm }) => alarmName(alarm)),
    ...(raised.length === 0
      ? {}
      : { raisedBy: raised.map(({ alarm, memberID = '0' }) => ({ alarm: alarmName(alarm), memberId: memberID })) }),
    ...(usual === undefined ? {} : { usualFailure: readable(usual.text) }),
  };
}

/** Member and cluster ids become texts before JSON.parse would round them. */
function readEtcdJson(text: string): unknown {
  return JSON.parse(text.replaceAll(/"(cluster_id|member_id|leader|ID|memberID)":(\d+)/g, '"$1":"$2"'));
}

/** The part of etcdctl's message that says why. */
function readable(text: string): string {
  const [, inner] = /\(([^()]*(?:\([^()]*\)[^()]*)*)\)$/.exec(text) ?? [];
  return (inner ?? text).replace(/^Error: /, '').slice(0, 200) || 'no answer';
}
