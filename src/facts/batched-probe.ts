import { counted } from '../model/counted.js';
import { RemoteError, type RemoteDetails } from '../model/errors.js';
import type { Fact, Output, Probe } from '../model/remote.js';
import { joinScripts, splitAnswers } from '../shell/batch.js';

/** Sends one script to a host and gives its output. @throws RemoteError */
export type SendScript = (host: string, script: string) => Promise<Output>;

/** What a {@link createLook} needs of the world. */
export interface LookSource {
  readonly send: SendScript;
  /** Random letters and digits that no output will hold. */
  readonly token: () => string;
}

/**
 * One look at the hosts: a right to ask, for as long as the answers are taken to be true. What was asked once is not
 * asked again; all that is asked of a host in one turn of the event loop travels as one script in one exec.
 */
export interface Look {
  probe(host: string): Probe;
  /** The hosts that could not be asked so far, and why. */
  lost(): ReadonlyMap<string, RemoteError>;
}

/** Begins a look. */
export function createLook(source: LookSource): Look {
  const hosts = new Map<string, HostQuestions>();
  function questionsOf(host: string): HostQuestions {
    const known = hosts.get(host) ?? new HostQuestions(host, source);
    hosts.set(host, known);
    return known;
  }
  function probe(host: string): Probe {
    return {
      host,
      ask: async <V>(fact: Fact<V>, key: string) => (await questionsOf(host).ask(fact, key)) as V,
      on: probe,
    };
  }
  return {
    probe,
    lost: () => new Map([...hosts].flatMap(([host, { lost }]) => (lost === undefined ? [] : [[host, lost] as const]))),
  };
}

interface Question {
  readonly key: string;
  readonly settle: (value: unknown) => void;
  readonly fail: (error: unknown) => void;
}

interface FactQuestions {
  readonly fact: Fact<unknown>;
  readonly questions: Question[];
}

/** Why nothing can be known. */
interface LookFailure extends Pick<RemoteDetails, 'output' | 'cause' | 'hint'> {
  /** What was asked. */
  readonly command: string;
  readonly what: string;
}

/** Of an answer that can't be read, what an error shows, in characters. */
const EXCERPT_LENGTH = 80;

/** In JSON's escapes, and those for what it lets through: a terminal, or a log, shows what came. */
function excerptOf(answer: Uint8Array, { isConfidential }: Fact<unknown>): string {
  if (answer.length === 0) return 'it is empty';
  const size = counted(answer.length, 'byte');
  if (isConfidential) return `${size}, not shown because they may hold secrets`;
  const text = Buffer.from(answer.subarray(0, EXCERPT_LENGTH)).toString('latin1');
  const shown = JSON.stringify(text).replaceAll(
    /[\u007f-\u00ff]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16)}`,
  );
  return answer.length > EXCERPT_LENGTH ? `${shown}… (${size})` : shown;
}

/** The questions to one host: those answered, and those that leave at the end of this turn. */
class HostQuestions {
  readonly #host: string;
  readonly #source: LookSource;
  readonly #answers = new Map<string, Promise<unknown>>();
  #lost: RemoteError | undefined;
  /** By fact name. */
  #waiting = new Map<string, FactQuestions>();

  constructor(host: string, source: LookSource) {
    this.#host = host;
    this.#source = source;
  }

  /** Why the host could not be asked. */
  get lost(): RemoteError | undefined {
    return this.#lost;
  }

  ask(fact: Fact<unknown>, key: string): Promise<unknown> {
    const id = `${fact.name}\0${key}`;
    const answer = this.#answers.get(id) ?? this.#enqueue(fact, key);
    this.#answers.set(id, answer);
    return answer;
  }

  #enqueue(fact: Fact<unknown>, key: string): Promise<unknown> {
    // setImmediate runs after every promise of this turn: whatever they ask joins the same batch.
    if (this.#waiting.size === 0) setImmediate(() => void this.#flush());
    const group = this.#waiting.get(fact.name) ?? { fact, questions: [] };
    this.#waiting.set(fact.name, group);
    const answer = new Promise((settle, fail) => {
      group.questions.push({ key, settle, fail });
    });
    // It may fail before anybody awaits it; whoever does await it still gets the failure.
    answer.catch(() => undefined);
    return answer;
  }

  async #flush(): Promise<void> {
    const groups = [...this.#waiting.values()];
    this.#waiting = new Map();
    try {
      await this.#answer(groups);
    } catch (error) {
      const failure =
        error instanceof RemoteError ? error : this.#failure({ command: 'the look at the host', what: String(error) });
      for (const { fail } of groups.flatMap((group) => group.questions)) fail(failure);
    }
  }

  async #answer(groups: readonly FactQuestions[]): Promise<void> {
    const token = this.#source.token();
    const asked = groups.map(({ fact, questions }) => ({ fact, questions, keys: questions.map(({ key }) => key) }));
    const script = joinScripts(
      asked.map(({ fact, keys }) => fact.script(keys)),
      token,
    );
    const output = await this.#send(script);
    const answers = splitAnswers(output.stdoutBytes, token, asked.length);
    for (const [index, { fact, questions, keys }] of asked.entries()) {
      const answer = answers[index];
      if (answer?.status !== 0)
        throw this.#failure({
          command: `fact ${fact.name}`,
          what: `ended with status ${answer?.status ?? 'none'}`,
          output: output.stderr,
        });
      const values = this.#read(fact, keys, answer.stdout);
      for (const { key, settle, fail } of questions) {
        if (values instanceof RemoteError) fail(values);
        else settle(values.get(key));
      }
    }
  }

  async #send(script: string): Promise<Output> {
    try {
      return await this.#source.send(this.#host, script);
    } catch (error) {
      if (error instanceof RemoteError) this.#lost = error;
      throw error;
    }
  }

  /** A parser that fails met an answer that its script does not give: the error is the host's, and is about that fact. */
  #read(fact: Fact<unknown>, keys: readonly string[], answer: Uint8Array): ReadonlyMap<string, unknown> | RemoteError {
    try {
      return fact.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(answer), keys, answer);
    } catch (cause) {
      return this.#failure({
        command: `fact ${fact.name}`,
        what: `the answer can't be read: ${excerptOf(answer, fact)}`,
        cause,
        hint: `look on ${this.#host} whether its commands are the system's own: they answer with something else than they print`,
      });
    }
  }

  #failure({ command, what, ...more }: LookFailure): RemoteError {
    const message = `${this.#host}: ${command}: ${what}`;
    return new RemoteError({ code: 'look-failed', host: this.#host, command, message, ...more });
  }
}
