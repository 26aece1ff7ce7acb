import type { Answer, AnswerKey } from './answers.js';
import type { CheckResult } from './check-result.js';
import type { WhileTyping } from './problem-line.js';

interface Asked {
  /** What the answer is called in a file of answers. */
  readonly key: AnswerKey;
  readonly message: string;
}

/** One line. */
export interface TextQuestion extends Asked {
  readonly kind: 'text';
  /** Absent: there is none that could be right. */
  readonly default?: string;
  readonly check: (answer: string) => CheckResult | Promise<CheckResult>;
  /** Absent: there is nothing to say before Enter. */
  readonly whileTyping?: WhileTyping;
}

/** Words, on one line or on many that are pasted. */
export interface ListQuestion extends Asked {
  readonly kind: 'list';
  readonly default?: readonly string[];
  /** Cuts what was typed into its entries. */
  readonly split: (text: string) => readonly string[];
  readonly check: (entries: readonly string[]) => CheckResult | Promise<CheckResult>;
  /** Gets the text as it was typed; absent: there is nothing to say before Enter. */
  readonly whileTyping?: WhileTyping;
}

/** Some of several. */
export interface PickQuestion extends Asked {
  readonly kind: 'pick';
  readonly choices: readonly { readonly value: string; readonly name: string }[];
  readonly default: readonly string[];
  readonly check: (picked: readonly string[]) => CheckResult;
}

/** One of several. */
export interface ChooseQuestion extends Asked {
  readonly kind: 'choose';
  readonly choices: readonly { readonly value: string; readonly name: string }[];
  readonly default: string;
}

/** Everything that the wizard asks. */
export type Question = TextQuestion | ListQuestion | PickQuestion | ChooseQuestion;

/** Checks an answer from wherever it comes, its kind too. */
export async function checkAnswer(question: Question, answer: Answer): Promise<CheckResult> {
  if (question.kind === 'text')
    return typeof answer === 'string' ? question.check(answer) : `expected one text, not a list`;
  if (question.kind === 'choose') return checkChoice(question, answer);
  if (typeof answer === 'string') return 'expected a list';
  if (question.kind === 'list') return question.check(answer);
  const values = question.choices.map(({ value }) => value);
  const unknown = answer.filter((each) => !values.includes(each));
  if (unknown.length > 0) return `${unknown.join(', ')} is not one of ${values.join(', ')}`;
  return question.check(answer);
}

function checkChoice({ choices }: ChooseQuestion, answer: Answer): CheckResult {
  const values = choices.map(({ value }) => value);
  return (typeof answer === 'string' && values.includes(answer)) || `expected one of ${values.join(', ')}`;
}
