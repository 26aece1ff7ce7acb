import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { typed } from './compiles.js';
import { playbookSlips, templateSlips } from './data-slips.js';
import { instrument, type Numbered } from './instrument.js';
import type { Mutant, Slip } from './mutant.js';
import { findSlips, type Place } from './slips.js';

/** Lines of a file that are looked at; all where it is undefined. */
export type Lines = ReadonlySet<number> | undefined;

function lineOf(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}

/** Some of the slips, spread over all of them and the same ones for the same text. */
function some<T extends { readonly slip: Slip }>(all: readonly T[], most: number): readonly T[] {
  const rank = ({ slip }: T): string => createHash('sha256').update(JSON.stringify(slip)).digest('hex');
  return all.length <= most ? all : all.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, most);
}

/**
 * Makes the mutants of the files, and writes `mutants.json` and the instrumented sources into the work directory.
 * @param files paths from the top of the repository, each with the lines that count
 * @param most no more than so many
 */
export function plantMutants(files: ReadonlyMap<string, Lines>, work: string, most: number): readonly Mutant[] {
  const texts = new Map([...files.keys()].map((file) => [file, readFileSync(file, 'utf8')]));
  const found = [...texts].flatMap(([file, text]) =>
    slipsOf(file, text)
      .map((place) => ({ ...place, file, line: lineOf(text, place.slip.start) }))
      .filter(({ line }) => files.get(file)?.has(line) ?? true),
  );
  const numbered = some(found, most).map(({ file, line, slip, ...place }, index) => ({
    ...place,
    slip,
    mutant: { id: index + 1, file, line, ...slip },
  }));
  for (const [file] of texts) {
    const mine = numbered.filter((each): each is Numbered => each.mutant.file === file && 'node' in each);
    const source = mine[0]?.node.getSourceFile();
    if (source === undefined) continue;
    mkdirSync(dirname(join(work, 'sources', file)), { recursive: true });
    writeFileSync(join(work, 'sources', file), instrument(source, mine));
  }
  const mutants = numbered.map(({ mutant }) => mutant);
  writeFileSync(join(work, 'mutants.json'), JSON.stringify(mutants));
  return mutants;
}

function slipsOf(file: string, text: string): readonly (Place | { readonly slip: Slip })[] {
  if (file.endsWith('.ts')) {
    const { source, checker } = typed(file) ?? {
      source: ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true),
    };
    return findSlips(source, checker);
  }
  return (file.endsWith('.j2') ? templateSlips(text) : playbookSlips(text)).map((slip) => ({ slip }));
}
