import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { CertificateDestination } from '../../../src/model/certificate.js';
import { Secret } from '../../../src/model/secret.js';
import { publicKeyText, readCertificates } from '../../../src/pki/inspect.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { installCertificateScript } from '../../../src/shell/install-certificate.js';
import { BACKUP_ROOT } from '../../../src/shell/kept-copy.js';
import { createLocalTransport } from '../../support/local-transport.js';
import { hasOpenssl } from '../../support/openssl.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE } from '../../support/test-authority.js';

const CLIENTS = fileURLToPath(new URL('../../support/handshakes.mjs', import.meta.url));
const SWAPS = 8;
const TIMEOUT_MS = 60_000;
const READ_GAP_MS = '50';

const NOW = new Date();
let directory: string;
let authority: SigningAuthority;
let pair: CertificateDestination & { layout: 'pair' };

beforeEach(async () => {
  directory = temporaryDirectory('swap');
  pair = { layout: 'pair', certificatePath: join(directory, 'server.crt'), keyPath: join(directory, 'server.key') };
  authority = await authorityFrom(NOW);
  await writeFile(join(directory, 'ca.crt'), authority.certificatePem);
});

/** Installs a certificate, for a key or with a new one. @returns its public key */
async function swap(keepPublicKey: string | null): Promise<string> {
  const { certificatePem, keyPem } = await issueCertificate(
    authority,
    { ...SERVER_PROFILE, keepPublicKey },
    circumstancesAt(NOW),
  );
  const pem = certificatePem + (keyPem?.reveal() ?? '');
  const script = installCertificateScript(
    {
      destination: pair,
      ownership: { owner: userInfo().username, group: String(userInfo().gid), mode: '0600' },
      key: keyPem === undefined ? 'kept' : 'new',
      bytes: pem.length,
    },
    'run.0',
  ).replaceAll(BACKUP_ROOT, join(directory, 'backups'));
  const output = await createLocalTransport('etcd-1').run({ summary: 'swap', script, stdin: new Secret(pem) });
  expect(output).toMatchObject({ status: 0, stdout: '', stderr: '' });
  const [leaf] = readCertificates(certificatePem);
  if (leaf === undefined) throw new Error('no leaf');
  return publicKeyText(leaf.publicKey);
}

/** Verified connections, one after another, for as long as the work takes; in a process of their own. */
async function handshakesDuring(work: () => Promise<void>): Promise<{ readonly ok: number; readonly failed: number }> {
  const child = spawn(
    process.execPath,
    [CLIENTS, pair.certificatePath, pair.keyPath, join(directory, 'ca.crt'), READ_GAP_MS],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('ready');
  await work().finally(() => child.stdin.end());
  return JSON.parse(String((await lines.next()).value)) as { ok: number; failed: number };
}

(hasOpenssl() ? describe : describe.skip)('certificates that are swapped under a server in use', () => {
  test(
    'renewals fail no handshake',
    async () => {
      let key = await swap(null);
      const { ok, failed } = await handshakesDuring(async () => {
        for (let count = 0; count < SWAPS; count += 1) key = await swap(key);
      });
      expect(failed).toBe(0);
      expect(ok).toBeGreaterThan(SWAPS);
    },
    TIMEOUT_MS,
  );

  test(
    'new keys would: this test can see a mixed pair',
    async () => {
      await swap(null);
      const { failed } = await handshakesDuring(async () => {
        for (let count = 0; count < 6; count += 1) await swap(null);
      });
      expect(failed).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});
