import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { authorityFrom, TODAY } from '../../support/test-authority.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

// In a process of its own: in this one node:tls may be there already, which is what it is about.
test('TLS works in a process that has read the subject of a certificate', async () => {
  const file = join(temporaryDirectory('tls'), 'ca.crt');
  writeFileSync(file, (await authorityFrom(TODAY)).certificatePem);
  const script = `
    const { readFileSync } = await import('node:fs');
    const { readCertificates, subjectOf } = await import('./src/pki/inspect.js');
    const { commonName } = subjectOf(readCertificates(readFileSync(process.argv[1], 'utf8'))[0]);
    console.log(commonName, typeof (await import('node:tls')).default.createSecureContext);`;
  const words = ['--import', 'tsx', '--input-type=module', '-e', script, file];
  const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  expect([stdout, stderr]).toEqual([expect.stringMatching(/^\S.* function\n$/), '']);
});
