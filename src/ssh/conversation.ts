import { constants } from 'node:os';
import type { ClientChannel } from 'ssh2';
import type { Intake } from '../model/remote.js';
import { afterDeadline } from './deadline.js';
import type { Answer, Dialogue, Ending } from './dialogue.js';
import { createMarkedPassage } from './marked-passage.js';
import { createMarkedStream, type MarkedStream } from './marked-stream.js';
import { sendFile } from './send-file.js';

/** What login shells, /etc/profile, a forced command may print before the answer. */
export const NOISE_LIMIT_BYTES = 64 * 1024;
/** What a host may still send after its command was given up, before the connection is dropped: two windows of ssh2. */
const AFTERMATH_LIMIT_BYTES = 4 * 1024 * 1024;

function statusOf(code: number | null, signal: string | undefined): number {
  const number = (constants.signals as Readonly<Record<string, number | undefined>>)[signal ?? ''] ?? 0;
  return code ?? 128 + number;
}

/** Talks on an open channel until its command has ended, failed or broken a limit. */
export class Conversation {
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
