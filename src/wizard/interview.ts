import { InputError, type SourcePosition } from '../model/errors.js';
import type { Answer, AnswerKey } from './answers.js';
import type { Secret } from '../model/secret.js';
import {
  checkAnswer,
  type ChooseQuestion,
  type ListQuestion,
  type PickQuestion,
  type Question,
  type TextQuestion,
} from './question.js';

/** The person went back: the question before this one is asked again. */
export class WentBack extends Error {}

/** Whether there is a question to go back to. */
export type Place = 'first' | 'later';

/** Says how far a host is. */
export type Tell = (host: string, state: string) => void;

/** How questions are answered: by a person, or by their defaults. */
export interface Way {
  /**
   * Gives an answer that passed the question's check.
   * @param proposed the earlier answer, else the default
   * @throws WentBack
   */
  ask(question: Question, proposed: Answer | undefined, place: Place): Promise<Answer>;
  /** Yes, by default, or no. @throws WentBack */
  confirm(message: string, place: Place): Promise<boolean>;
  /** @throws WentBack */
  secret(message: string, place: Place): Promise<Secret>;
  /** Shows how far hosts are while something is done with them. @throws WentBack */
  watch<T>(message: string, hosts: readonly string[], work: (tell: Tell) => Promise<T>): Promise<T>;
  note(text: string): void;
}

/** A question whose answer is one of some words. */
export interface Chosen<V extends string> extends Omit<ChooseQuestion, 'kind' | 'choices' | 'default'> {
  readonly choices: readonly { readonly value: V; readonly name: string }[];
  readonly default: V;
}

/** What a flow of questions gets to ask them. */
export interface Ask {
  text(question: Omit<TextQuestion, 'kind'>): Promise<string>;
  list(question: Omit<ListQuestion, 'kind'>): Promise<readonly string[]>;
  pick(question: Omit<PickQuestion, 'kind'>): Promise<readonly string[]>;
  choose<V extends string>(question: Chosen<V>): Promise<V>;
  /** Asked each time, and no answer of the inventory's. */
  confirm(message: string): Promise<boolean>;
  /** A text that is not shown, and is no answer: it is never kept. */
  secret(message: string): Promise<Secret>;
  watch: Way['watch'];
  note(text: string): void;
}

/** Answers that are there before anything is asked. */
export interface Given {
  /** From a file of answers: these questions are not asked, and a wrong answer is an error with its place. */
  readonly file: ReadonlyMap<AnswerKey, Answer>;
  readonly placeOf: (key: AnswerKey) => SourcePosition | undefined;
  /** From a draft: taken as a person's own, who may go back to them. */
  readonly draft: ReadonlyMap<AnswerKey, Answer>;
  /** Gets all answers so far, whenever one is added. */
  readonly onAnswer: (answers: ReadonlyMap<AnswerKey, Answer>) => void;
}

/**
 * Walks through a flow of questions. The flow is a plain function that may ask, wait and branch: to go back, it is run
 * again from its start with the answers that were given, as far as the question to ask again. What it does beside asking
 * must therefore do no harm when it is done twice. Answers that are not asked again stay as proposals.
 * @throws InputError for a wrong answer of the file; what the flow throws
 */
export async function interview<T>(flow: (ask: Ask) => Promise<T>, way: Way, given: Given): Promise<T> {
  const answers = new Map([...given.draft, ...given.file]);
  let settled = new Set(given.draft.keys());
  let trail: AnswerKey[] = [];
  let isReplaying = false;
  const asked = new Set<AnswerKey>();

  const placeNow = (): Place => (trail.length === 0 ? 'first' : 'later');

  async function answerTo(question: Question): Promise<Answer> {
    const { key } = question;
    asked.add(key);
    const fromFile = given.file.get(key);
    if (fromFile !== undefined) {
      await requireRight(question, fromFile, given.placeOf(key));
      return fromFile;
    }
    const before = answers.get(key);
    isReplaying = before !== undefined && settled.has(key) && (await checkAnswer(question, before)) === true;
    if (isReplaying && before !== undefined) {
      trail.push(key);
      return before;
    }
    // What follows was answered with another answer to this one in mind.
    settled = new Set();
    const answer = await way.ask(question, before ?? question.default, placeNow());
    answers.set(key, answer);
    trail.push(key);
    given.onAnswer(answers);
    return answer;
  }

  const ask: Ask = {
    text: async (question) => textOf(await answerTo({ ...question, kind: 'text' })),
    list: async (question) => listOf(await answerTo({ ...question, kind: 'list' })),
    pick: async (question) => listOf(await answerTo({ ...question, kind: 'pick' })),
    async choose(question) {
      const answer = textOf(await answerTo({ ...question, kind: 'choose' }));
      // Every answer has passed the check of its question.
      return question.choices.find(({ value }) => value === answer)?.value ?? question.default;
    },
    secret: (message) => way.secret(message, placeNow()),
    watch(message, hosts, work) {
      // What comes of it is new, whatever was replayed before.
      isReplaying = false;
      return way.watch(message, hosts, work);
    },
    confirm: (message) => way.confirm(message, placeNow()),
    note(text) {
      if (!isReplaying) way.note(text);
    },
  };
  for (;;) {
    try {
      asked.clear();
      const result = await flow(ask);
      refuseUnasked(asked, given);
      // What another way of answering was asked for is no answer of this one.
      given.onAnswer(new Map([...answers].filter(([key]) => asked.has(key))));
      return result;
    } catch (error) {
      if (!(error instanceof WentBack)) throw error;
      settled = new Set(trail.slice(0, -1));
      trail = [];
    }
  }
}

async function requireRight(question: Question, answer: Answer, at: SourcePosition | undefined): Promise<void> {
  const result = await checkAnswer(question, answer);
  if (result !== true) throw new InputError([{ severity: 'error', at, subject: question.key, message: result }]);
}

/** An answer that no question takes up would be lost without a word. */
function refuseUnasked(asked: ReadonlySet<AnswerKey>, { file, placeOf }: Given): void {
  const left = [...file.keys()].filter((key) => !asked.has(key));
  if (left.length === 0) return;
  throw new InputError(
    left.map((key) => ({
      ...{ severity: 'error', at: placeOf(key), subject: key },
      message: 'is not asked where the other answers are what they are; leave it out, or change those',
    })),
  );
}

function textOf(answer: Answer): string {
  return typeof answer === 'string' ? answer : answer.join(' ');
}

function listOf(answer: Answer): readonly string[] {
  return typeof answer === 'string' ? [answer] : answer;
}
