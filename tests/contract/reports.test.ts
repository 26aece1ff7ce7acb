import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { provision } from '../support/lab.js';
import { ended, startRealHosts, type RealHosts } from '../support/real-run.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

let hosts: RealHosts;
let work: string;
beforeAll(async () => {
  hosts = await startRealHosts('one', 'two');
});
afterAll(async () => hosts.remove());
beforeEach(() => {
  work = temporaryDirectory('reports');
  hosts.write([`copy: { dest: ${work}/a.conf, content: "new\\n" }`]);
});

const FORMATS = ['md', 'xml', 'html'] as const;

function reportWords(): readonly string[] {
  return FORMATS.flatMap((format) => ['--report', join(work, `r.${format}`)]);
}

function read(format: (typeof FORMATS)[number]): string {
  return readFileSync(join(work, `r.${format}`), 'utf8');
}

async function run(verb: string, ...words: readonly string[]) {
  return ended(hosts.start(hosts.command(verb, ...words)));
}

describe('with --report', () => {
  test('a plan is written in each format, for its owner alone, and once more over itself', async () => {
    for (const time of ['first', 'second']) {
      expect({ time, ...(await run('plan', ...reportWords())) }).toMatchObject({ status: 0, stderr: '' });
      expect(read('md')).toMatch(/^<!-- report of provision[^\n]*\n\n### ✅ plan: 2 changes on 2 hosts\b/);
      expect(read('xml')).toMatch(/<testsuites [^>]*tests="3" failures="0"/);
      expect(read('html')).toContain('+new');
      for (const format of FORMATS) expect(statSync(join(work, `r.${format}`)).mode & 0o777).toBe(0o600);
      // Nothing is left beside them.
      expect(readdirSync(work).sort()).toEqual(['r.html', 'r.md', 'r.xml']);
    }
  });

  test('a run is written as it was, and again from the journal', async () => {
    // Both hosts are this machine: the second would find what the first one has done.
    expect(await run('apply', '--yes', '--limit', 'one', ...reportWords())).toMatchObject({ status: 0 });
    expect(read('md')).toContain('### ✅ apply: 1 change performed');
    expect(read('xml')).toContain(`done: create ${work}/a.conf`);
    const again = join(work, 'again.xml');
    const history = provision('history', hosts.inventory, 'last', '--report', again);
    expect(await ended(hosts.start(history))).toMatchObject({ status: 0 });
    const cases = (xml: string): readonly string[] => xml.match(/<testcase .*/g) ?? [];
    expect(cases(readFileSync(again, 'utf8')).slice(0, 1)).toEqual(cases(read('xml')).slice(0, 1));
  });

  test('a run that fails is written, and ends as it would without', async () => {
    hosts.write(['shell: { cmd: "echo it is so >&2; exit 3", creates: /nowhere/x }']);
    const { status } = await run('apply', '--yes', ...reportWords());
    expect(status).toBe(1);
    expect(read('md')).toMatch(/### ❌ apply did not succeed/);
    expect(read('md')).toContain('it is so');
    expect(read('xml')).toMatch(/<failure [^>]*status 3[^>]*>[^<]*it is so/);
    expect(read('html')).toContain('it is so');
  });

  test('one that a person stops before it begins says so', async () => {
    expect((await run('apply', ...reportWords())).status).toBe(1);
    expect(read('html')).toMatch(/apply did not succeed/);
    expect(existsSync(join(work, 'a.conf'))).toBe(false);
  });
});

describe('before anything runs, it is refused', () => {
  const refused = async (file: string): Promise<string> => {
    const { status, stdout, stderr } = await run('apply', '--yes', '--report', file);
    expect(status).toBe(1);
    expect(existsSync(join(work, 'a.conf'))).toBe(false);
    return `${stdout}${stderr}`;
  };

  test('to write in another format', async () => {
    expect(await refused(join(work, 'r.pdf'))).toMatch(/r\.pdf: expected a name that ends with \.md, \.xml, \.html/);
    expect(await refused(join(work, 'md'))).toMatch(/expected a name/);
  });

  test('to write over a file that is no report, or a link to one', async () => {
    const file = join(work, 'README.md');
    writeFileSync(file, '# mine\n');
    expect(await refused(file)).toMatch(/README\.md is no report of this program, and is left as it is/);
    symlinkSync(file, join(work, 'link.md'));
    expect(await refused(join(work, 'link.md'))).toMatch(/link\.md is no report/);
    expect(readFileSync(file, 'utf8')).toBe('# mine\n');
  });

  test('where no file can be made', async () => {
    expect(await refused('/dev/null/r.md')).toMatch(/the report was not written to \/dev\/null\/r\.md/);
    expect(await refused('/proc/r.html')).toMatch(/the report was not written to \/proc\/r\.html/);
  });
});

test('a report that can be written no more at the end is a failure of the run, and told', async () => {
  const directory = join(work, 'there');
  const file = join(directory, 'r.md');
  hosts.write([`shell: { cmd: "rm -rf ${directory} && touch ${directory}", creates: ${work}/never }`]);
  const { status, stdout } = await run('apply', '--yes', '--limit', 'one', '--report', file);
  expect(status).not.toBe(0);
  expect(stdout).toMatch(/the report was not written to .*there\/r\.md/);
});

test('costs no look where it is not asked for', () => {
  // The program as it is: what a plan loads is in fixtures/budget/modules.txt.
  expect(readFileSync('fixtures/budget/modules.txt', 'utf8')).not.toMatch(/page\/|cluster-picture/);
});
