import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { createProgram } from '../../src/commands/program.js';
import { EXIT } from '../../src/model/errors.js';
import { renderManPage } from '../../src/report/man-page.js';
import { verbContext } from '../support/verb-context.js';

// The manual page, as groff, which is behind `man`, prints it.

/** What groff prints, and what it complains about. */
function printed(page: string): { readonly text: string; readonly complaints: string } {
  const words = ['-man', '-ww', '-Tutf8', '-Kutf8', '-P-cbou'];
  const { status, stdout, stderr, error } = spawnSync('groff', words, { input: page, encoding: 'utf8' });
  if (error !== undefined || status !== 0) throw new Error(`groff: ${error?.message ?? stderr}`);
  return { text: stdout, complaints: stderr };
}

async function manPage(): Promise<string> {
  const stdout = new PassThrough({ encoding: 'utf8' });
  const context = verbContext(stdout, [], {});
  await (await createProgram(context)).parseAsync(['man'], { from: 'user' });
  return String(stdout.read());
}

describe('provision man', () => {
  test('prints a page of which groff complains about nothing, with all verbs, options and exit codes', async () => {
    const { text, complaints } = printed(await manPage());
    expect(complaints).toBe('');
    for (const verb of ['init', 'plan', 'apply', 'ca import', 'snapshot restore', 'lab up', 'doctor', 'doctor etcd'])
      expect(text).toMatch(new RegExp(`^ {3}provision ${verb} \\[`, 'm'));
    expect(text).toContain('--detailed-exitcode');
    for (const code of Object.values(EXIT)) expect(text).toMatch(new RegExp(`^ {7}${code} `, 'm'));
    expect(text).toContain('PROVISION_LAB_MIRROR           URI of a Debian mirror');
    expect(text).not.toContain('completion-server');
  });

  test('is in the package as npm links it: in a list, for npm 11 passes over a single name', () => {
    const { man, files } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, unknown>;
    expect(man).toEqual(['dist/provision.1']);
    expect(files).toContain('dist');
  });

  test('takes no text for a request, and keeps quotes, backslashes and hyphens', () => {
    const text = String.raw`.so /etc/passwd with "quotes", \fBa backslash and --a-hyphen`;
    const terms = [{ term: "'x", meaning: text }];
    const verbs = [{ usage: 'provision x "y"', description: text, terms, below: `.below\n'too\n${text}` }];
    const page = printed(renderManPage({ version: '1', summary: 'x', verbs }));
    const flat = page.text.replaceAll(/\s+/g, ' ');
    expect(flat.split(text)).toHaveLength(4);
    expect(flat).toContain(' .below ');
    expect(flat).toContain("'x ");
    expect(flat).toContain("'too");
    expect(page.complaints).toBe('');
  });

  test('would be noticed where it is no page', () => {
    expect(printed('.TH X 1\n.SH A\n.nosuchrequest\n').complaints).toContain('nosuchrequest');
  });
});
