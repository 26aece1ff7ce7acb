import type { Client } from 'ssh2';
import { RemoteError, type RemoteDetails } from '../model/errors.js';
import type { Become } from '../model/inventory.js';
import { outputOf, type Command, type Intake, type Output, type StdinFile } from '../model/remote.js';
import { Secret } from '../model/secret.js';
import { busyScript } from '../shell/busy.js';
import { marksOf, remoteCommandLine, remotePayload } from '../shell/remote-command.js';
import { causeMessage, channelReason } from './cause.js';
import { NOISE_LIMIT_BYTES } from './conversation.js';
import { converse } from './converse.js';
import type { Answer, Dialogue } from './dialogue.js';
import type { Timing } from './link.js';
import { explainRefusal, watchSudo } from './sudo.js';

/** Default of `Command.timeoutMs`. */
const DEFAULT_TIMEOUT_MS = 60_000;
/** No question or command of this program prints so much; without a bound, one host takes all memory. */
const OUTPUT_LIMITS = { stdout: 16 * 1024 * 1024, stderr: 1024 * 1024 };
/** From this status on (`timeout`, signals) a command was ended before it could end its answer. */
const FIRST_STATUS_OF_ENDED = 124;
/** Of an output, what an error shows. */
const TAIL_LINES = 10;
const TAIL_BYTES = 4096;

/** Where and as whom a command runs. */
export interface Execution {
  /** Inventory name. */
  readonly host: string;
  readonly client: Client;
  readonly become: Become | undefined;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly timing: Pick<Timing, 'channelTimeoutMs' | 'startTimeoutMs' | 'guardMs' | 'lingerMs'>;
  /** Why the connection was lost, when it was. */
  readonly lostBecause: () => unknown;
  /** Ends the connection. */
  readonly drop: (reason: Error) => void;
}

/** This side ended the command: what came could not be taken, or what was to be sent could not be read. */
export class GivenUp extends Error {
  readonly because: unknown;
  constructor(because: unknown) {
    super('given up on this side');
    this.because = because;
  }
}

/** The server has no free channel (RFC 4254, SSH_OPEN_CONNECT_FAILED), though the connection lives: MaxSessions. */
export function isSessionLimit(error: unknown): boolean {
  return channelReason(error) === 2;
}

function isFile(stdin: Command['stdin']): stdin is StdinFile {
  return typeof stdin === 'object' && 'read' in stdin;
}

function bytesOf(stdin: Exclude<Command['stdin'], StdinFile>): Uint8Array {
  if (stdin === undefined) return new Uint8Array();
  if (stdin instanceof Secret) return Buffer.from(stdin.reveal());
  return typeof stdin === 'string' ? Buffer.from(stdin) : stdin;
}

function prepare(command: Command, intake: Intake | undefined, execution: Execution): Dialogue {
  const { become, randomBytes, timing } = execution;
  const script = Buffer.from(command.alone === true ? busyScript(command.summary, command.script) : command.script);
  const file = isFile(command.stdin) ? command.stdin : undefined;
  const stdin = isFile(command.stdin) ? new Uint8Array() : bytesOf(command.stdin);
  const timeoutMs = command.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  // Two words: the one of the answer is never in an argument of a process, that of sudo has to be.
  const [token = '', word = ''] = [16, 16].map((size) => Buffer.from(randomBytes(size)).toString('hex'));
  const words = { prompt: `prompt-${word}`, granted: `granted-${word}` };
  const line = remoteCommandLine({
    scriptBytes: script.length,
    stdinBytes: file?.bytes ?? stdin.length,
    timeoutMs,
    sudo: become && {
      user: become.user,
      program: become.program,
      flags: become.flags,
      prompt: become.password === undefined ? undefined : words.prompt,
      granted: words.granted,
    },
  });
  return {
    line,
    payload: remotePayload(token, script, stdin),
    file,
    intake,
    marks: marksOf(token),
    timeoutMs,
    timing,
    outputLimits: { ...OUTPUT_LIMITS, stdout: intake?.maxBytes ?? OUTPUT_LIMITS.stdout },
    password: become?.password,
    sudo: become && watchSudo(words.prompt, words.granted),
  };
}

/** The last lines of an output, for an error. */
function tail({ stdout, stderr }: Answer): string {
  return [stdout, stderr]
    .map((stream) => stream.content().subarray(-TAIL_BYTES).toString('utf8'))
    .join('')
    .trimEnd()
    .split('\n')
    .slice(-TAIL_LINES)
    .join('\n');
}

/** What an error says beyond the host and the command. */
type Reason = Pick<RemoteDetails, 'code' | 'message' | 'hint'>;

const MIB = 1024 * 1024;

/** The answer can't be told from what else came: never taken for a success. */
function noAnswer(answer: Answer): Reason {
  const begun = answer.stdout.state() !== 'before';
  const what = begun ? 'the answer ended early' : 'the command was not started';
  const status = answer.ending.kind === 'cut' ? ` (status ${answer.ending.status})` : '';
  return {
    code: 'no-answer',
    message: `${what}: the ${begun ? 'end' : 'begin'} mark is missing in what came back${status}`,
    hint: 'log in by hand and look at the login shell, its start files and any ForceCommand: they must run what is asked for, with its stdin',
  };
}

function reasonOf(
  answer: Answer,
  { sudo, outputLimits: limits }: Dialogue,
  { become, host, timing, lostBecause }: Execution,
): Reason {
  const { kind } = answer.ending;
  if (kind === 'hung')
    return {
      code: 'command-hung',
      message: `did not end ${timing.guardMs / 1000} s after its time-out`,
      hint: `look on the host what still runs: ssh ${host} ps -ef`,
    };
  if (kind === 'not-started') {
    const who = answer.granted ? 'the login shell' : 'sudo';
    const message = `${who} did not start the command within ${timing.startTimeoutMs / 1000} s`;
    return {
      code: 'command-hung',
      message,
      hint: `try it by hand: ssh ${host} ${answer.granted ? 'true' : 'sudo true'}`,
    };
  }
  if (kind === 'silent')
    return { code: 'command-hung', message: 'nothing more came for too long: what has arrived is incomplete' };
  if (kind === 'flood') {
    const { stdout, stderr } = limits;
    const most = `${Math.round(stdout / MIB)} MiB on stdout, ${stderr / MIB} MiB on stderr`;
    return { code: 'output-too-large', message: `printed more than the limit for a host (${most})` };
  }
  if (kind === 'too-much-noise')
    return {
      code: 'output-too-large',
      message: `more than ${NOISE_LIMIT_BYTES / 1024} KiB came before the command was started`,
      hint: 'look at the start files of the login shell (.bashrc, /etc/profile), at sudo and at any ForceCommand',
    };
  if (kind === 'lost') {
    const cause = causeMessage(lostBecause());
    return {
      code: 'connection-lost',
      message: `the connection was lost before the command ended${cause === '' ? '' : `: ${cause}`}`,
      hint: 'run again: finished changes are detected, and the rest is completed',
    };
  }
  const said = kind === 'wrong-password' ? 'Sorry, try again.' : (sudo?.said() ?? '');
  return answer.granted || said === '' ? noAnswer(answer) : explainRefusal(said, become?.user ?? 'root');
}

function failure(execution: Execution, command: Command, answer: Answer, dialogue: Dialogue): RemoteError {
  const { host } = execution;
  const { sudo } = dialogue;
  const reason = reasonOf(answer, dialogue, execution);
  return new RemoteError({
    ...reason,
    host,
    command: command.summary,
    status: null,
    output: answer.granted ? tail(answer) : `${tail(answer)}${sudo?.said() ?? ''}`,
    cause: execution.lostBecause(),
    message: `${host}: ${command.summary}: ${reason.message}`,
  });
}

/**
 * The status of a command that has ended; undefined when nothing is sure about it. Only the mark tells of a success; a
 * command that was killed with all its processes could not print one.
 */
function statusIn({ ending, stdout }: Answer, ranMs: number, timeoutMs: number): number | undefined {
  if (ending.kind === 'answered') return ending.status;
  if (ending.kind !== 'cut' || ending.status < FIRST_STATUS_OF_ENDED || stdout.state() !== 'inside') return undefined;
  // A command that ignores SIGTERM is killed, and `timeout` with it: then the status is that of the signal.
  return ending.status === 137 && ranMs >= timeoutMs ? 124 : ending.status;
}

/**
 * Runs one command on a channel of its own. Its outputs are what came between the marks of this exec, its status what
 * the end mark says.
 * @param intake takes stdout as it comes
 * @throws RemoteError when the connection is lost, sudo refuses, a limit or a deadline is broken, or marks are missing
 * @throws GivenUp with what the intake, or reading the file on stdin, threw
 * @throws NoChannelInTime, or ssh2's Error, when the command was not started
 */
export async function execute(execution: Execution, command: Command, intake?: Intake): Promise<Output> {
  const dialogue = prepare(command, intake, execution);
  const { client, drop, timing } = execution;
  const startedAt = performance.now();
  const answer = await converse({ client, drop, channelTimeoutMs: timing.channelTimeoutMs }, dialogue);
  const status = statusIn(answer, performance.now() - startedAt, dialogue.timeoutMs);
  if (answer.ending.kind === 'given-up') throw new GivenUp(answer.ending.because);
  if (status === undefined || !answer.granted) throw failure(execution, command, answer, dialogue);
  return outputOf(
    status,
    intake === undefined ? answer.stdout.content() : '',
    answer.stderr.content().toString('utf8'),
  );
}
