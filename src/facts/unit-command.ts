import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** What a unit runs: as its files say now, and as its process was started. */
export interface UnitCommand {
  /** The unit file, then its drop-ins; none when there is no such unit. */
  readonly files: readonly string[];
  /** Its environment files, in the order in which they are read. */
  readonly environmentFiles: readonly string[];
  /** The words of its next start, variables filled in; empty without one. */
  readonly next: readonly string[];
  /** The words of the process that runs; empty when none does. */
  readonly running: readonly string[];
}

/** Variables of the packages' units that choose what is read; any other may be secret, and stays on the host. */
const SHOWN_VARIABLES = ['CONFIG', 'EXTRAOPTS', 'DAEMON_ARGS', 'DAEMON_OPTS', 'PIDFILE'] as const;
const NAMES = SHOWN_VARIABLES.join('|');

const PROPERTIES = 'LoadState,FragmentPath,DropInPaths,Environment,EnvironmentFiles,ExecStart,MainPID';

/** Key: unit name without `.service`. */
export const unitCommand: Fact<UnitCommand> = {
  name: 'unit-commands',
  isConfidential: true,
  // The shell itself distinguishes the lines: commands that it starts are most of what a look costs a host.
  script: (units) =>
    [
      'unit() {',
      `  shown=$(systemctl show -p ${PROPERTIES} -- "$1"); environment=; files=; pid=0`,
      "  echo N; set -f; IFS='\n'",
      '  for line in $shown; do',
      '    case $line in',
      '      Environment=*) environment=$line; continue ;;',
      '      EnvironmentFiles=*) file=${line#*=}; files="$files ${file%% *}" ;;',
      '      MainPID=*) pid=${line#*=} ;;',
      '    esac',
      `    printf '%s\\n' "$line"`,
      '  done',
      '  unset IFS',
      `  case $environment in ${SHOWN_VARIABLES.map((name) => `*${name}=*`).join('|')})`,
      `    printf '%s\\n' "$environment" | grep -oE '"?(${NAMES})=("[^"]*"|[^"]*"|[^ ]*)' ;;`,
      '  esac',
      // A file may be a pattern; `-h`: no name of a file before its lines, the same here and there.
      `  set +f; for file in $files; do grep -hE '^(${NAMES})=' "$file" 2>/dev/null; done`,
      `  [ "\${pid:-0}" = 0 ] || { printf 'A '; base64 -w0 "/proc/$pid/cmdline" 2>/dev/null; echo; }`,
      '}',
      ...units.map((unit) => `unit ${quote(`${unit}.service`)}`),
      ':',
    ].join('\n'),
  parse(stdout, units) {
    const blocks = stdout.split(/^N$/m).slice(1);
    return new Map(units.map((unit, index) => [unit, readCommand(blocks[index] ?? '')]));
  },
};

function readCommand(block: string): UnitCommand {
  const values = (name: string): readonly string[] =>
    [...block.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);
  const words = (name: string): readonly string[] =>
    values(name)
      .join(' ')
      .split(' ')
      .filter((word) => word !== '');
  const [argv = ''] = [...block.matchAll(/argv\[\]=(.*?) ; ignore_errors=/g)].map(([, text = '']) => text).slice(-1);
  const [, encoded = ''] = /^A ([A-Za-z0-9+/=]+)$/m.exec(block) ?? [];
  return {
    files: [...words('FragmentPath'), ...words('DropInPaths')],
    environmentFiles: values('EnvironmentFiles').map((value) => value.replace(/ \(.*\)$/, '')),
    next: argv.split(' ').flatMap((word) => expand(word, variablesOf(block))),
    running: Buffer.from(encoded, 'base64')
      .toString('utf8')
      .split('\0')
      .filter((word) => word !== ''),
  };
}

/** The last one wins, as for systemd: `Environment=` first, then the files in their order. */
function variablesOf(block: string): ReadonlyMap<string, string> {
  return new Map(
    [...block.matchAll(new RegExp(`^"?(${NAMES})=(.*)$`, 'gm'))].map(([, name = '', value = '']) => [
      name,
      value.replace(/^(["'])(.*)\1$/, '$2').replace(/"$/, ''),
    ]),
  );
}

/** `$NAME` becomes its words, `${NAME}` one word (systemd.service(5), "Command lines"). */
function expand(word: string, variables: ReadonlyMap<string, string>): readonly string[] {
  const [, list] = /^\$([A-Z_]+)$/.exec(word) ?? [];
  if (list !== undefined) return (variables.get(list) ?? '').split(/\s+/).filter((each) => each !== '');
  return word === '' ? [] : [word.replace(/\$\{([A-Z_]+)\}/g, (_, name: string) => variables.get(name) ?? '')];
}
