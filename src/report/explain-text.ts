import { editDistance } from '../model/did-you-mean.js';
import { ERROR_AREAS, EXPLANATIONS as BY_CODE } from '../model/error-codes.js';
import type { Explanation } from '../model/error-codes/explanation.js';
import { EXIT, ProvisionError } from '../model/errors.js';

const EXPLANATIONS: ReadonlyMap<string, Explanation> = new Map(Object.entries(BY_CODE));

/** The longest code, and two spaces. */
const COLUMN = Math.max(...[...EXPLANATIONS.keys()].map((code) => code.length)) + 2;

/** All codes by area, a line each with the first words of why. */
export function listCodes(): string {
  const areas = ERROR_AREAS.map(({ title, codes }) =>
    [title, ...Object.entries(codes).map(([code, { why }]) => `  ${code.padEnd(COLUMN)}${firstWords(why)}`)].join('\n'),
  );
  return areas.join('\n\n');
}

function firstWords(text: string): string {
  return text.split(/[.:;](?: |$)/)[0] ?? text;
}

/**
 * What a code means, in a few lines.
 * @throws ProvisionError `unknown-code`, with the nearest ones
 */
export function explainCode(given: string): string {
  const code = given.toLowerCase();
  const explanation = EXPLANATIONS.get(code);
  if (explanation === undefined)
    throw new ProvisionError({
      code: 'unknown-code',
      message: `there is no error code ${given}; near it: ${nearest(code).join(', ')}`,
      hint: 'list them with: provision explain',
    });
  const { why, next, kind = 'failed' } = explanation;
  return [
    code,
    `  why   ${why}`,
    `  next  ${next}`,
    `  exit  ${EXIT[kind]}, ${kind}`,
    `  page  docs/reference/errors.md#${code}`,
  ].join('\n');
}

/** How many near codes are named. */
const NEAREST = 3;

/** Those with a word of the given one first, then those that are fewest letters away. */
function nearest(given: string): readonly string[] {
  const words = new Set(given.split('-'));
  return [...EXPLANATIONS.keys()]
    .map((code) => {
      const shared = code.split('-').filter((word) => words.has(word));
      return { code, shared: shared.length, edits: editDistance(given, code) };
    })
    .sort((a, b) => b.shared - a.shared || a.edits - b.edits)
    .slice(0, NEAREST)
    .map(({ code }) => code);
}
