import { execFileSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, describe, test } from '@jest/globals';
import { waitUntil } from '../../src/lab/process.js';
import { quote } from '../../src/shell/quote.js';
import { provision } from '../support/lab.js';
import { ended, forgetRuns, startRealHosts, type RealHosts } from '../support/real-run.js';

// Each run writes two files, stands still in a third change until it is let go, fails there, and takes the files back.

let hosts: RealHosts;
let work: string;

beforeAll(async () => {
  hosts = await startRealHosts('one');
  work = join(hosts.lab.directory, 'work');
});
afterAll(async () => hosts.remove());

beforeEach(() => {
  mkdirSync(work);
  execFileSync('mkfifo', [join(work, 'gate')]);
  writeFileSync(join(work, 'a.conf'), 'old a\n');
  writeFileSync(join(work, 'b.conf'), 'old b\n');
  const stands = `sh -c 'touch ${work}/stands; read word <${work}/gate; [ "$word" = good ]'`;
  hosts.write([
    `copy: { dest: ${work}/a.conf, content: "new a\\n" }`,
    `copy: { dest: ${work}/b.conf, content: "new b\\n" }`,
    `shell: { cmd: ${JSON.stringify(stands)}, creates: ${work}/passed }`,
  ]);
});
afterEach(() => {
  rmSync(work, { recursive: true });
  forgetRuns(hosts);
});

/** Resolves while the third change is in progress. */
async function untilItStands(): Promise<void> {
  expect(await waitUntil(() => Promise.resolve(existsSync(join(work, 'stands'))), 30_000, 20)).toBe(true);
}

function letGo(word: 'good' | 'bad'): void {
  writeFileSync(join(work, 'gate'), `${word}\n`);
}

const files = (): string[] => ['a.conf', 'b.conf'].map((name) => readFileSync(join(work, name), 'utf8'));
const OLD = ['old a\n', 'old b\n'];
const NEW = ['new a\n', 'new b\n'];

async function expectUnlocked(): Promise<void> {
  expect((await hosts.onHosts('ls -A /run/provision')).stdout.trim()).toBe('');
}

/** Closes the reading ends of a process's output for good. */
function close(...streams: readonly ChildProcess['stdout'][]): void {
  for (const stream of streams) stream?.destroy();
}

describe('a reader that goes away', () => {
  test.each(['text', 'json'])('in the middle of a change ends neither it nor the roll-back: %s', async (format) => {
    const child = hosts.start(hosts.command('apply', '--yes', '--format', format));
    const end = ended(child);
    await untilItStands();
    close(child.stdout);
    letGo('bad');
    const { status, stderr } = await end;
    expect([status, files()]).toEqual([1, OLD]);
    await expectUnlocked();
    expect(stderr).toMatch(/standard output can't be written \(write EPIPE\)/);
    expect(stderr).toMatch(/rolled back: restore .*a\.conf/);
    expect(stderr).toMatch(/ended with status 1/);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(hosts.journal().at(-1)?.type).toBe('run-failed');
  });

  test('on both outputs leaves the journal, which tells all', async () => {
    const child = hosts.start(hosts.command('apply', '--yes'));
    const end = ended(child);
    await untilItStands();
    close(child.stdout, child.stderr);
    letGo('good');
    // The command is there again, and the last look says so: an orderly end all the same.
    expect((await end).status).toBe(1);
    await expectUnlocked();
    const kept = hosts.journal();
    expect(kept.filter(({ type }) => type === 'change-done')).toHaveLength(3);
    expect(kept).toContainEqual(
      expect.objectContaining({ type: 'notice', message: expect.stringContaining('EPIPE') as unknown }),
    );
    expect(kept.at(-1)?.type).toBe('run-failed');
    expect(files()).toEqual(NEW);
  });

  test('of a plan ends it quietly', async () => {
    const child = hosts.start(hosts.command('plan'));
    close(child.stdout);
    expect(await ended(child)).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('a full disk', () => {
  test('behind standard output does not change what is done', async () => {
    const child = hosts.start(hosts.command('apply', '--yes'), openSync('/dev/full', 'w'));
    const end = ended(child);
    await untilItStands();
    letGo('bad');
    const { status, stderr } = await end;
    expect([status, files()]).toEqual([1, OLD]);
    await expectUnlocked();
    expect(stderr).toMatch(/standard output can't be written \(.*ENOSPC/);
    expect(stderr).toMatch(/Plan: 3 changes[\s\S]*rolled back: restore .*a\.conf[\s\S]*ended with status 1/);
  });

  test.each([
    ['plan', 'of a run that changes nothing'],
    ['inventory', 'of a verb that only prints'],
  ])('behind the output of %s, %s, is reported, and no success', async (verb) => {
    const words = verb === 'plan' ? hosts.command(verb) : provision(verb, hosts.inventory);
    const whole = await ended(hosts.start(words));
    expect([whole.status, whole.stderr]).toEqual([0, '']);
    const { status, stderr } = await ended(hosts.start(words, openSync('/dev/full', 'w')));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: standard output can't be written, and is incomplete: ENOSPC[^\n]*\n$/);
  });

  /** Starts an apply whose journal is on a disk of its own, which the script has made what it is. */
  function applyOnDisk(script: string): ChildProcess {
    const kept = join(hosts.directory, '.provision');
    mkdirSync(kept);
    const mount = `mount -t tmpfs -o size=64k tmpfs ${kept} && mkdir ${kept}/journal && (cd ${kept} && ${script}); exec "$@"`;
    const wrapper = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', mount, 'sh'];
    return hosts.start([...wrapper, ...hosts.command('apply', '--yes')]);
  }

  const fill = 'dd if=/dev/zero of=fill bs=4k 2>/dev/null';

  test('under the journal from the beginning does not', async () => {
    const child = applyOnDisk(fill);
    await expectRolledBack(child, () => Promise.resolve());
  });

  // An event is about 250 bytes: the failure does not fit any more, or the first roll-back, or the second.
  test.each([0, 300, 600])('under the journal in the middle does not, with room for %i bytes', async (room) => {
    const child = applyOnDisk('true');
    await expectRolledBack(child, async () => {
      const pad = `cd ${hosts.directory}/.provision && ${fill}; cd journal && log=$(echo *) && size=$(stat -c %s "$log") && yes '' | head -c $((4096 - size % 4096 - ${room})) >>"$log"`;
      const filling = hosts.start(['nsenter', '--target', String(child.pid), '--mount', 'sh', '-c', pad]);
      await ended(filling);
    });
  });

  async function expectRolledBack(child: ChildProcess, meanwhile: () => Promise<void>): Promise<void> {
    const end = ended(child);
    await untilItStands();
    await meanwhile();
    letGo('bad');
    const { status, stdout, stderr } = await end;
    expect([status, files(), stderr]).toEqual([1, OLD, '']);
    await expectUnlocked();
    expect(stdout.match(/the journal of this run can't be written, and will have gaps: ENOSPC/g)).toHaveLength(1);
    expect(stdout).toMatch(/rolled back: restore .*b\.conf[\s\S]*rolled back: restore .*a\.conf/);
    expect(stdout).toMatch(/ended with status 1/);
  }
});

describe('a terminal that is closed', () => {
  test('in the middle of a change: the run goes on to its end, with its roll-back', async () => {
    const command = `echo $$ >${work}/pid; exec ${hosts.command('apply', '--yes').map(quote).join(' ')}`;
    const child = hosts.start(['script', '--quiet', '--command', command, '/dev/null']);
    const end = ended(child);
    await untilItStands();
    child.kill('SIGKILL');
    await end;
    letGo('bad');
    const pid = readFileSync(join(work, 'pid'), 'utf8').trim();
    expect(await waitUntil(() => Promise.resolve(!existsSync(`/proc/${pid}`)), 30_000, 50)).toBe(true);
    expect(files()).toEqual(OLD);
    await expectUnlocked();
    const kept = hosts.journal();
    expect(kept.at(-1)?.type).toBe('run-failed');
    expect(kept).toContainEqual(
      expect.objectContaining({ type: 'notice', message: expect.stringContaining('SIGHUP') as unknown }),
    );
  });
});
