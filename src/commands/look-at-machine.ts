import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { causeMessage } from '../ssh/cause.js';
import { readTextBounded, LARGE_FILE_BYTES } from '../model/read-bounded.js';
import type { SeenMachine } from '../diagnosis/this-machine.js';
import type { Context } from './context.js';
import { userName } from './lock-holder.js';

type Env = Context['env'];

/** Looks at the machine that this program runs on. Connects to no host, and changes nothing. */
export async function lookAtMachine({
  env,
  stdin,
  stderr,
}: Pick<Context, 'env' | 'stdin' | 'stderr'>): Promise<SeenMachine> {
  const [hasSsh, etcdutl, etcdctl, agent, files, clock, lab] = await Promise.all([
    hasProgram('ssh', env),
    hasProgram('etcdutl', env),
    hasProgram('etcdctl', env),
    askAgent(env),
    lookAtSshFiles(env),
    ownClock(),
    missingForLab(env),
  ]);
  const snapshotTool = etcdutl ? 'etcdutl' : etcdctl ? 'etcdctl' : undefined;
  return {
    node: process.versions.node,
    hasSsh,
    ...(agent === undefined ? {} : { agent }),
    ...files,
    ...(clock === undefined ? {} : { clock }),
    terminal: stdin.isTTY && stderr.isTTY ? 'yes' : 'no',
    passphrase: env['PROVISION_CA_PASSPHRASE'] ? 'set' : 'not set',
    ...(snapshotTool === undefined ? {} : { snapshotTool }),
    lab,
  };
}

async function isThere(path: string, mode = constants.R_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

async function hasProgram(name: string, env: Env): Promise<boolean> {
  const directories = (env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '');
  const found = await Promise.all(directories.map(async (each) => isThere(join(each, name), constants.X_OK)));
  return found.includes(true);
}

async function askAgent(env: Env): Promise<SeenMachine['agent']> {
  const socket = env['SSH_AUTH_SOCK'];
  if (!socket) return undefined;
  const { openAgent } = await import('../ssh/agent.js');
  try {
    return { keys: (await openAgent(socket)).keys.length };
  } catch (error) {
    return { problem: causeMessage(error) };
  }
}

/** As for a host of which ssh's configuration says nothing of its own: such a name can't be one (RFC 2606). */
const ANY_HOST = { host: 'this machine', address: 'any.invalid', port: undefined, user: undefined, sshArgs: undefined };

async function lookAtSshFiles(env: Env): Promise<Pick<SeenMachine, 'defaultKeys' | 'knownHosts'>> {
  const { createSettingsResolver } = await import('../ssh/resolve-settings.js');
  const { parseKnownHosts } = await import('../ssh/known-hosts.js');
  const home = homedir();
  const settings = await createSettingsResolver({ env, home, user: userName() })(ANY_HOST);
  const keys = await Promise.all(
    settings.identityFiles.map(async (file) => ((await isThere(file)) ? [file.replace(`${home}/`, '~/')] : [])),
  );
  const files = [...settings.userKnownHostsFiles, ...settings.globalKnownHostsFiles];
  const entries = await Promise.all(
    files.map(async (file) => parseKnownHosts(await readTextBounded(file, LARGE_FILE_BYTES).catch(() => ''), file)),
  );
  return { defaultKeys: keys.flat(), knownHosts: entries.flat().length };
}

/** How long systemd may take to answer. */
const CLOCK_TIMEOUT_MS = 5_000;

function ownClock(): Promise<SeenMachine['clock']> {
  return new Promise((done) => {
    const words = ['show', '--property=NTPSynchronized', '--value'];
    execFile('timedatectl', words, { timeout: CLOCK_TIMEOUT_MS }, (error, stdout) => {
      const answer = error === null ? stdout.trim() : '';
      done(answer === 'yes' ? 'synchronised' : answer === 'no' ? 'not synchronised' : undefined);
    });
  });
}

async function missingForLab(env: Env): Promise<SeenMachine['lab']> {
  const { inspectMachine, whatIsMissing } = await import('../lab/requirements.js');
  const { chosenMirror } = await import('../lab/mirror.js');
  return whatIsMissing(await inspectMachine(env['PATH'] ?? '', (await chosenMirror(env)) !== undefined));
}
