import type { Mutant } from './mutant.js';
import type { Known } from './known.js';
import type { Entry } from './run-tests.js';

/** What became of a mutant. `lab`: only the lab sees it; `listed`: nothing can, for a reason that is written down. */
export interface Judged {
  readonly mutant: Mutant;
  readonly verdict: 'unit' | 'contract' | 'lab' | 'listed' | 'survived' | 'pointless' | 'does not compile';
  readonly known: Known | undefined;
}

/** Judges all mutants by the journal of the tests. */
export function judge(
  mutants: readonly Mutant[],
  entries: readonly Entry[],
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
      return compiles(mutant) ? 'survived' : 'does not compile';
    };
    return { mutant, verdict: verdict(), known: listed };
  });
}

function roomOf({ file }: Mutant): string {
  if (file.endsWith('.j2')) return 'templates';
  return file.startsWith('playbooks/') ? 'shipped playbooks' : (file.split('/')[1] ?? '');
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= 100 ? line : `${line.slice(0, 70)} … ${line.slice(-25)}`;
}

/** Survivors that no list names, a line each: where, what kind of slip, and what it was. */
export function survivorLines(judged: readonly Judged[]): readonly string[] {
  return judged
    .filter(({ verdict }) => verdict === 'survived')
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

/** A table of the rooms. Mutants that the compiler refuses, or that can make no difference, do not count. */
export function roomTable(judged: readonly Judged[]): readonly string[] {
  const rooms = [...new Set(judged.map(({ mutant }) => roomOf(mutant)))].sort();
  const row = (room: string, all: readonly Judged[]): string => {
    const counted = all.length - count(all, 'pointless', 'does not compile');
    const seen = count(all, 'unit', 'contract');
    const share = counted === 0 ? '' : `${((100 * seen) / counted).toFixed(1)} %`;
    return `| ${room} | ${counted} | ${count(all, 'unit')} | ${count(all, 'contract')} | ${count(all, 'lab')} | ${count(all, 'listed')} | ${count(all, 'survived')} | ${share} |`;
  };
  return [
    '| room | mutants | noticed by unit | by contract | only by the lab | listed | survived | noticed |',
    '|---|---|---|---|---|---|---|---|',
    ...rooms.map((room) =>
      row(
        room,
        judged.filter(({ mutant }) => roomOf(mutant) === room),
      ),
    ),
    row('all', judged),
  ];
}

/** The page of a run over all rooms. */
export function mutationPage(judged: readonly Judged[], commit: string, tookMs: number): string {
  const listed = judged.filter(({ verdict }) => verdict === 'listed' || verdict === 'lab');
  const lines = [
    '# Mutation run',
    '',
    `${new Date().toISOString().slice(0, 10)}, commit ${commit}, by \`npm run mutate -- --page\` in ${Math.round(tookMs / 60_000)} minutes on ${process.arch} with Node ${process.version}.`,
    'One wrong line at a time is planted; the unit tests run, then the contract tests. Not counted: what the compiler refuses',
    '(of those that no test noticed), and “only the first” of what is no list. No slip is made in text for people.',
    '',
    ...roomTable(judged),
    '',
    '## Listed, with the reason',
    '',
    ...listed.map(
      ({ mutant, known }) =>
        `- ${mutant.file}:${mutant.line} ${mutant.kind}: ${known?.because ?? ''}${known?.lab === undefined ? '' : ` (${known.lab})`}`,
    ),
    '',
    '## Survivors',
    '',
    ...survivorLines(judged).map((line) => `- \`${line.replaceAll('`', "'")}\``),
    '',
  ];
  return lines.join('\n');
}
