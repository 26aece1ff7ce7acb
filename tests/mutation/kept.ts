import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mutant } from './mutant.js';
import type { Entry } from './run-tests.js';

/** A part of a run that goes on in a directory that is kept. */
export interface Part {
  /** The commit, short. */
  readonly commit: string;
  /** Milliseconds since 1970. */
  readonly began: number;
  readonly ended?: number;
}

const journalsIn = (work: string): readonly string[] =>
  readdirSync(work)
    .filter((name) => name.startsWith('journal-'))
    .map((name) => join(work, name));

/**
 * Plants the mutants in a directory, and goes on from what an earlier part of the run has noticed there. A test file that has
 * not changed since, and had met all of them, is not run again.
 * @returns the mutants, and all parts, this one last
 * @throws Error where the directory is of other sources
 */
export function takeUp(
  { work, shards, part }: { readonly work: string; readonly shards: number; readonly part: Part },
  plant: () => readonly Mutant[],
): { readonly mutants: readonly Mutant[]; readonly parts: readonly Part[] } {
  const [planted, noted] = [join(work, 'mutants.json'), join(work, 'parts.json')];
  const before = existsSync(planted) ? readFileSync(planted, 'utf8') : undefined;
  const mutants = plant();
  if (before !== undefined && before !== readFileSync(planted, 'utf8'))
    throw new Error(`${work} has the mutants of other sources, or of another sample: begin with an empty directory`);
  const earlier = existsSync(noted) ? (JSON.parse(readFileSync(noted, 'utf8')) as readonly Part[]) : [];
  const journals = journalsIn(work);
  const entries = journals
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Entry);
  const ended = Math.max(0, ...journals.map((file) => statSync(file).mtimeMs));
  const parts = [...earlier.map((each, index) => (index < earlier.length - 1 ? each : { ...each, ended })), part];
  for (const file of journals) rmSync(file);
  rmSync(join(work, 'claims'), { recursive: true, force: true });
  writeFileSync(noted, JSON.stringify(parts));
  writeFileSync(join(work, `journal-0-of-${shards}.jsonl`), keptOf(entries, earlier.at(-1)?.commit).join(''));
  return { mutants, parts };
}

function keptOf(entries: readonly Entry[], commit: string | undefined): readonly string[] {
  const changed = new Map<string, boolean>();
  const hasChanged = (file = ''): boolean => {
    const known = changed.get(file) ?? spawnSync('git', ['diff', '--quiet', commit ?? 'HEAD', '--', file]).status !== 0;
    changed.set(file, known);
    return known;
  };
  return entries
    .filter(({ verdict, by }) => {
      if (verdict === 'noticed' || verdict === 'pointless') return true;
      return (verdict === 'survived' || verdict === 'file done') && !hasChanged(by);
    })
    .map((entry) => `${JSON.stringify(entry)}\n`);
}

/** How long the parts took together, and their commits. */
export function partsTogether(parts: readonly Part[]): { readonly commit: string; readonly tookMs: number } {
  return {
    commit: [...new Set(parts.map(({ commit }) => commit))].join(', then '),
    tookMs: parts.reduce((sum, { began, ended = Date.now() }) => sum + ended - began, 0),
  };
}
