import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import type { Connection, Host } from '../model/inventory.js';
import type { Connector } from '../model/remote.js';
import type { AskSecret, Secret } from '../model/secret.js';
import type { Timing } from '../ssh/link.js';

/** What the user typed about connections. Names and precedence are those of `ansible-playbook`. */
export interface ConnectionOptions {
  /** How many hosts are worked on at once. */
  readonly forks: number;
  readonly acceptNewHostKeys?: boolean;
  readonly user?: string;
  readonly privateKey?: string;
  readonly askPass?: boolean;
  readonly become?: boolean;
  readonly becomeUser: string;
  readonly askBecomePass?: boolean;
}

/** Edges of the process that a connector needs. */
export interface ConnectionEdges {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Asks on the terminal, without echo. */
  readonly ask: AskSecret;
  readonly onNotice: (host: string, message: string) => void;
  /** Unknown host keys that a person has compared: host → fingerprint. */
  readonly confirmedHostKeys?: ReadonlyMap<string, string>;
  /** Deadlines other than the default ones. */
  readonly timing: Partial<Timing> | undefined;
}

/** The default of `--forks`; a connection costs little, so most clusters are worked on all at once. */
export const DEFAULT_FORKS = 50;

function parseForks(text: string): number {
  const forks = Number(text);
  if (!Number.isInteger(forks) || forks < 1 || forks > 1000)
    throw new InvalidArgumentError('expected a whole number from 1 to 1000');
  return forks;
}

/** Adds the options of {@link ConnectionOptions} to a verb; its action gets them as its options. */
export function addConnectionOptions(command: Command): Command {
  return command
    .option('-f, --forks <number>', 'how many hosts to work on at once', parseForks, DEFAULT_FORKS)
    .option('-u, --user <name>', 'login user for hosts that have none in the inventory')
    .option('--private-key <file>', 'private key for hosts that have none in the inventory')
    .option('-k, --ask-pass', 'ask for the login password')
    .option('-b, --become', 'run commands with sudo, even where the inventory does not say so')
    .option('--become-user <name>', 'user that --become switches to', 'root')
    .option('-K, --ask-become-pass', 'ask for the sudo password')
    .option('--accept-new-host-keys', 'accept and remember unknown host keys (changed ones are still refused)');
}

/** What was typed, with the passwords that were asked for. */
export interface ConnectionDefaults {
  readonly options: ConnectionOptions;
  readonly password: Secret | undefined;
  readonly becomePassword: Secret | undefined;
}

/** One host's connection with the gaps filled in: the inventory wins, as with `ansible-playbook`. */
export function withDefaults(connection: Connection, defaults: ConnectionDefaults): Connection {
  const { options, password, becomePassword } = defaults;
  const become =
    connection.become ??
    (options.become === true ? ({ method: 'sudo', user: options.becomeUser } as const) : undefined);
  return {
    ...connection,
    user: connection.user ?? options.user,
    ...(connection.privateKeyFile === undefined && options.privateKey !== undefined
      ? { privateKeyFile: resolve(options.privateKey), privateKeyNamedBy: '--private-key' }
      : {}),
    password: connection.password ?? password,
    become: become && { ...become, password: become.password ?? becomePassword },
  };
}

/**
 * The connector for the hosts of an inventory. Passwords are asked for now, once, and not in the middle of a run.
 * @throws whatever `ask` throws
 */
export async function createConnector(
  options: ConnectionOptions,
  inventory: { readonly hosts: ReadonlyMap<string, Pick<Host, 'connection'>> },
  { env, ask, onNotice, confirmedHostKeys, timing }: ConnectionEdges,
): Promise<Connector> {
  const password = options.askPass === true ? await ask('SSH password') : undefined;
  const becomePassword = options.askBecomePass === true ? await ask('sudo password') : undefined;
  const defaults = { options, password, becomePassword };
  const hosts = [...inventory.hosts].map(([name, host]) => [name, withDefaults(host.connection, defaults)] as const);
  const { createSshConnector } = await import('../ssh/connector.js');
  const { userName } = await import('./lock-holder.js');
  return createSshConnector({
    hosts: new Map(hosts),
    forks: options.forks,
    acceptNewHostKeys: options.acceptNewHostKeys === true,
    confirmedHostKeys,
    env,
    home: homedir(),
    user: userName(),
    ask,
    randomBytes,
    onNotice,
    timing,
  });
}
