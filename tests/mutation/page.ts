import { roomOf, roomRow, survivorLines, TABLE_HEAD, type Judged } from './verdicts.js';

/** How a page's rooms were measured. */
export interface Measured {
  /** `2026-11-26` */
  readonly date: string;
  /** The commit, short. */
  readonly commit: string;
  readonly command: string;
  readonly tookMs: number;
  /** How many files were tried, and of how many. */
  readonly files: readonly [tried: number, all: number];
}

const HEAD = `# Mutation run

Wrong lines are planted one at a time; the unit tests that meet it run, and, where none of them fails, the contract tests
([how](adr/2026-11-25-mutants-behind-switches.md)). Not counted: what the compiler refuses (of those that no test noticed),
and “only the first” of what is no list. No slip is made in text for people. “noticed” is the share of all others, but for
those that are listed because they change nothing that could be observed. \`--most N\` takes a sample, spread over the room
by a hash of each slip; \`--each\` tries one file after the other; \`--minutes N\` ends a room in time; \`--unit\` leaves the contract tests out, \`--near\` the tests
of other rooms. “Not met by all”: time was up before all tests had met them; they count as not noticed. Rooms that are not here were
not measured yet. What is written by hand beside a room says so, and changes no number. What compiles as well, as the other of two
addresses, is planted since 6a2c38b: rooms that were measured before have no such slips.`;

/** The rooms of a page: name → its section, without the heading. */
function readSections(page: string): ReadonlyMap<string, string> {
  const sections = page.split(/^## /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [name = '', ...rest] = section.split('\n');
      return [name, rest.join('\n').trim()];
    }),
  );
}

function readRows(page: string): ReadonlyMap<string, string> {
  const rows = [...page.matchAll(/^\| (?!room |-)([^|]+?) +\|.*$/gm)];
  return new Map(rows.map((row) => [row[1] ?? '', row[0]]));
}

function sectionOf(
  judged: readonly Judged[],
  { date, commit, command, tookMs, files: [tried, files] }: Measured,
): string {
  const listed = judged.filter(({ verdict }) => verdict === 'listed' || verdict === 'lab');
  const reasons = listed.map(({ mutant: { file, line, kind }, known }) => {
    const lab = known?.lab === undefined ? '' : `; seen by ${known.lab}`;
    return `- ${file}:${line} ${kind}: ${known?.because ?? ''}${lab}`;
  });
  const survivors = survivorLines(judged).map((line) => `- \`${line.replaceAll('`', "'")}\``);
  const untried = judged.filter(({ verdict }) => verdict === 'untried').length;
  return [
    `\`${command}\`, ${date}, commit ${commit}, ${Math.max(1, Math.round(tookMs / 60_000))} minutes.`,
    ...(tried === files ? [] : ['', `Only ${tried} of its ${files} files: the run was ended before the others.`]),
    ...(untried === 0
      ? []
      : ['', `Time was up before ${untried} of them had met all tests; they count as not noticed.`]),
    ...(reasons.length === 0 ? [] : ['', 'Not noticed, with the reason:', '', ...reasons]),
    ...(survivors.length === 0 ? [] : ['', 'Survived:', '', ...survivors]),
  ].join('\n');
}

/**
 * The page of runs over rooms. Rooms of an earlier page that were not run now stay as they are.
 * @param page what is there; empty where there is none
 */
export function mutationPage(page: string, judged: readonly Judged[], measured: Measured): string {
  const rows = new Map(readRows(page));
  const sections = new Map(readSections(page));
  for (const room of new Set(judged.map(({ mutant }) => roomOf(mutant)))) {
    const own = judged.filter(({ mutant }) => roomOf(mutant) === room);
    rows.set(room, roomRow(room, own));
    sections.set(room, sectionOf(own, measured));
  }
  rows.delete('all');
  const names = [...sections.keys()].sort();
  return [
    HEAD,
    '',
    ...TABLE_HEAD,
    // What is written by hand has none: an empty line would end the table.
    ...names.flatMap((name) => rows.get(name) ?? []),
    ...names.flatMap((name) => ['', `## ${name}`, '', sections.get(name) ?? '']),
    '',
  ].join('\n');
}
