// What the runner and the tests' own world share: which mutant is switched on, and who was met.
import { appendFileSync, readFileSync } from 'node:fs';
import fs from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { Readable } from 'node:stream';

const work = process.env.MUTATION_WORK;
const root = new URL('../..', import.meta.url).pathname;
const KEY = Symbol.for('provision.mutation');

/** One for the process, however often this file is loaded. */
export const state = (globalThis[KEY] ??= {
  mutants: JSON.parse(readFileSync(join(work, 'mutants.json'), 'utf8')),
  /** Number of the mutant that is switched on. */
  active: undefined,
  /** Numbers of several that are switched on together; no two in the same place. */
  group: new Set(),
  /** Numbers of those that were met since this was last emptied. */
  met: new Set(),
  /** Whether the active one could make no difference by what it is: "only the first" of what is no list. */
  isPointless: false,
  /** The last file's tests and whom they met. */
  report: undefined,
  /** How often switches were asked since this was last zeroed, how often they may be, and whether they were too often. */
  calls: 0,
  mostCalls: Infinity,
  isCircling: false,
});

/** A mutant may ask so many times more switches than the plain run, and so many. Counted, so that a busy machine is no reason. */
const [MORE_CALLS, SOME_CALLS] = [50, 1_000_000];

/** Begins a run of tests. @param plainCalls what the plain run of the same asked; undefined for that one itself */
export function countCalls(plainCalls) {
  state.calls = 0;
  state.isCircling = false;
  state.mostCalls = plainCalls === undefined ? Infinity : plainCalls * MORE_CALLS + SOME_CALLS;
}

/** Breaks a loop without an end: by an error, and where that is caught, by the end of the process. */
function breakCircle() {
  state.isCircling = true;
  if (state.calls <= state.mostCalls + SOME_CALLS) throw new Error('the mutant runs in circles');
  if (state.active !== undefined && state.active > 0)
    note({ id: state.active, verdict: 'noticed', by: state.file, how: 'circles' });
  process.exit(75);
}

export function isMutant(id) {
  state.calls += 1;
  if (state.calls > state.mostCalls) breakCircle();
  if (state.active === undefined) state.met.add(id);
  return state.active === id || state.group.has(id);
}

export function firstOf(items) {
  if (Array.isArray(items)) return items.slice(0, 1);
  if (items instanceof Object && (items.constructor?.name === 'Map' || items.constructor?.name === 'Set'))
    return [...items].slice(0, 1);
  state.isPointless = true;
  return items;
}

const journal = join(work, `journal-${process.env.MUTATION_SHARD}.jsonl`);

/** A line of the journal, from which a next process goes on. */
export function note(entry) {
  appendFileSync(journal, `${JSON.stringify(entry)}\n`);
}

/** The first time it may be the machine that was slow: the next process tries it again. Only what waits twice is noticed. */
export function noteHang(id) {
  const before = JSON.stringify({ id, verdict: 'hung', by: state.file });
  const hasHung = readFileSync(journal, 'utf8').split('\n').includes(before);
  note(hasHung ? { id, verdict: 'noticed', by: state.file, how: 'hangs' } : { id, verdict: 'hung', by: state.file });
}

const dataOf = new Map();
for (const mutant of state.mutants)
  if (mutant.when === 'data') dataOf.set(mutant.file, [...(dataOf.get(mutant.file) ?? []), mutant]);

function changed(path, content) {
  if (typeof path !== 'string' && !(path instanceof URL)) return content;
  const file = relative(root, resolve(path instanceof URL ? path.pathname : path));
  const mutants = dataOf.get(file);
  if (mutants === undefined) return content;
  if (state.active === undefined) for (const { id } of mutants) state.met.add(id);
  const active = mutants.find(({ id }) => id === state.active);
  if (active === undefined) return content;
  const text = typeof content === 'string' ? content : content.toString('utf8');
  const planted = text.slice(0, active.start) + active.became + text.slice(active.end);
  return typeof content === 'string' ? planted : Buffer.from(planted);
}

/** Playbooks and templates are read from files: their mutants are planted on the way. */
export function watchReads() {
  const { readFileSync: readSync } = fs;
  const { readFile } = fs.promises;
  const { createReadStream } = fs;
  // What is read within a limit (model/read-bounded.ts).
  fs.createReadStream = (path, ...rest) =>
    dataOf.has(relative(root, resolve(String(path))))
      ? Readable.from([changed(path, readSync(path))])
      : createReadStream(path, ...rest);
  fs.readFileSync = (path, ...rest) => changed(path, readSync(path, ...rest));
  fs.promises.readFile = async (path, ...rest) => changed(path, await readFile(path, ...rest));
}
