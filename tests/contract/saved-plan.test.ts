import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import { provision } from '../support/lab.js';
import { ended, startRealHosts, type RealHosts } from '../support/real-run.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

let hosts: RealHosts;
let work: string;
let saved: string;
/** What is saved of the plan of how all is before each test. */
let planned: string;

beforeAll(async () => {
  hosts = await startRealHosts('one', 'two');
  saved = join(hosts.lab.directory, 'plan.json');
  work = temporaryDirectory('saved-plan');
  prepare();
  const { status, stdout, stderr } = await run('plan', '-o', saved);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain(`--plan ${saved}`);
  planned = readFileSync(saved, 'utf8');
});
afterAll(async () => hosts.remove());
beforeEach(prepare);

function prepare(): void {
  const templates = join(hosts.directory, 'templates');
  for (const path of [work, templates]) {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path);
  }
  rmSync(saved, { force: true });
  writeFileSync(join(templates, 'b.j2'), 'b\n');
  writeFileSync(join(work, 'a.conf'), 'first\nmiddle\nlast\n');
  hosts.write(TASKS(), CAREFUL);
}

const CAREFUL = ['  serial: 1'];
const TASKS = (): string[] => [
  `copy: { dest: ${work}/a.conf, content: "first\\nnew\\nlast\\n" }`,
  `command: { cmd: "touch ${work}/marker", creates: ${work}/marker }`,
];

async function run(verb: string, ...words: readonly string[]) {
  return ended(hosts.start(hosts.command(verb, ...words)));
}

/** Saves the plan, as `plan -o` did. */
function plan(): void {
  writeFileSync(saved, planned, { mode: 0o600 });
}

async function expectRefused(words: RegExp): Promise<string> {
  const before = readFileSync(join(work, 'a.conf'), 'utf8');
  const { status, stdout } = await run('apply', '--plan', saved);
  expect(status).toBe(EXIT.stale);
  expect(stdout).toMatch(/is not what would be done now/);
  expect(stdout).toMatch(words);
  expect(readFileSync(join(work, 'a.conf'), 'utf8')).toBe(before);
  return stdout;
}

describe('a saved plan', () => {
  test('is applied as it is, however the paths are typed', async () => {
    plan();
    const [node = '', ...args] = hosts.command('apply', '--plan', saved);
    const typed = args.map((word) =>
      word === hosts.playbook ? join(hosts.directory, '../inventory/playbook.yaml') : word,
    );
    expect((await ended(hosts.start([node, ...typed]))).status).toBe(0);
    expect(readFileSync(join(work, 'a.conf'), 'utf8')).toBe('first\nnew\nlast\n');
  });

  // Planned with care, applied without. Gates and orders: tests/unit/engine/saved-plan.test.ts.
  test.each<[string, readonly string[], RegExp]>([
    ['serial', [], /play work: serial: saved: 1; now: all at once/],
    [
      'hosts',
      ['  serial: 1', '  when: inventory_hostname == "one"'],
      /play work: hosts: saved: one; then two; now: one/,
    ],
    ['comment', ['  serial: 1', '  # a comment'], /the playbook, or a file that it uses: saved: .*; now: /],
  ])('is refused when the playbook changes its %s', async (_, care, words) => {
    plan();
    hosts.write(TASKS(), care);
    await expectRefused(words);
  });

  test('is refused when a template beside the playbook changes, whoever uses it', async () => {
    plan();
    writeFileSync(join(hosts.directory, 'templates/b.j2'), 'other\n');
    await expectRefused(/the playbook, or a file that it uses/);
  });

  test('is refused when a file was edited by hand, with the lines', async () => {
    plan();
    writeFileSync(join(work, 'a.conf'), 'first\nmiddle, by hand\nlast\nand more\n');
    const stdout = await expectRefused(/a\.conf: .*it was changed on the host since/);
    expect(stdout).toMatch(/- middle\n\s+\+ middle, by hand\n\s+\+ and more\n/);
    expect(stdout).not.toMatch(/[-+] first/);
  });

  test.each<[string, (path: string) => void]>([
    [
      'its mode',
      (path) => {
        chmodSync(path, 0o600);
      },
    ],
    [
      'that it is a link now',
      (path) => {
        rmSync(path);
        writeFileSync(`${path}.real`, 'first\nmiddle\nlast\n');
        symlinkSync(`${path}.real`, path);
      },
    ],
    [
      'that it is gone',
      (path) => {
        rmSync(path);
      },
    ],
  ])('is refused when %s is another', async (_, change) => {
    plan();
    change(join(work, 'a.conf'));
    const { status, stdout } = await run('apply', '--plan', saved);
    expect([status, stdout]).toEqual([EXIT.stale, expect.stringMatching(/a\.conf/)]);
    expect(stdout).toMatch(/is not what would be done now/);
  });

  test('of another format is refused by name', async () => {
    plan();
    const json = JSON.parse(readFileSync(saved, 'utf8')) as object;
    writeFileSync(saved, JSON.stringify({ ...json, formatVersion: 1 }));
    const { status, stdout } = await run('apply', '--plan', saved);
    expect([status, stdout]).toEqual([
      EXIT.stale,
      expect.stringMatching(/saved plan of format 1; this version of provision reads format 3/),
    ]);
    writeFileSync(saved, JSON.stringify({ ...json, tool: '0.0.9' }));
    await expectRefused(/provision: saved: 0\.0\.9; now: 0\.1\.0/);
    writeFileSync(saved, 'no JSON');
    expect((await run('apply', '--plan', saved)).stdout).toMatch(/is not a saved plan/);
  });

  test('in the place of the inventory is known for what it is', async () => {
    plan();
    const words = hosts.command('apply').map((word) => (word === hosts.inventory ? saved : word));
    expect(words).toContain(saved);
    const { status, stdout } = await ended(hosts.start(words));
    expect([status, stdout]).toEqual([1, expect.stringContaining(`apply INVENTORY --plan ${saved}`)]);
  });

  test('is shown as it was planned, and says nothing else than the plan', async () => {
    const made = await run('plan', '-o', saved);
    expect(made.stdout).toContain(`show it with: provision show ${saved}`);
    const shown = await ended(hosts.start(provision('show', saved)));
    expect(shown).toMatchObject({ status: 0, stderr: '' });
    expect(shown.stdout).toContain('update ');
    expect(made.stdout).toContain(shown.stdout);
    const json = await ended(hosts.start(provision('show', saved, '--format', 'json')));
    expect(JSON.parse(json.stdout)).toEqual(JSON.parse(readFileSync(saved, 'utf8')));

    chmodSync(saved, 0o666);
    const refused = await ended(hosts.start(provision('show', saved)));
    expect(refused).toMatchObject({ status: EXIT.unsafe, stdout: '' });
    expect(refused.stderr).toMatch(/other users may write this file \(mode 0666\)/);
    const inventory = await ended(hosts.start(provision('show', hosts.inventory)));
    expect([inventory.status, inventory.stderr]).toEqual([1, expect.stringMatching(/is not a saved plan: /)]);
  });

  test('options of other tools are answered with the way of this one, and the error is last', async () => {
    const { status, stderr } = await run('plan', '--check');
    expect([status, stderr]).toEqual([
      1,
      "error: unknown option '--check'\n  → `--check` is a verb here: provision plan INVENTORY\n",
    ]);
  });

  test('is not saved while a host is away, which is said; what an earlier one left there stays, which is said too', async () => {
    const inventory = join(hosts.lab.directory, 'one-away.yaml');
    writeFileSync(
      inventory,
      readFileSync(hosts.inventory, 'utf8').replace(/two: { ansible_port: \d+/, 'two: { ansible_port: 1'),
    );
    const words = hosts.command('plan', '-o', saved).map((word) => (word === hosts.inventory ? inventory : word));
    const notSaved = `a host is missing in the plan, which was not saved in ${saved}`;
    const first = await ended(hosts.start(words));
    expect(first).toMatchObject({
      status: EXIT.unreachable,
      stdout: expect.stringContaining(`${notSaved}\n`) as unknown,
    });
    expect(existsSync(saved)).toBe(false);
    plan();
    const again = await ended(hosts.start(words));
    expect(again.stdout).toContain(`${notSaved}; the file that is there is from before, and not this plan\n`);
    expect(readFileSync(saved, 'utf8')).toBe(planned);
  });

  test('is for its owner only, also in place of a file that was for all; a place that takes none is named', async () => {
    writeFileSync(saved, 'old', { mode: 0o666 });
    chmodSync(saved, 0o666);
    expect(await run('plan', '-o', saved)).toMatchObject({ status: 0, stderr: '' });
    expect(statSync(saved).mode & 0o777).toBe(0o600);
    const failed = await run('plan', '-o', '/dev/full/plan.json');
    expect(failed.status).toBe(1);
    expect(failed.stdout).toMatch(/the plan was not written to \/dev\/full\/plan\.json/);
    expect(failed.stderr).toBe('');
  });
});
