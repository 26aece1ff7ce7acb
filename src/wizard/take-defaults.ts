import { ProvisionError } from '../model/errors.js';
import { checkAnswer } from './question.js';
import type { Way } from './interview.js';

/**
 * Asks nobody: takes the default of each question, or refuses each.
 * @param note gets what a person would read beside the questions
 * @returns a way that throws ProvisionError `answer-missing` where there is no default that is right
 */
export function takeDefaults(defaults: 'taken' | 'refused', note: (text: string) => void): Way {
  return {
    note,
    confirm: () => Promise.resolve(true),
    secret: (message) => Promise.reject(missing(message, message, 'nobody is asked', '')),
    watch: (_message, _hosts, work) => work(() => undefined),
    async ask(question, proposed) {
      const { key, message } = question;
      if (defaults === 'refused')
        throw missing(key, message, 'there is no terminal to ask on', ', or take the defaults with --defaults');
      const result = proposed === undefined ? 'it has no default' : await checkAnswer(question, proposed);
      if (proposed !== undefined && result === true) return proposed;
      throw missing(key, message, String(result), '');
    },
  };
}

function missing(key: string, message: string, why: string, otherWay: string): ProvisionError {
  return new ProvisionError({
    code: 'answer-missing',
    message: `there is no answer to ${key} (${message}): ${why}`,
    hint: `add a line \`${key}: …\` to the file of --answers, see provision schema answers${otherWay}`,
  });
}
