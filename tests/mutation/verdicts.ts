import type { Mutant } from './mutant.js';
import type { Known } from './known.js';
import type { Entry } from './run-tests.js';

/**
 * What became of a mutant. `lab`: only the lab sees it; `listed`: nothing can, for a reason that is written down;
 * `untried`: time was up before all tests had met it.
 */
export interface Judged {
  readonly mutant: Mutant;
  readonly verdict: 'unit' | 'contract' | 'lab' | 'listed' | 'survived' | 'untried' | 'pointless' | 'does not compile';
  readonly known: Known | undefined;
}

/** What a run came to. */
export interface Tried {
  readonly mutants: readonly Mutant[];
  /** What the tests' processes wrote. */
  readonly entries: readonly Entry[];
  /** Whether all tests ran. */
  readonly isWhole: boolean;
}

/** Judges all mutants by the journal of the tests. */
export function judge(
  { mutants, entries, isWhole }: Tried,
  known: readonly Known[],
  compiles: (mutant: Mutant) => boolean,
): readonly Judged[] {
  const noticed = new Map(entries.flatMap(({ id, verdict, by }) => (verdict === 'noticed' ? [[id, by ?? '']] : [])));
  const pointless = new Set(entries.flatMap(({ id, verdict }) => (verdict === 'pointless' ? [id] : [])));
  return mutants.map((mutant) => {
    const by = noticed.get(mutant.id);
    const listed = known.find(
      ({ file, was, became }) => file === mutant.file && was === mutant.was && became === mutant.became,
    );
    const verdict = (): Judged['verdict'] => {
      if (by !== undefined) return by.startsWith('tests/contract') ? 'contract' : 'unit';
      if (pointless.has(mutant.id)) return 'pointless';
      if (listed !== undefined) return listed.lab === undefined ? 'listed' : 'lab';
      if (!compiles(mutant)) return 'does not compile';
      return isWhole ? 'survived' : 'untried';
    };
    return { mutant, verdict: verdict(), known: listed };
  });
}

/** The room that a mutant's file lies in. */
export function roomOf({ file }: Mutant): string {
  if (file.endsWith('.j2')) return 'templates';
  return file.startsWith('playbooks/') ? 'shipped playbooks' : (file.split('/')[1] ?? '');
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= 100 ? line : `${line.slice(0, 70)} … ${line.slice(-25)}`;
}

/** Survivors that no list names, a line each: where, what kind of slip, and what it was. @param wanted others than survivors */
export function survivorLines(judged: readonly Judged[], wanted: Judged['verdict'] = 'survived'): readonly string[] {
  return judged
    .filter(({ verdict }) => verdict === wanted)
    .map(({ mutant }) => {
      const { file, line, kind, was, became } = mutant;
      const change = kind.startsWith('dropped')
        ? short(kind === 'dropped line' ? dropped(was, became) : was)
        : `${short(was)} → ${short(became)}`;
      return `${file}:${line} ${kind}: ${change}`;
    });
}

/** The part of a text that is gone in the other. */
function dropped(was: string, became: string): string {
  let start = 0;
  while (start < became.length && was[start] === became[start]) start += 1;
  return was.slice(start, start + was.length - became.length);
}

function count(judged: readonly Judged[], ...verdicts: readonly Judged['verdict'][]): number {
  return judged.filter(({ verdict }) => verdicts.includes(verdict)).length;
}

/** The first lines of a table of rooms. */
export const TABLE_HEAD = [
  '| room | mutants | noticed by unit | by contract | only by the lab | change nothing | survived | not met by all | noticed |',
  '|---|---|---|---|---|---|---|---|---|',
];

/** A room's line of the table. Mutants that the compiler refuses, or that can make no difference, do not count. */
export function roomRow(room: string, all: readonly Judged[]): string {
  const counted = all.length - count(all, 'pointless', 'does not compile');
  const listed = count(all, 'listed');
  const seen = count(all, 'unit', 'contract');
  const share = counted === listed ? '' : `${((100 * seen) / (counted - listed)).toFixed(1)} %`;
  return `| ${room} | ${counted} | ${count(all, 'unit')} | ${count(all, 'contract')} | ${count(all, 'lab')} | ${listed} | ${count(all, 'survived')} | ${count(all, 'untried')} | ${share} |`;
}

/** A table of the rooms. */
export function roomTable(judged: readonly Judged[]): readonly string[] {
  const rooms = [...new Set(judged.map(({ mutant }) => roomOf(mutant)))].sort();
  const own = (room: string): readonly Judged[] => judged.filter(({ mutant }) => roomOf(mutant) === room);
  return [...TABLE_HEAD, ...rooms.map((room) => roomRow(room, own(room))), roomRow('all', judged)];
}
