import { constants } from 'node:os';
import type { Client, ClientChannel } from 'ssh2';
import { RemoteError } from '../model/errors.js';
import type { Become } from '../model/inventory.js';
import { outputOf, type Command, type Output } from '../model/remote.js';
import { Secret } from '../model/secret.js';
import { END_OF_PART, remoteCommandLine } from '../shell/remote-command.js';
import { causeMessage, channelReason } from './cause.js';
import { explainRefusal, watchSudo, type SudoWatch } from './sudo.js';

/** Default of `Command.timeoutMs`. */
const DEFAULT_TIMEOUT_MS = 60_000;
/** The far side ends a command at its time-out, or kills it 5 s later; longer than this, nothing works there. */
const GUARD_MS = 15_000;
/** A daemon that a command left behind may hold its outputs open for ever: how long to wait for more of them. */
const LINGER_MS = 5_000;
/** No question or command of this program prints so much; without a bound, a wrong one takes all memory. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** Where and as whom a command runs. */
export interface Execution {
  /** Inventory name. */
  readonly host: string;
  readonly client: Client;
  readonly become: Become | undefined;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Why the connection was lost, when it was. */
  readonly lostBecause: () => unknown;
}

/** The server has no free channel (RFC 4254, SSH_OPEN_CONNECT_FAILED), though the connection lives: MaxSessions. */
export function isSessionLimit(error: unknown): boolean {
  return channelReason(error) === 2;
}

function bytesOf(stdin: Command['stdin']): Uint8Array {
  if (stdin === undefined) return new Uint8Array();
  if (stdin instanceof Secret) return Buffer.from(stdin.reveal());
  return typeof stdin === 'string' ? Buffer.from(stdin) : stdin;
}

/** How a command ended, as far as the channel tells. */
type Ending =
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'lost' }
  | { readonly kind: 'hung' }
  | { readonly kind: 'flood' }
  | { readonly kind: 'wrong-password' };

/** What is said over one channel. */
interface Dialogue {
  readonly payload: Buffer;
  readonly timeoutMs: number;
  /** Set when a password is ready: the payload waits until sudo lets the command in. */
  readonly password: Secret | undefined;
  readonly sudo: SudoWatch | undefined;
}

/** What came back over one channel. */
interface Answer {
  readonly ending: Ending;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** sudo let the command in; true also when there is no sudo in between. */
  readonly granted: boolean;
}

function converse(channel: ClientChannel, { payload, timeoutMs, password, sudo }: Dialogue): Promise<Answer> {
  return new Promise((resolve) => {
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let size = 0;
    let status: number | undefined;
    let granted = sudo === undefined;
    let linger: NodeJS.Timeout | undefined;
    const guard = setTimeout(() => {
      settle({ kind: 'hung' });
    }, timeoutMs + GUARD_MS);

    function settle(ending: Ending): void {
      clearTimeout(guard);
      clearTimeout(linger);
      channel.close();
      resolve({ ending, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), granted });
    }
    /** Starts, or starts anew, the wait for outputs that somebody else still holds open. */
    function lingerOn(): void {
      if (status === undefined) return;
      clearTimeout(linger);
      const ended = status;
      linger = setTimeout(() => {
        settle({ kind: 'status', status: ended });
      }, LINGER_MS);
    }
    function collect(into: Buffer[], chunk: Buffer): void {
      into.push(chunk);
      size += chunk.length;
      if (size > MAX_OUTPUT_BYTES) settle({ kind: 'flood' });
      else lingerOn();
    }
    function listenToSudo(watch: SudoWatch, chunk: Buffer): void {
      const step = watch.read(chunk);
      if (step === 'send-password' && password !== undefined) channel.write(`${password.reveal()}\n`);
      if (step === 'wrong-password') settle({ kind: 'wrong-password' });
      if (step !== 'granted') return;
      granted = true;
      if (password !== undefined) channel.write(payload);
      collect(stderr, watch.rest());
    }

    channel.on('data', (chunk: Buffer) => {
      collect(stdout, chunk);
    });
    channel.stderr.on('data', (chunk: Buffer) => {
      if (granted || sudo === undefined) collect(stderr, chunk);
      else listenToSudo(sudo, chunk);
    });
    channel.on('exit', (code: number | null, signal?: string) => {
      const number = (constants.signals as Readonly<Record<string, number | undefined>>)[signal ?? ''] ?? 0;
      status = code ?? 128 + number;
      lingerOn();
    });
    // An end without a status is a lost connection, never a success: ssh2 closes its channels like any other.
    channel.on('close', () => {
      settle(status === undefined ? { kind: 'lost' } : { kind: 'status', status });
    });
    // A command that ends before it has read all of its stdin is no error of the connection.
    channel.on('error', () => undefined);
    if (password === undefined) channel.write(payload);
  });
}

/**
 * Opens a channel and talks on it. The listeners are there before this turn ends: a short command's status can arrive
 * in the same packet as the answer to `exec`, and would be missed after an `await`.
 */
function openAndConverse(client: Client, line: string, dialogue: Dialogue): Promise<Answer> {
  return new Promise((resolve, reject) => {
    client.exec(line, (error, channel) => {
      if (error) reject(error);
      else resolve(converse(channel, dialogue));
    });
  });
}

function prepare(command: Command, become: Become | undefined, randomBytes: Execution['randomBytes']) {
  const script = Buffer.from(command.script);
  const stdin = bytesOf(command.stdin);
  const timeoutMs = command.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const word = Buffer.from(randomBytes(16)).toString('hex');
  const words = { prompt: `prompt-${word}`, granted: `granted-${word}` };
  const line = remoteCommandLine({
    scriptBytes: script.length,
    stdinBytes: stdin.length,
    timeoutMs,
    sudo: become && {
      user: become.user,
      prompt: become.password === undefined ? undefined : words.prompt,
      granted: words.granted,
    },
  });
  const end = Buffer.from(END_OF_PART);
  const payload = Buffer.concat([script, end, ...(stdin.length === 0 ? [] : [stdin, end])]);
  const sudo = become && watchSudo(words.prompt, words.granted);
  return { line, dialogue: { payload, timeoutMs, password: become?.password, sudo } };
}

/** The last lines of an output, for an error. */
function tail(answer: Answer): string {
  return `${answer.stdout.toString('utf8')}${answer.stderr.toString('utf8')}`
    .trimEnd()
    .split('\n')
    .slice(-10)
    .join('\n');
}

function failure(execution: Execution, command: Command, answer: Answer, sudo: SudoWatch | undefined): RemoteError {
  const { host, become } = execution;
  const details = {
    host,
    command: command.summary,
    status: null,
    output: tail(answer),
    cause: execution.lostBecause(),
  };
  const place = `${host}: ${command.summary}`;
  if (answer.ending.kind === 'hung')
    return new RemoteError({
      ...details,
      code: 'command-hung',
      message: `${place}: did not end ${GUARD_MS / 1000} s after its time-out`,
      hint: `look on the host what still runs: ssh ${host} ps -ef`,
    });
  if (answer.ending.kind === 'flood')
    return new RemoteError({
      ...details,
      code: 'output-too-large',
      message: `${place}: printed more than ${MAX_OUTPUT_BYTES / 1024 / 1024} MiB`,
    });
  if (answer.ending.kind === 'lost') {
    const cause = causeMessage(execution.lostBecause());
    return new RemoteError({
      ...details,
      code: 'connection-lost',
      message: `${place}: the connection was lost before the command ended${cause === '' ? '' : `: ${cause}`}`,
      hint: 'run again: what was done is found as it is, and the rest is done',
    });
  }
  const said = sudo?.said() ?? '';
  const told = answer.ending.kind === 'wrong-password' ? 'Sorry, try again.' : said;
  const refusal = explainRefusal(told, become?.user ?? 'root');
  return new RemoteError({ ...details, output: said, ...refusal, message: `${place}: ${refusal.message}` });
}

/**
 * Runs one command on a channel of its own.
 * @throws RemoteError when the connection is lost, sudo refuses, or the command can't be ended
 */
export async function execute(execution: Execution, command: Command): Promise<Output> {
  const { line, dialogue } = prepare(command, execution.become, execution.randomBytes);
  const startedAt = performance.now();
  const answer = await openAndConverse(execution.client, line, dialogue);
  if (answer.ending.kind !== 'status' || !answer.granted) throw failure(execution, command, answer, dialogue.sudo);
  const { status } = answer.ending;
  // A command that ignores SIGTERM is killed, and `timeout` with it: then the status is that of the signal.
  const timedOut = status === 137 && performance.now() - startedAt >= dialogue.timeoutMs;
  return outputOf(timedOut ? 124 : status, answer.stdout, answer.stderr.toString('utf8'));
}
