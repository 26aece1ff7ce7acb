import { counted } from '../model/counted.js';
import { InputError } from '../model/errors.js';
import type { Answer, AnswerKey } from './answers.js';
import { parseAnswers } from './answers-file.js';

/** The answers of a draft; `undefined` where it is none, or has none: it is no person's work, and may be thrown away. */
export function readDraft(file: string, text: string): ReadonlyMap<AnswerKey, Answer> | undefined {
  try {
    const { answers } = parseAnswers(file, text);
    return answers.size === 0 ? undefined : answers;
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** Asks whether to go on from a draft. */
export function draftQuestion(file: string, answers: ReadonlyMap<AnswerKey, Answer>): string {
  return `${counted(answers.size, 'answer')} of an earlier run ${answers.size === 1 ? 'is' : 'are'} kept in ${file}. Continue from there?`;
}
