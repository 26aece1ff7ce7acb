import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ProvisionError } from '../model/errors.js';
import type { Answer, AnswerKey } from '../wizard/answers.js';
import type { Way } from '../wizard/interview.js';

type Answers = ReadonlyMap<AnswerKey, Answer>;

/** Answers of a wizard that was not finished. */
export interface Draft {
  /** Asks whether to continue from what is kept, if anything is. @returns the answers to continue from */
  offer(way: Way): Promise<Answers>;
  /** Keeps the answers, for their owner only. @returns the error that ended the wizard, which says where */
  keep(answers: Answers, error: unknown): Promise<unknown>;
  remove(): Promise<void>;
}

/** The draft of an inventory is kept beside it. */
export function createDraft(inventory: string): Draft {
  const file = join(dirname(inventory), '.provision', `${basename(inventory)}.draft`);
  return {
    async offer(way) {
      const { readIfThere } = await import('../pki/store-files.js');
      const text = await readIfThere(file);
      if (text === undefined) return new Map();
      const { draftQuestion, readDraft } = await import('../wizard/draft.js');
      const { cancellable } = await import('../wizard/terminal.js');
      const answers = readDraft(file, text);
      if (answers === undefined) return new Map();
      const isWanted = await cancellable(() => way.confirm(draftQuestion(file, answers), 'first'));
      return isWanted ? answers : new Map();
    },
    async keep(answers, error) {
      if (!(error instanceof ProvisionError)) return error;
      const { writePrivately } = await import('../pki/store-files.js');
      const { renderAnswers } = await import('../wizard/answers-file.js');
      await writePrivately(file, renderAnswers(answers), 'the draft');
      const hint = `the answers so far are kept in ${file}; the next init offers to continue from them`;
      return new ProvisionError({ code: error.code, message: error.message, hint, cause: error });
    },
    remove: () => rm(file, { force: true }),
  };
}
