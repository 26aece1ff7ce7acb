import { existsSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { PLAYBOOKS } from '../../../src/commands/run-options.js';
import { playbookFile } from '../../../src/commands/shipped-playbooks.js';
import { ProvisionError } from '../../../src/model/errors.js';

test('every playbook that the help names is there', () => {
  for (const name of PLAYBOOKS) expect([name, existsSync(playbookFile(name))]).toEqual([name, true]);
});

test.each(['my.yaml', './site', 'plays/site', 'README.md', 'docs'])('%s is a path', (path) => {
  expect(playbookFile(path)).toBe(path);
});

test.each([
  ['sight', 'sight is neither a shipped playbook nor a file'],
  ['Site', 'Site is neither a shipped playbook nor a file; did you mean site?'],
  ['repiont', 'repiont is neither a shipped playbook nor a file; did you mean repoint?'],
])('%s is refused, with the names', (name, message) => {
  let thrown: unknown;
  try {
    playbookFile(name);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ProvisionError);
  expect(thrown).toMatchObject({
    code: 'playbook-unreadable',
    message,
    hint: expect.stringContaining('shipped playbooks: site, etcd, former-members,'),
  });
});
