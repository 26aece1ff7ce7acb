import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  presentedCertificate,
  presentedKey,
  type PresentedCertificate,
} from '../../src/facts/presented-certificate.js';
import { parseProgramProcesses, programProcessesScript } from '../../src/facts/program-processes.js';
import { programStarts } from '../../src/facts/program-starts.js';
import { readCertificates, subjectOf } from '../../src/pki/inspect.js';
import { issueCertificate } from '../../src/pki/issue.js';
import { run } from '../support/lab.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE, TODAY } from '../support/test-authority.js';

let directory: string;
const children: ChildProcess[] = [];

beforeAll(() => {
  directory = temporaryDirectory('rotation-facts');
});
afterAll(() => {
  for (const child of children) child.kill();
});

async function starts(
  ...programs: readonly string[]
): Promise<ReadonlyMap<string, readonly { readonly startedAt: number }[]>> {
  const { stdout } = await run(['sh', '-c', programStarts.script(programs)]);
  return programStarts.parse(stdout, programs);
}

test('a process is older than a file that came after it, and newer than one that was there', async () => {
  const program = join(directory, 'rotated-reader');
  copyFileSync('/bin/sleep', program);
  const before = join(directory, 'before');
  writeFileSync(before, '');
  // Jiffies are hundredths of a second.
  await run(['sleep', '0.05']);
  const child = spawn(program, ['600'], { stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  await run(['sleep', '0.05']);
  const after = join(directory, 'after');
  writeFileSync(after, '');
  const found = await starts('rotated-reader', 'no-such-program');
  const [{ startedAt } = { startedAt: Number.NaN }] = found.get('rotated-reader') ?? [];
  expect(found.get('no-such-program')).toEqual([]);
  expect(startedAt).toBeGreaterThan(statSync(before).ctimeMs / 1000);
  expect(startedAt).toBeLessThan(statSync(after).ctimeMs / 1000);
});

test('a process on a network of its own, as in a cluster of containers, is none of the host', async () => {
  const program = join(directory, 'own-network');
  copyFileSync('/bin/sleep', program);
  const outside = spawn(program, ['600'], { stdio: 'ignore' });
  const inside = spawn('unshare', ['--net', program, '600'], { stdio: 'ignore' });
  children.push(outside, inside);
  const names = (pid: number | undefined): string =>
    existsSync(`/proc/${pid ?? 0}/comm`) ? readFileSync(`/proc/${pid ?? 0}/comm`, 'utf8').trim() : '';
  while ([outside, inside].some(({ pid }) => names(pid) !== 'own-network')) await run(['sleep', '0.05']);
  const { stdout } = await run(['sh', '-c', programStarts.script(['own-network'])]);
  const found = programStarts.parse(stdout, ['own-network']).get('own-network') ?? [];
  expect(found.map(({ pid }) => pid)).toEqual([outside.pid]);
  const processes = parseProgramProcesses((await run(['sh', '-c', programProcessesScript('own-network')])).stdout);
  expect(processes.map(({ pid }) => pid)).toEqual([outside.pid]);
});

test('what a server shows is what it shows now, not what lies on the disk', async () => {
  const [old, next] = [await authorityFrom(TODAY), await authorityFrom(TODAY, 3650, 'rsa-2048')];
  const [first, second] = [await issued(old, 'first'), await issued(next, 'second')];
  const server = createServer({ ...first, requestCert: true, rejectUnauthorized: false });
  server.on('secureConnection', (socket: TLSSocket) => socket.end());
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = { certificate: join(directory, 'client.crt'), key: join(directory, 'client.key') };
  writeFileSync(client.certificate, first.cert);
  writeFileSync(client.key, first.key);
  const keys = [
    presentedKey({ url: `https://127.0.0.1:${port}`, ...client }),
    presentedKey({ url: 'https://127.0.0.1:1', ...client }),
  ];
  const ask = async (): Promise<readonly string[]> => {
    const { stdout } = await run(['sh', '-c', presentedCertificate.script(keys)]);
    const found = presentedCertificate.parse(stdout, keys);
    return keys.map((key) => nameIn(found.get(key)));
  };
  expect(await ask()).toEqual(['first', 'silent']);
  server.setSecureContext(second);
  expect(await ask()).toEqual(['second', 'silent']);
  server.close();
});

function nameIn(shown: PresentedCertificate | undefined): string {
  if (shown?.kind !== 'presented') return shown?.kind ?? 'nothing';
  const [leaf] = readCertificates(shown.pem);
  return leaf === undefined ? 'unreadable' : subjectOf(leaf).commonName;
}

async function issued(
  authority: Awaited<ReturnType<typeof authorityFrom>>,
  commonName: string,
): Promise<{ readonly cert: string; readonly key: string }> {
  const profile = { ...SERVER_PROFILE, commonName };
  const { certificatePem, keyPem } = await issueCertificate(authority, profile, circumstancesAt(TODAY));
  return { cert: certificatePem, key: keyPem?.reveal() ?? '' };
}
