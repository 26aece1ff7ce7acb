import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Slip } from './mutant.js';

/** A wrong line that was planted against an invariant of ARCHITECTURE.md, and the test file that notices it. */
const triedSchema = z.strictObject({
  /** The invariant, by the words with which its row begins. */
  invariant: z.string().min(5),
  /** What is wrong, in the words of the row's "tried:". */
  says: z.string().min(3),
  file: z.string(),
  /** Stands in the file once. */
  was: z.string(),
  became: z.string(),
  /** From tests/ on. */
  test: z.string().regex(/^(?:unit|contract)\/.+\.test\.ts$/),
});

/** One entry of tried.yaml. */
export type Tried = z.infer<typeof triedSchema>;

/** What tried.yaml lists. @throws where it has another form */
export function readTried(): readonly Tried[] {
  return z.array(triedSchema).parse(parse(readFileSync(new URL('tried.yaml', import.meta.url), 'utf8')));
}

/** The slip, at its place. @param text the file as it is @throws where the file has the line not once */
export function slipOf({ file, was, became, invariant, says }: Tried, text: string): Slip {
  const [first, last] = [text.indexOf(was), text.lastIndexOf(was)];
  if (first < 0 || first !== last)
    throw new Error(`${file} has ${first < 0 ? 'no' : 'more than one'} "${was}" (${invariant}: ${says})`);
  const when = file.endsWith('.ts') ? 'call' : 'data';
  return { kind: 'tried', start: first, end: first + was.length, was, became, when };
}

/** A row of the table of invariants. */
export interface Row {
  readonly title: string;
  readonly text: string;
}

/** The rows of ARCHITECTURE.md. */
export function invariantRows(): readonly Row[] {
  const [, table = ''] = readFileSync('ARCHITECTURE.md', 'utf8').split('## Invariants, and what holds them');
  return table
    .split('\n- **')
    .slice(1)
    .map((row) => ({ title: row.slice(0, row.indexOf('**')), text: row.replace(/\s+/g, ' ') }));
}

/** What a row says was tried, a note each: without the tests that notice it. */
export function notesOf({ text }: Row): readonly string[] {
  const [, ...parts] = text.split(/\btried: /);
  return parts
    .flatMap((part) => part.replace(/\)?[.)]*\s*$/, '').split('; '))
    .map((note) => note.replace(/: (?:both|(?:contract )?[\w/-]+\.test\.ts.*)$/, '').trim())
    .filter((note) => !/^(?:unit|contract|e2e)\b/.test(note));
}

/** Notes of rows that were tried by hand, once, and are not planted again; the list may only shrink. */
export function readTriedByHand(): readonly { readonly invariant: string; readonly says: string }[] {
  const schema = z.array(z.strictObject({ invariant: z.string(), says: z.string() }));
  return schema.parse(parse(readFileSync(new URL('tried-by-hand.yaml', import.meta.url), 'utf8')));
}
