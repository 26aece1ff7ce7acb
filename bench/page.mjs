import { cpus, release, totalmem } from 'node:os';
import { median } from './process.mjs';

/** A time, with as many digits as it is worth. */
export const seconds = (ms) => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
const row = (cells) => `| ${cells.join(' | ')} |`;
/** A table in Markdown. */
export const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');

/** How often the first contestant's time of a round fits into another's. */
export function ratio(ours, theirs) {
  const rounds = ours.map((time, index) => time / theirs[index]);
  const figures = [median(rounds), Math.min(...rounds), Math.max(...rounds)].map((each) => each.toFixed(2));
  return rounds.length === 1 ? figures[0] : `${figures[0]} (${figures[1]} … ${figures[2]})`;
}

function timesOf({ hosts, contestants, rows, loads }, { commit, ansible, mitogen }) {
  const head = ['', ...contestants, ...contestants.slice(1).map((name) => `÷ ${name}`), 'rounds'];
  const lines = rows.map(({ title, times: [ours, ...others] }) => [
    title,
    ...[ours, ...others].map((each) => seconds(median(each))),
    ...others.map((theirs) => ratio(ours, theirs)),
    ours.length,
  ]);
  const [before, after] = loads.map((each) => each.toFixed(1));
  const few = rows[0].times[0].length < 3 ? ' **Fewer than three rounds: an impression, no measurement.**' : '';
  const loaded = `Load of the machine before the lab was up: ${before}; at the end: ${after}.${few}`;
  return `## ${hosts} load balancers\n\n${measuredOn(commit)}; ${ansible}; ansible-mitogen ${mitogen}.\n\n${table(head, lines)}\n\n${loaded}`;
}

function countsOf({ contestants, rows }) {
  const head = ['', '', 'connections', 'sessions', 'KiB', 'processes started', 'memory here'];
  const lines = rows.flatMap(({ title, counts }) =>
    counts.map(({ connections, sessions, bytes, forks, memory }, index) => [
      ...(index === 0 ? [title] : ['']),
      contestants[index],
      ...[connections, sessions, bytes / 1024, forks].map((each) => each.toFixed(each < 10 ? 1 : 0)),
      `${memory.toFixed(0)} MiB`,
    ]),
  );
  return table(head, lines);
}

/** On what it was measured, and when. */
export function measuredOn(commit) {
  const [cpu] = cpus();
  return `${new Date().toISOString().slice(0, 10)}, commit ${commit}. ${cpus().length} × ${cpu?.model ?? 'processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()},
Node ${process.version}`;
}

/** What one size has on the page: a number of hosts, and all that follows until the next one. */
const SECTION = /^## (\d+) load balancers$/m;

/** The sections of a page that was written before, by their number of hosts. */
function sectionsOf(page) {
  const [, ...parts] = page.split(SECTION);
  return new Map(
    parts.flatMap((text, index) =>
      index % 2 === 0 ? [[Number(text), `## ${text} load balancers${parts[index + 1]}`]] : [],
    ),
  );
}

/** The page of results, in Markdown. @param before the page that is there: its other sizes stay, each with its date and commit */
export function page(results, about, before) {
  const sections = sectionsOf(before);
  for (const each of results)
    sections.set(
      each.hosts,
      `${timesOf(each, about)}\n\nFor each host, what one run of each makes of it:\n\n${countsOf(each)}\n`,
    );
  const bySize = [...sections].sort(([a], [b]) => a - b).map(([, text]) => text.trim());
  return `# How fast is it, beside others?

Written by \`npm run bench\`; [how it measures, and what is compared](../bench/README.md). The hosts run on the same processors: compare the columns, not the seconds.

${bySize.join('\n\n')}
`;
}
