import { stringify } from 'yaml';
import type { z } from 'zod';
import { InputError, type SourcePosition } from '../model/errors.js';
import { parseYaml, problemsOf } from '../playbook/yaml-source.js';
import { answersSchema, type Answer, type AnswerKey } from './answers.js';

/** A file of answers. */
export interface AnswersFile {
  readonly answers: ReadonlyMap<AnswerKey, Answer>;
  readonly placeOf: (key: AnswerKey) => SourcePosition;
}

/**
 * Reads a file of answers, as far as they can be judged without each other.
 * @throws InputError with every wrong one, its place, its value and what was expected
 */
export function parseAnswers(file: string, text: string): AnswersFile {
  const source = parseYaml(file, text);
  const parsed = answersSchema.safeParse(source.value ?? {});
  if (!parsed.success) {
    const isMapping = typeof source.value === 'object' && !Array.isArray(source.value);
    throw new InputError(
      isMapping
        ? problemsOf(source, parsed.error.issues, () => Object.keys(answersSchema.shape))
        : [{ severity: 'error', at: source.at([]), subject: file, message: 'expected answers, as `user: root`' }],
      'what the file may hold: provision schema answers',
    );
  }
  return { answers: asMap(parsed.data), placeOf: (key) => source.at([key]) };
}

function asMap(answers: z.infer<typeof answersSchema>): ReadonlyMap<AnswerKey, Answer> {
  const keys = answersSchema.keyof().options;
  return new Map(
    keys.flatMap((key): [AnswerKey, Answer][] => {
      const answer = answers[key];
      return answer === undefined ? [] : [[key, typeof answer === 'number' ? String(answer) : answer]];
    }),
  );
}

const NUMBERS: readonly AnswerKey[] = ['port', 'routerId'];

/** A file of answers, which {@link parseAnswers} reads. */
export function renderAnswers(answers: ReadonlyMap<AnswerKey, Answer>): string {
  const content = Object.fromEntries(
    [...answers].map(([key, answer]) => [key, NUMBERS.includes(key) ? Number(answer) : answer]),
  );
  // YAML 1.1, as it is read: a bare `no` is false there.
  return `# Answers of provision init; the file is described by: provision schema answers\n${stringify(content, { version: '1.1', lineWidth: 0 })}`;
}
