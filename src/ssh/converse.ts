import { constants } from 'node:os';
import type { Client, ClientChannel } from 'ssh2';
import type { Intake, StdinFile } from '../model/remote.js';
import type { Secret } from '../model/secret.js';
import type { Marks } from '../shell/remote-command.js';
import { afterDeadline, inTime } from './deadline.js';
import { closeIsLastWord } from './last-word.js';
import type { Timing } from './link.js';
import { createMarkedPassage } from './marked-passage.js';
import { createMarkedStream, type MarkedStream } from './marked-stream.js';
import { sendFile } from './send-file.js';
import type { SudoWatch } from './sudo.js';

/** What login shells, /etc/profile, a forced command may print before the answer. */
export const NOISE_LIMIT_BYTES = 64 * 1024;
/** What a host may still send after its command was given up, before the connection is dropped: two windows of ssh2. */
const AFTERMATH_LIMIT_BYTES = 4 * 1024 * 1024;

/** How a command ended, as far as the channel tells. */
export type Ending =
  /** The answer came whole; the status is the command's own. */
  | { readonly kind: 'answered'; readonly status: number }
  /** The command ended, but its answer did not come whole. */
  | { readonly kind: 'cut'; readonly status: number }
  /** This side could not take what came, or not read what was to be sent. */
  | { readonly kind: 'given-up'; readonly because: unknown }
  | { readonly kind: 'lost' | 'hung' | 'silent' | 'not-started' | 'too-much-noise' | 'flood' | 'wrong-password' };

/** What is said over one channel. */
export interface Dialogue {
  readonly line: string;
  readonly payload: Buffer;
  /** Follows the payload. */
  readonly file: StdinFile | undefined;
  /** Takes stdout as it comes; absent: it is kept. */
  readonly intake: Intake | undefined;
  readonly marks: Marks;
  readonly timeoutMs: number;
  readonly timing: Pick<Timing, 'startTimeoutMs' | 'guardMs' | 'lingerMs'>;
  readonly outputLimits: { readonly stdout: number; readonly stderr: number };
  /** Set when a password is ready: the payload waits until sudo lets the command in. */
  readonly password: Secret | undefined;
  readonly sudo: SudoWatch | undefined;
}

/** What came back over one channel. */
export interface Answer {
  readonly ending: Ending;
  readonly stdout: MarkedStream;
  readonly stderr: MarkedStream;
  /** sudo let the command in; true also when there is no sudo in between. */
  readonly granted: boolean;
}

/** The server has no answer to a request to open a channel, or to run a command in it. */
export class NoChannelInTime extends Error {}

function statusOf(code: number | null, signal: string | undefined): number {
  const number = (constants.signals as Readonly<Record<string, number | undefined>>)[signal ?? ''] ?? 0;
  return code ?? 128 + number;
}

/** Talks on an open channel until its command has ended, failed or broken a limit. */
class Conversation {
  readonly #channel: ClientChannel;
  readonly #dialogue: Dialogue;
  readonly #stdout: MarkedStream;
  /** What has come and is surely of the answer, for the intake. */
  readonly #arrived: () => Buffer;
  /** The intake has not yet taken the last bytes: the channel waits. */
  #isTaking = false;
  /** How it ended while the intake was busy. */
  #endedMeanwhile: Ending | undefined;
  readonly #stderr: MarkedStream;
  readonly #drop: (reason: Error) => void;
  readonly #resolve: (answer: Answer) => void;
  #granted: boolean;
  #status: number | undefined;
  #settled = false;
  #aftermath = 0;
  /** Takes the deadline back: that of the start, then that of the whole command. */
  #clearDeadline: () => void;
  /** For what is left to come when the command has ended, or has answered. */
  #clearLinger: () => void = () => undefined;

  constructor(
    channel: ClientChannel,
    dialogue: Dialogue,
    { drop, resolve }: { drop: (reason: Error) => void; resolve: (answer: Answer) => void },
  ) {
    const limits = (inside: number) => ({ before: NOISE_LIMIT_BYTES, inside });
    this.#channel = channel;
    this.#dialogue = dialogue;
    const passage = dialogue.intake && createMarkedPassage(dialogue.marks, limits(dialogue.outputLimits.stdout));
    this.#stdout = passage ?? createMarkedStream(dialogue.marks, limits(dialogue.outputLimits.stdout));
    this.#arrived = () => passage?.arrived() ?? Buffer.alloc(0);
    this.#stderr = createMarkedStream(dialogue.marks, limits(dialogue.outputLimits.stderr));
    this.#drop = drop;
    this.#resolve = resolve;
    this.#granted = dialogue.sudo === undefined;
    this.#clearDeadline = this.#settleIn(dialogue.timing.startTimeoutMs, { kind: 'not-started' });
  }

  begin(): void {
    const channel = this.#channel;
    channel.on('data', (chunk: Buffer) => {
      this.#take(this.#stdout, chunk);
    });
    channel.stderr.on('data', (chunk: Buffer) => {
      if (this.#granted) this.#take(this.#stderr, chunk);
      else this.#listenToSudo(chunk);
    });
    channel.on('exit', (code: number | null, signal?: string) => {
      this.#status = statusOf(code, signal);
      // What is still on its way comes before the close; a daemon that holds the outputs open may keep that away.
      this.#settleOrLinger();
    });
    channel.on('close', () => {
      // An end without a status is a lost connection, never a success: ssh2 closes its channels like any other.
      const end = this.#end() ?? { kind: 'lost' };
      if (this.#isTaking) this.#endedMeanwhile = end;
      else this.#settle(end);
    });
    // A command that ends before it has read all of its stdin is no error of the connection.
    channel.on('error', () => undefined);
    if (this.#dialogue.password === undefined) this.#send();
  }

  #send(): void {
    const { payload, file } = this.#dialogue;
    this.#channel.write(payload);
    if (file === undefined) return;
    sendFile(this.#channel, file).catch((because: unknown) => {
      this.#settle({ kind: 'given-up', because });
    });
  }

  #settleIn(ms: number, ending: Ending): () => void {
    return afterDeadline(ms, () => {
      this.#settle(ending);
    });
  }

  #settle(ending: Ending): void {
    this.#clearDeadline();
    this.#clearLinger();
    if (this.#settled) return;
    this.#settled = true;
    this.#channel.close();
    // What still comes is counted; in a channel that waits it would only pile up.
    this.#channel.resume();
    this.#resolve({ ending, stdout: this.#stdout, stderr: this.#stderr, granted: this.#granted });
  }

  /** How the command ended, as far as it has. */
  #end(): Ending | undefined {
    const status = this.#stdout.status();
    if (status !== undefined && this.#stderr.state() === 'ended') return { kind: 'answered', status };
    return this.#status === undefined ? undefined : { kind: 'cut', status: this.#status };
  }

  #settleOrLinger(): void {
    const end = this.#end();
    if (end === undefined || this.#isTaking) return;
    this.#clearLinger();
    if (end.kind === 'answered' && this.#status !== undefined) this.#settle(end);
    else this.#clearLinger = this.#settleIn(this.#dialogue.timing.lingerMs, end);
  }

  #take(stream: MarkedStream, chunk: Buffer): void {
    if (this.#settled) {
      this.#countAftermath(chunk);
      return;
    }
    const before = stream.state();
    const state = stream.read(chunk);
    if (state === 'too-much-before') this.#settle({ kind: 'too-much-noise' });
    else if (state === 'too-much-inside') this.#settle({ kind: 'flood' });
    else {
      if (before === 'before' && state !== 'before') this.#beginTime();
      if (stream === this.#stdout) this.#handOn();
      this.#settleOrLinger();
    }
  }

  #beginTime(): void {
    const { intake, timeoutMs, timing } = this.#dialogue;
    this.#clearDeadline();
    this.#clearDeadline =
      intake === undefined
        ? this.#settleIn(timeoutMs + timing.guardMs, { kind: 'hung' })
        : this.#settleIn(intake.firstByteMs, { kind: 'silent' });
  }

  /** The channel waits until the intake is done with what came: the host sends no more than a window meanwhile. */
  #handOn(): void {
    const { intake } = this.#dialogue;
    const bytes = this.#arrived();
    if (intake === undefined || bytes.length === 0) return;
    this.#isTaking = true;
    this.#channel.pause();
    // Time that this machine takes is not the host's silence.
    this.#clearDeadline();
    this.#clearLinger();
    intake.take(bytes).then(
      () => {
        this.#handedOn(intake);
      },
      (because: unknown) => {
        this.#settle({ kind: 'given-up', because });
      },
    );
  }

  #handedOn({ silenceMs }: Intake): void {
    this.#isTaking = false;
    if (this.#settled) return;
    if (this.#channel.readableLength > AFTERMATH_LIMIT_BYTES) {
      this.#settle({ kind: 'flood' });
      return;
    }
    this.#clearDeadline = this.#settleIn(silenceMs, { kind: 'silent' });
    if (this.#endedMeanwhile !== undefined) this.#settle(this.#endedMeanwhile);
    else this.#settleOrLinger();
    this.#channel.resume();
  }

  #listenToSudo(chunk: Buffer): void {
    const { sudo, password } = this.#dialogue;
    if (this.#settled || sudo === undefined) {
      this.#countAftermath(chunk);
      return;
    }
    const step = sudo.read(chunk);
    if (step === 'send-password' && password !== undefined) this.#channel.write(`${password.reveal()}\n`);
    if (step === 'wrong-password') this.#settle({ kind: 'wrong-password' });
    if (step === 'too-much') this.#settle({ kind: 'too-much-noise' });
    if (step !== 'granted') return;
    this.#granted = true;
    if (password !== undefined) this.#send();
    this.#take(this.#stderr, sudo.rest());
  }

  /** A host that goes on after its channel was closed means harm, or is broken: neither gets more of our memory. */
  #countAftermath(chunk: Buffer): void {
    this.#aftermath += chunk.length;
    if (this.#aftermath > AFTERMATH_LIMIT_BYTES) this.#drop(new Error('the host goes on sending on a closed channel'));
  }
}

/** Where a channel is opened, and how long that may take. */
export interface ChannelSource {
  readonly client: Client;
  readonly channelTimeoutMs: number;
  /** Ends the connection. */
  readonly drop: (reason: Error) => void;
}

/**
 * Opens a channel and talks on it. The listeners are there before this turn ends: a short command's status can arrive
 * in the same packet as the answer to `exec`, and would be missed after an `await`.
 * @throws NoChannelInTime after the connection was dropped, so that nothing is started late; ssh2's Error
 */
export function converse({ client, channelTimeoutMs, drop }: ChannelSource, dialogue: Dialogue): Promise<Answer> {
  function error(): Error {
    const late = new NoChannelInTime(`the server opened no channel for a command within ${channelTimeoutMs / 1000} s`);
    drop(late);
    return late;
  }
  return new Promise((resolve, reject) => {
    const opened = inTime<ClientChannel>({ ms: channelTimeoutMs, error }, (done) => {
      client.exec(dialogue.line, (failed: Error | undefined, channel) => {
        if (!failed) new Conversation(closeIsLastWord(channel), dialogue, { drop, resolve }).begin();
        done(failed, channel);
      });
    });
    opened.catch(reject);
  });
}
