import { styleText } from 'node:util';
import type { Theme } from '@inquirer/core';
import type { CheckResult } from './check-result.js';

/**
 * Checks what is typed so far, at each key: it asks nothing of files, names or hosts, and passes what is not finished, for nobody has to
 * be told that.
 */
export type WhileTyping = (typed: string) => CheckResult;

/**
 * The line below an answer that is being typed.
 * @param refused what Enter was refused for; in colour, until the next key
 * @param typing what is wrong so far; dim
 */
export function problemLine(
  { style }: Pick<Theme, 'style'>,
  refused: string | undefined,
  typing: CheckResult = true,
): string {
  if (refused !== undefined) return style.error(refused);
  return typing === true ? '' : styleText('dim', `> ${typing}`);
}

/**
 * A check as it is made while an answer is typed: it passes one that is empty, and one that an ending makes right.
 * @param isFormed whether a text is what is asked for, whatever else is wrong with it
 * @param endings such that each beginning of a right text has one
 */
export function onceFinished(
  check: WhileTyping,
  isFormed: (text: string) => boolean = () => false,
  endings: readonly string[] = [],
): WhileTyping {
  return (typed) => {
    const text = typed.trim();
    const isBegun = !isFormed(text) && endings.some((ending) => isFormed(text + ending));
    return text === '' || isBegun ? true : check(text);
  };
}
