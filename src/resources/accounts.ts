import { groupExists, userState } from '../facts/accounts.js';
import { pathExists } from '../facts/path-exists.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import type { Probe } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** A user that a host should have. */
export interface UserOptions {
  readonly name: string;
  /** A system account: no aging, a low uid. */
  readonly system: boolean;
  readonly home?: string | undefined;
  readonly shell?: string | undefined;
  /** Its own group, given when the account is made; default: one that is made with it. */
  readonly ownGroup?: string | undefined;
  /** Supplementary groups that it must be in; others are left alone. */
  readonly groups?: readonly string[] | undefined;
}

/** A user account. */
export function user(options: UserOptions): Resource {
  const { name } = options;
  return {
    address: `user:${name}`,
    paths: [],
    async plan(probe) {
      const found = await probe.ask(userState, name);
      if (found === undefined) return create(options, probe);
      const missing = (options.groups ?? []).filter((group) => !found.groups.includes(group));
      const wrong = {
        home: options.home !== found.home ? options.home : undefined,
        shell: options.shell !== found.shell ? options.shell : undefined,
      };
      const words = [
        ...(wrong.home === undefined ? [] : ['--home', wrong.home]),
        ...(wrong.shell === undefined ? [] : ['--shell', wrong.shell]),
        ...(missing.length === 0 ? [] : ['--append', '--groups', missing.join(',')]),
      ];
      if (words.length === 0) return UNCHANGED;
      const back = [
        ...(wrong.home === undefined ? [] : ['--home', found.home]),
        ...(wrong.shell === undefined ? [] : ['--shell', found.shell]),
      ];
      const undo = [
        ...(back.length === 0 ? [] : [['usermod', ...back, name]]),
        ...missing.map((group) => ['gpasswd', '--delete', name, group]),
      ];
      return run('change', `user ${name}`, ['usermod', ...words, name], undo, [`+ ${words.join(' ')}`]);
    },
  };
}

async function create(options: UserOptions, probe: Probe): Promise<Outcome> {
  const { name, system, home = `/home/${name}` } = options;
  // A home that was there before is not its to take away.
  const makesHome = !system && !(await probe.ask(pathExists, home));
  const undo = ['userdel', ...(makesHome ? ['--remove'] : []), name];
  return run('create', `user ${name}`, ['useradd', ...flags(options), name], [undo], []);
}

function flags({ system, home, shell, ownGroup, groups }: UserOptions): readonly string[] {
  return [
    ...(system ? ['--system'] : ['--create-home']),
    ...(home === undefined ? [] : ['--home-dir', home]),
    ...(shell === undefined ? [] : ['--shell', shell]),
    ...(ownGroup === undefined ? [] : ['--gid', ownGroup]),
    ...(groups === undefined || groups.length === 0 ? [] : ['--groups', groups.join(',')]),
  ];
}

/** A group of the host. */
export function group(options: { readonly name: string; readonly system: boolean }): Resource {
  const { name, system } = options;
  return {
    address: `group:${name}`,
    paths: [],
    async plan(probe) {
      if (await probe.ask(groupExists, name)) return UNCHANGED;
      // userdel takes the group of its user with it (login.defs(5), USERGROUPS_ENAB).
      const undo = ['sh', '-c', '! getent group "$1" >/dev/null || groupdel "$1"', 'sh', name];
      return run('create', `group ${name}`, ['groupadd', ...(system ? ['--system'] : []), name], [undo], []);
    },
  };
}

type Argv = readonly string[];

function run(
  effect: 'create' | 'change',
  what: string,
  argv: Argv,
  undo: readonly Argv[],
  diff: readonly string[],
): Outcome {
  const summary = `${effect} ${what}`;
  return changed({
    summary,
    diff,
    actions: [
      {
        kind: 'run',
        command: { summary, script: scriptOf([argv]) },
        undo: { summary: `roll back: ${summary}`, script: scriptOf(undo) },
        restores: 'accounts',
      },
    ],
    effect,
    disruptive: false,
  });
}

function scriptOf(commands: readonly Argv[]): string {
  return commands.map((argv) => argv.map(quote).join(' ')).join(' && ');
}
