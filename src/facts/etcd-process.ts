import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** etcd's settings that this program reads, as its flags name them (etcd, `server/etcdmain/help.go`). */
export const ETCD_SETTINGS = [
  'name',
  'data-dir',
  'listen-client-urls',
  'advertise-client-urls',
  'cert-file',
  'key-file',
  'trusted-ca-file',
  'auto-tls',
  'peer-cert-file',
  'peer-key-file',
  'heartbeat-interval',
  'election-timeout',
  'config-file',
] as const;

/** One of {@link ETCD_SETTINGS}. */
export type EtcdSettingName = (typeof ETCD_SETTINGS)[number];

/** The environment variable of a setting: `ETCD_CERT_FILE`. */
export function etcdVariable(name: EtcdSettingName): string {
  return `ETCD_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** What started a process. */
export type StartedBy =
  | { readonly kind: 'unit'; readonly unit: string; readonly files: UnitFiles }
  | { readonly kind: 'container' }
  /** A login session, a user's own systemd, … */
  | { readonly kind: 'other'; readonly cgroup: string };

/** The files that make up a unit, in the order in which they are read. */
export interface UnitFiles {
  /** The unit file, then its drop-ins. */
  readonly unit: readonly string[];
  readonly environment: readonly string[];
}

/** A running etcd: what it was started with, whatever its files say now. */
export interface EtcdProcess {
  readonly pid: number;
  /** Its command line, the program first. */
  readonly argv: readonly string[];
  /** Only the variables of {@link ETCD_SETTINGS}: the rest may be secret, and stays on the host. */
  readonly environment: ReadonlyMap<string, string>;
  readonly workingDirectory: string;
  /** Its program file; `… (deleted)` when that was replaced since. */
  readonly program: string;
  readonly startedBy: StartedBy;
}

/** What a host has of etcd. */
export interface EtcdOnHost {
  readonly processes: readonly EtcdProcess[];
  /** etcdctl on the PATH. */
  readonly etcdctl: string | undefined;
}

/** The one key of {@link etcdOnHost}. */
export const ETCD = 'etcd';

/** Key: {@link ETCD}. Every etcd member of the host, in a container or not: the host's /proc shows them all. */
export const etcdOnHost: Fact<EtcdOnHost> = {
  name: 'etcd-processes',
  isConfidential: true,
  script: () =>
    [
      'encoded() { base64 -w0; echo; }',
      `for comm in $(grep -lx ${ETCD} /proc/[0-9]*/comm 2>/dev/null); do`,
      '  proc=${comm%/comm}',
      // Empty for what has just ended.
      '  argv=$(base64 -w0 "$proc/cmdline" 2>/dev/null); [ -n "$argv" ] || continue',
      `  printf 'P %s\\nA %s\\n' "\${proc#/proc/}" "$argv"`,
      `  printf 'E '; grep -zE '^(${ETCD_SETTINGS.map(etcdVariable).join('|')})=' "$proc/environ" | encoded`,
      `  printf 'D '; readlink "$proc/cwd" | encoded`,
      `  printf 'X '; readlink "$proc/exe" | encoded`,
      `  printf 'C '; encoded <"$proc/cgroup"`,
      // A user's own systemd has services too: provision could not restart them.
      `  unit=$(sed -n '/user\\.slice/!s|.*/\\([^/]*\\.service\\).*|\\1|p' "$proc/cgroup" | tail -n 1)`,
      `  [ -z "$unit" ] || { printf 'U '; systemctl show -p Id,FragmentPath,DropInPaths,EnvironmentFiles -- "$unit" | encoded; }`,
      'done',
      `printf 'T %s\\n' "$(command -v etcdctl)"`,
    ].join('\n'),
  parse(stdout, keys) {
    const [, etcdctl = ''] = /^T (.*)$/m.exec(stdout) ?? [];
    const found: EtcdOnHost = {
      processes: stdout
        .split(/^P /m)
        .slice(1)
        .map(parseProcess)
        .filter(({ argv }) => !PROXIES.has(argv[1] ?? '')),
      etcdctl: etcdctl === '' ? undefined : etcdctl,
    };
    return new Map(keys.map((key) => [key, found]));
  },
};

/** The same program in other parts: they are no members. */
const PROXIES = new Set(['gateway', 'grpc-proxy']);

function parseProcess(block: string): EtcdProcess {
  const parts = new Map(
    [...block.matchAll(/^([AEDXCU]) (\S*)$/gm)].map(([, letter = '', text = '']) => [
      letter,
      Buffer.from(text, 'base64').toString('utf8'),
    ]),
  );
  const part = (letter: string): string => parts.get(letter) ?? '';
  return {
    pid: Number.parseInt(block, 10),
    argv: part('A').split('\0').slice(0, -1),
    environment: new Map(
      part('E')
        .split('\0')
        .filter((entry) => entry !== '')
        .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
    ),
    workingDirectory: part('D').trimEnd(),
    program: part('X').trimEnd(),
    startedBy: startedBy(part('C'), parts.get('U')),
  };
}

/** Names that container runtimes give to their cgroups (docker, podman, containerd, CRI-O, kubelet). */
const CONTAINER = /kubepods|docker[-/]|libpod|cri-containerd|crio-|containerd\.service\//;

function startedBy(cgroups: string, unit: string | undefined): StartedBy {
  if (CONTAINER.test(cgroups)) return { kind: 'container' };
  if (unit !== undefined) {
    const values = (name: string): readonly string[] =>
      [...unit.matchAll(new RegExp(`^${name}=(.+)$`, 'gm'))].map(([, value = '']) => value);
    return {
      kind: 'unit',
      unit: (values('Id')[0] ?? '').replace(/\.service$/, ''),
      files: {
        unit: [...values('FragmentPath'), ...values('DropInPaths').flatMap((paths) => paths.split(' '))],
        environment: values('EnvironmentFiles').map((value) => value.replace(/ \(ignore_errors=\w+\)$/, '')),
      },
    };
  }
  const [, cgroup = ''] = /^(?:0:|\d+:name=systemd):(.*)$/m.exec(cgroups) ?? [];
  return { kind: 'other', cgroup };
}

/** Where a file names settings: nothing of their values leaves the host. */
export interface SettingPlaces {
  /** Flag (`--cert-file`) or variable (`ETCD_CERT_FILE`) → the last line, from 1, that names it. */
  readonly lines: ReadonlyMap<string, number>;
  /** Seconds since 1970; absent when there is no such file. */
  readonly changedAt: number | undefined;
}

/** Key: path of a unit file or environment file. */
export const settingPlaces: Fact<SettingPlaces> = {
  name: 'etcd-setting-places',
  script: (paths) =>
    [
      `stat -L -c 'S %Y %n' -- ${paths.map(quote).join(' ')} 2>/dev/null`,
      'set --',
      `for path in ${paths.map(quote).join(' ')}; do [ -s "$path" ] && set -- "$@" "$path"; done`,
      `[ $# -eq 0 ] || awk ${quote(FIND_WORDS)} "$@"`,
    ].join('\n'),
  parse(stdout, paths) {
    const changed = new Map([...stdout.matchAll(/^S (\d+) (.*)$/gm)].map(([, at, path = '']) => [path, Number(at)]));
    const sections = new Map(
      stdout
        .split(/^F /m)
        .slice(1)
        .map((section) => [section.slice(0, section.indexOf('\n')), section]),
    );
    return new Map(
      paths.map((path) => {
        const found = (sections.get(path) ?? '').matchAll(/^L (\d+) (\S+)$/gm);
        const lines = new Map([...found].map(([, line, word = '']) => [word, Number(line)]));
        return [path, { lines, changedAt: changed.get(path) }];
      }),
    );
  },
};

const WORDS = ETCD_SETTINGS.flatMap((name) => [`--${name}`, `-${name}`, etcdVariable(name)]).join(' ');

/** Only words that are known beforehand are printed. */
const FIND_WORDS = [
  `BEGIN { n = split("${WORDS}", known, " "); for (i = 1; i <= n; i++) want[known[i]] = 1 }`,
  'FNR == 1 { print "F " FILENAME }',
  `!/^[ \\t]*[#;]/ { n = split($0, words, /[ \\t"'=\\\\]+/); for (i = 1; i <= n; i++) if (words[i] in want) print "L " FNR " " words[i] }`,
].join('\n');
