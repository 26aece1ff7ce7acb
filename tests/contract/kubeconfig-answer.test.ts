import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { HttpsAnswer } from '../../src/facts/https-answer.js';
import { kubeconfigAnswer, kubeconfigAnswerKey } from '../../src/facts/kubeconfig-answer.js';
import { credentialsOf, readKubeconfig } from '../../src/facts/kubeconfig.js';
import { run } from '../support/lab.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

let directory: string;
let port: number;
let server: Server;
const inDirectory = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = temporaryDirectory('kubeconfig-answer');
  const make = `set -e; cd ${directory}
    for ca in own stranger; do openssl req -x509 -noenc -newkey rsa:2048 -days 2 -subj /CN=$ca -keyout $ca.key -out $ca.crt; done
    leaf() { openssl req -noenc -newkey rsa:2048 -subj "$2" -keyout $1.key -out $1.csr
      printf '%s\\n' "$3" > $1.ext; openssl x509 -req -days 2 -in $1.csr -CA own.crt -CAkey own.key -CAcreateserial -extfile $1.ext -out $1.crt; }
    leaf server /CN=kube-apiserver subjectAltName=IP:127.0.0.1,DNS:api.example.com
    leaf node /O=system:nodes/CN=system:node:worker-1 extendedKeyUsage=clientAuth
    cat node.crt node.key > node.pem`;
  const made = await run(['sh', '-c', make]);
  if (made.status !== 0) throw new Error(made.stderr);
  const [cert, key, ca] = await Promise.all(
    ['server.crt', 'server.key', 'own.crt'].map(async (name) => readFile(inDirectory(name))),
  );
  server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    const socket = request.socket as TLSSocket;
    const { subject } = socket.getPeerCertificate();
    response.statusCode = socket.authorized ? 200 : 401;
    response.end(JSON.stringify({ path: request.url, user: subject.CN, metadata: { uid: 'one' } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** A PATH with just these programs of this machine. */
async function onlyThese(programs: readonly string[], name: string): Promise<string> {
  const path = inDirectory(`path-${name}`);
  await mkdir(path);
  for (const program of programs) {
    const { stdout } = await run(['sh', '-c', `command -v ${program}`]);
    await symlink(stdout.trim(), join(path, program));
  }
  return path;
}

interface Given {
  readonly url?: string;
  readonly cluster?: string;
  readonly user?: string;
}

/** Writes a kubeconfig, and asks with it by this machine's own shell. @param path where programs are */
async function asked(name: string, given: Given, path: string): Promise<HttpsAnswer | undefined> {
  const file = inDirectory(name);
  const text = `# Größe
clusters: [{name: a, cluster: {server: "https://10.0.0.11:6443", ${given.cluster ?? `certificate-authority: own.crt`}}}]
contexts: [{name: c, context: {cluster: a, user: u}}]
current-context: c
users: [{name: u, user: {${given.user ?? 'client-certificate: node.pem, client-key: node.pem'}}}]
`;
  await writeFile(file, text);
  const credentials = credentialsOf(readKubeconfig(file, text));
  const key = kubeconfigAnswerKey({
    file,
    url: `${given.url ?? `https://127.0.0.1:${port}`}/api/v1/nodes/worker-1`,
    credentials,
  });
  const script = `PATH=${path}\n${kubeconfigAnswer.script([key])}`;
  const ended = await run(['sh', '-c', script]);
  const pem = await readFile(inDirectory('node.key'), 'utf8');
  // Neither the question nor the answer has anything of the key.
  for (const line of pem.split('\n').slice(1, -2)) expect(script + ended.stdout + ended.stderr).not.toContain(line);
  return kubeconfigAnswer.parse(ended.stdout, [key]).get(key);
}

async function inline(...names: readonly string[]): Promise<readonly string[]> {
  return Promise.all(names.map(async (name) => (await readFile(inDirectory(name))).toString('base64')));
}

const KNOWN = { kind: 'answer', status: 200, body: expect.stringContaining('"user":"system:node:worker-1"') };

describe.each(['curl', 'openssl'])('asked through %s', (tool) => {
  let path: string;
  beforeAll(async () => {
    path = await onlyThese([tool, 'tail', 'head', 'base64', 'timeout'], tool);
  });

  test('an API server knows whose kubeconfig it is: files', async () => {
    expect(await asked(`${tool}-files`, {}, path)).toEqual(KNOWN);
  });

  test('an API server knows whose kubeconfig it is: certificates and key within it', async () => {
    const [ca = '', certificate = '', key = ''] = await inline('own.crt', 'node.crt', 'node.key');
    const cluster = `certificate-authority-data: ${ca}`;
    const user = `client-certificate-data: '${certificate}', client-key-data: "${key}"`;
    expect(await asked(`${tool}-inline`, { cluster, user }, path)).toEqual(KNOWN);
  });

  test('a stranger behind the address is refused', async () => {
    const [ca = ''] = await inline('stranger.crt');
    const answer = await asked(`${tool}-stranger`, { cluster: `certificate-authority-data: ${ca}` }, path);
    expect(answer).toEqual({
      kind: 'failure',
      reason: expect.stringMatching(/self.signed|unable to get local issuer|verif/),
    });
  });

  test('one that shows another name is refused, unless the kubeconfig says that name', async () => {
    const url = `https://127.0.0.2:${port}`;
    expect(await asked(`${tool}-unnamed`, { url: `https://localhost:${port}` }, path)).toMatchObject({
      kind: 'failure',
    });
    const cluster = 'certificate-authority: own.crt, tls-server-name: api.example.com';
    expect(await asked(`${tool}-named`, { cluster }, path)).toEqual(KNOWN);
    expect(await asked(`${tool}-away`, { url, cluster }, path)).toMatchObject({ kind: 'failure' });
  });
});

test('who has neither curl nor openssl says so', async () => {
  const path = await onlyThese(['tail', 'head', 'base64'], 'neither');
  expect(await asked('neither', {}, path)).toEqual({
    kind: 'failure',
    reason: 'the host has neither curl nor openssl',
  });
});
