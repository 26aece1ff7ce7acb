import type { Secret } from './secret.js';

/** One command for a host. It runs as the become user. */
export interface Command {
  /** What this does, for reports and errors: short, no secret. */
  readonly summary: string;
  /** A POSIX shell script. Holds no secret: secrets travel on stdin. */
  readonly script: string;
  readonly stdin?: string | Secret | Uint8Array | StdinFile | undefined;
  /**
   * It must run while others of the same connection do: where the server has no channel beside them, it fails at once
   * rather than wait until they have ended.
   */
  readonly runsBeside?: true;
  /**
   * It changes the host: it begins only where no other such command runs there, also none that a run has left behind which was
   * killed or lost its connection. Else its status is 75, and stderr says what runs. Only where it runs as root.
   */
  readonly alone?: true;
  /** The command is ended on the far side after this long. Default 60 000. */
  readonly timeoutMs?: number | undefined;
}

/** A file on stdin that may be larger than memory: it is read while it is sent. */
export interface StdinFile {
  /** Exactly so many are sent: where the file has fewer by then, the command is ended. */
  readonly bytes: number;
  /** SHA-256 in hex, for the plan; the host compares it. */
  readonly sha256: string;
  read(): AsyncIterable<Uint8Array>;
}

/** Where the stdout of a command goes that may be larger than memory. */
export interface Intake {
  /** Most that is taken; more is a flood, and ends the command. */
  readonly maxBytes: number;
  /** How long the host may work before the first byte, in milliseconds. */
  readonly firstByteMs: number;
  /** How long nothing may come after that, in milliseconds. */
  readonly silenceMs: number;
  /** Takes the next bytes, in order. The host sends no more than a window until it resolves; a rejection ends the command. */
  take(bytes: Uint8Array): Promise<void>;
}

/** What a command gave back. Only `status === 0` is success. */
export interface Output {
  /** Exit status; 124 for a time-out. A lost connection is no output but a RemoteError. */
  readonly status: number;
  /** As UTF-8; bytes that are none are replaced: what may hold any bytes is read from {@link Output.stdoutBytes}. */
  readonly stdout: string;
  readonly stdoutBytes: Uint8Array;
  readonly stderr: string;
}

/** Makes an {@link Output} whose text and bytes are the same. */
export function outputOf(status: number, stdout: string | Uint8Array, stderr = ''): Output {
  const bytes = typeof stdout === 'string' ? new TextEncoder().encode(stdout) : stdout;
  return { status, stdout: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes), stdoutBytes: bytes, stderr };
}

/** An open way to one host. Only `apply` ever holds one; planning sees a {@link Probe}. */
export interface Transport {
  /** Inventory name. */
  readonly host: string;
  /** @throws RemoteError when the connection fails or is lost; a non-zero status is returned, not thrown */
  run(command: Command): Promise<Output>;
  /**
   * Runs a command whose stdout is handed on as it comes, neither decoded nor kept; that of the output is empty. What was
   * handed on is whole only where this resolves.
   * @throws RemoteError as {@link Transport.run}, and for too much or too long a silence; what the intake throws
   */
  download(command: Command, intake: Intake): Promise<Output>;
  close(): Promise<void>;
}

/** Opens connections, one a host, kept until closed. The adapter is in ssh/. */
export interface Connector {
  /** @throws RemoteError unreachable, refused host key, refused authentication */
  connect(host: string): Promise<Transport>;
  /** Closes every connection. */
  close(): Promise<void>;
}

/**
 * One question to a host, and how to read its answer. A fact answers all its keys (paths, package names, units) with
 * one script, so that a host costs a handful of forks however many resources ask.
 */
export interface Fact<V> {
  readonly name: string;
  /** Its answer may hold secrets of the host (contents of files, arguments of processes): no error shows any of it. */
  readonly isConfidential?: true;
  /** A POSIX shell script that prints the answers for the keys. It changes nothing and reads no stdin. */
  script(keys: readonly string[]): string;
  /**
   * Pure. Must give a value for every key.
   * @param stdout the answer as UTF-8 text
   * @param bytes the same answer as it came, for answers that may hold any bytes; a look always gives it
   * @throws Error when the answer is not what the script prints
   */
  parse(stdout: string, keys: readonly string[], bytes?: Uint8Array): ReadonlyMap<string, V>;
  /**
   * What of an answer a plan holds on to: where that differs when the plan is performed, another process has changed the
   * host. Absent for what varies by itself. JSON without secrets: a digest in place of a content.
   */
  evidence?(value: V): unknown;
}

/** The right to look at a host, and at the others of the inventory. It can change nothing. */
export interface Probe {
  /** Inventory name of the host that answers. */
  readonly host: string;
  /** Questions asked in the same turn travel as one script in one exec. @throws RemoteError */
  ask<V>(fact: Fact<V>, key: string): Promise<V>;
  /** The same right on another host of the inventory. */
  on(host: string): Probe;
}
