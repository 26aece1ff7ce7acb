import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { RemoteError } from '../model/errors.js';
import { readTextBounded, TYPED_FILE_BYTES } from '../model/read-bounded.js';
import { splitWords } from '../shell/split-words.js';
import { childEnvironment } from './child-environment.js';
import { checkNames } from './check-names.js';
import { causeMessage } from './cause.js';
import { optionsInArguments, parseOptions, settingsFrom, type Settings, type SshOptions } from './settings.js';

/** What is asked about: a machine, and what is already decided for it. */
export interface Target {
  /** Inventory name of the host on whose behalf this is, for errors. */
  readonly host: string;
  readonly address: string;
  readonly port: number | undefined;
  readonly user: string | undefined;
  /** ssh's own arguments, as one text. */
  readonly sshArgs: string | undefined;
}

/** The edges of the process that ssh's configuration depends on. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home directory. */
  readonly home: string;
  /** The local user name. */
  readonly user: string;
}

/** Finds out how to reach a machine. @throws RemoteError when ssh finds its configuration or arguments wrong */
export type ResolveSettings = (target: Target) => Promise<Settings>;

/** Each `ssh -G` is a process: a few milliseconds of one core. */
const CONCURRENT_QUESTIONS = 4;
/** ssh's configuration of the whole machine; what a distribution adds to it is in a directory of the same name, and `.d`. */
const SYSTEM_CONFIG = '/etc/ssh/ssh_config';

async function readIfThere(file: string): Promise<string> {
  return readTextBounded(file, TYPED_FILE_BYTES).catch(() => '');
}

/**
 * Can two hosts get different answers from ssh's configuration files? With the files that most machines have they
 * can't, and then one `ssh -G` is enough for all hosts.
 */
async function dependsOnHost(home: string, systemConfig: string): Promise<boolean> {
  const directory = `${systemConfig}.d`;
  const names = await readdir(directory).catch(() => []);
  const files = [systemConfig, join(home, '.ssh/config'), ...names.map((name) => join(directory, name))];
  const text = (await Promise.all(files.map(readIfThere))).join('\n').replaceAll(`Include ${directory}/*.conf`, '');
  return /^\s*(match|hostname|canonical\w*|include)\b|^\s*host[ \t=]+(?!["*= \t]*$)|^[^#]*%[a-z]/im.test(text);
}

/** Runs `ssh -G`. @returns undefined when there is no `ssh` */
function askSsh(args: readonly string[], env: Surroundings['env']): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    execFile('ssh', ['-G', ...args], { env: childEnvironment(env), timeout: 10_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (error.code === 'ENOENT') resolve(undefined);
      else reject(new Error(stderr.trim() === '' ? error.message : stderr.trim(), { cause: error }));
    });
  });
}

/**
 * Makes a {@link ResolveSettings}: ssh itself is asked when it is installed, else its arguments are read here.
 * @param systemConfig another file of the machine, for tests
 */
export function createSettingsResolver(
  { env, home, user }: Surroundings,
  systemConfig = SYSTEM_CONFIG,
): ResolveSettings {
  const answers = new Map<string, Promise<string | undefined>>();
  const limit = pLimit(CONCURRENT_QUESTIONS);
  let dependent: Promise<boolean> | undefined;

  async function ask(options: readonly string[], address: string): Promise<SshOptions | undefined> {
    dependent ??= dependsOnHost(home, systemConfig);
    const isShared = !(await dependent) && !options.some((word) => /^-F|hostname|%[a-z]/i.test(word));
    const key = JSON.stringify([options, isShared ? '' : address]);
    const answer = answers.get(key) ?? limit(() => askSsh([...options, '--', address], env));
    answers.set(key, answer);
    const text = await answer;
    if (text === undefined) return undefined;
    // A shared answer names the host that was asked about first.
    return new Map([...parseOptions(text)].filter(([keyword]) => !isShared || keyword !== 'hostname'));
  }

  return async ({ host, address, port, user: login, sshArgs = '' }) => {
    checkNames(host, { address, user: login });
    try {
      // Before the arguments, because ssh takes the first value that it finds: Ansible's variables win.
      const decided = [
        ...(port === undefined ? [] : ['-p', String(port)]),
        ...(login === undefined ? [] : ['-l', login]),
      ];
      const options = [...decided, ...splitWords(sshArgs)];
      const known = (await ask(options, address)) ?? parseOptions(optionsInArguments(options));
      const settings = settingsFrom(known, { alias: address, home, user });
      checkNames(host, { address: settings.hostname, user: settings.user });
      return settings;
    } catch (error) {
      if (error instanceof RemoteError) throw error;
      const message = causeMessage(error);
      throw new RemoteError({
        code: 'ssh-config-invalid',
        host,
        cause: error,
        message: `${host}: ssh does not understand its configuration or ansible_ssh_common_args: ${message}`,
        hint: `see what ssh makes of it: ssh -G ${sshArgs} ${address}`,
      });
    }
  };
}
