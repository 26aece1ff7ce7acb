import type { NewVariable } from '../adopt/decide-variables.js';
import { renderVariable } from '../adopt/append-variables.js';
import { createStyle } from './style.js';
import { printable } from './terminal-text.js';

/** What is about to be written into one file. */
interface FileToWrite {
  readonly shown: string;
  /** Absent: it is new. */
  readonly before: string | undefined;
  readonly variables: readonly NewVariable[];
}

/**
 * Shows what will be written: files of variables, and the authority's certificate.
 * @param authorityFile where that goes; absent when it is there already
 */
export function renderNewVariables(
  files: readonly FileToWrite[],
  authorityFile: string | undefined,
  options: { readonly colour: boolean },
): string {
  const style = createStyle(options);
  const blocks = files.map(({ shown, before, variables }) => [
    style.bold(`${before === undefined ? 'create' : 'add to'} ${printable(shown)}`),
    ...variables.flatMap(renderVariable).map((line) => style.good(`  + ${printable(line)}`)),
    '',
  ]);
  const authority =
    authorityFile === undefined
      ? []
      : [
          style.bold(`create ${authorityFile}`),
          style.good("  + the authority's certificate; its key is not touched"),
          '',
        ];
  return [...blocks.flat(), ...authority].map((line) => `${line}\n`).join('');
}
