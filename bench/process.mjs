import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Runs a program to its end. @returns {Promise<{ status: number, stdout: Buffer, stderr: string }>} */
export function run(program, args, { stdin = '', env = {}, stderr: said = 'pipe' } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', said], env: { ...process.env, ...env } });
    const [stdout, stderr] = [[], []];
    child.stdout.on('data', (piece) => stdout.push(piece));
    child.stderr?.on('data', (piece) => stderr.push(piece));
    child.on('error', reject);
    child.on('close', (status) =>
      resolve({ status, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }),
    );
    child.stdin.on('error', () => undefined); // it ended without reading; its status tells
    child.stdin.end(stdin);
  });
}

/** The same for a program that must succeed. @throws Error with the last that it said */
export async function succeed(program, args, options) {
  const result = await run(program, args, options);
  if (result.status === 0) return result.stdout;
  const said = `${result.stdout.toString().slice(-3000)}\n${result.stderr.slice(-3000)}`;
  throw new Error(`${program} ${args.join(' ')}: status ${result.status}\n${said}`);
}

/** @returns {Promise<number>} milliseconds */
export async function timed(work) {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/** The most memory that all programs which this process has started had together, in MiB, by what is theirs (PSS). */
export async function peakMemory(work) {
  let peak = 0;
  const timer = setInterval(() => (peak = Math.max(peak, descendantsMemory())), 100);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return peak / 1024;
}

function descendantsMemory() {
  const parents = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    parents.set(Number(pid), Number(/\) \S (\d+)/.exec(read(`/proc/${pid}/stat`))?.[1]));
  const isOurs = (pid) => parents.has(pid) && (parents.get(pid) === process.pid || isOurs(parents.get(pid)));
  return [...parents.keys()]
    .filter(isOurs)
    .reduce((sum, pid) => sum + Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0), 0);
}

/** A file of /proc, or nothing where the process has ended. */
function read(path) {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** The middle of some numbers. */
export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
