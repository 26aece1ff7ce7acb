// Whatever file a person names may have no end: it is refused by name, and never read whole.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { defineCaCommand } from '../../../src/commands/ca.js';
import { refuseDrift } from '../../../src/engine/saved-plan.js';
import { readTextBounded, readTextBoundedSync } from '../../../src/model/read-bounded.js';
import { moduleNamed } from '../../../src/playbook/modules.js';
import { readPlaybook } from '../../../src/playbook/read-playbook.js';
import { createHostKeys } from '../../../src/ssh/host-keys.js';
import { createPrivateKeys } from '../../../src/ssh/private-keys.js';
import type { Context } from '../../../src/commands/context.js';
import type { Plan } from '../../../src/model/plan.js';
import type { Settings } from '../../../src/ssh/settings.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const ENDLESS = '/dev/zero';
const TOO_LONG = /more than \d+ KiB/;

let directory: string;
beforeEach(async () => {
  directory = temporaryDirectory('bounded');
});

function importAuthority(...files: readonly string[]): Promise<unknown> {
  const program = new Command().exitOverride();
  defineCaCommand(program.command('ca'), {
    env: { PROVISION_CA_PASSPHRASE: 'long enough for it' },
  } as unknown as Context);
  return program.parseAsync(['ca', 'import', join(directory, 'pki'), ...files], { from: 'user' });
}

async function copyOf(module: 'copy' | 'template', src: string): Promise<unknown> {
  const parameters = { dest: '/etc/x', src };
  const context = { name: undefined, directory, render: () => fail(), content: undefined, before: [] };
  return moduleNamed(module)?.build(parameters, context);
}

function fail(): never {
  throw new Error('was read');
}

describe('a file without an end is refused', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['as a playbook', () => readPlaybook(ENDLESS)],
    ['as a saved plan', () => refuseDrift(ENDLESS, {} as Plan)],
    ['as the certificate of an authority', () => importAuthority('--certificate', ENDLESS)],
    [
      'as known_hosts',
      () => {
        const keys = createHostKeys({
          acceptNew: false,
          randomBytes: () => new Uint8Array(),
          onNotice: () => undefined,
        });
        const settings = { hostname: 'a', port: 22, userKnownHostsFiles: [ENDLESS], globalKnownHostsFiles: [] };
        return keys.checkFor('a', settings as unknown as Settings);
      },
    ],
  ])('%s', async (_, read) => {
    await expect(read()).rejects.toThrow(TOO_LONG);
  });

  test.each(['copy', 'template'] as const)('as the source of %s', async (module) => {
    // A ZodError, which knows its place in the playbook, is no Error.
    await expect(copyOf(module, ENDLESS)).rejects.toMatchObject({
      issues: [{ path: ['src'], message: expect.stringMatching(TOO_LONG) }],
    });
  });

  test('as a private key, which is then no reason to stop: another one may do', async () => {
    const keys = createPrivateKeys({ variable: undefined, ask: undefined });
    expect(await keys.read(ENDLESS)).toMatchObject({ kind: 'unusable', reason: expect.stringMatching(TOO_LONG) });
  });
});

describe('a file with an end', () => {
  test('is read whole up to the limit, also where nobody can wait', async () => {
    const file = join(directory, 'x');
    const text = 'ä'.repeat(50_000);
    await writeFile(file, text);
    expect(await readTextBounded(file, 100_000)).toBe(text);
    expect(readTextBoundedSync(file, 100_000)).toBe(text);
    await expect(readTextBounded(file, 99_999)).rejects.toThrow(TOO_LONG);
    expect(() => readTextBoundedSync(file, 99_999)).toThrow(TOO_LONG);
  });

  test('that is missing is reported in the words of the system', async () => {
    await expect(readTextBounded(join(directory, 'none'), 1)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(() => readTextBoundedSync(join(directory, 'none'), 1)).toThrow('ENOENT');
  });
});
