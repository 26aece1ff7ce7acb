import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { askSmokeTest, beginSmokeTest, endSmokeTest, startSmokeTest } from '../../src/shell/smoke-test.js';
import { scratch } from '../support/scratch.js';

/** A command in a real shell, with a `kubectl` that does this. @returns its status, output, and calls */
function run(
  { script, stdin }: { script: string; stdin?: unknown },
  kubectl: string,
): { status: number | null; stdout: string; stderr: string } {
  const stub = `timeout() { shift; "$@"; }; kubectl() { printf 'kubectl %s\\n' "$*" >&2; case "$*" in ${kubectl} *) return 0 ;; esac; }`;
  const input = typeof stdin === 'string' ? stdin : '';
  return spawnSync('sh', ['-c', `${stub}\n${script}`], { cwd: scratch(), encoding: 'utf8', input });
}

describe('before the test', () => {
  const NODES = String.raw`*'get nodes'*) printf 'N\tw-1\t\tTrue\n' ;;`;

  test.each([
    ['nothing is there', '', 0, false],
    ['a killed test has left its pods', 'provision-smoke-test provision', 0, true],
    ['a namespace of others is there', 'provision-smoke-test ', 1, false],
    ['a namespace of another tool is there', 'provision-smoke-test Helm', 1, false],
  ])('%s', (_, seen, status, isRemoved) => {
    const ended = run(beginSmokeTest(), `*'get namespace'*) printf '${seen}' ;; ${NODES}`);
    expect([ended.status, ended.stderr.includes('delete namespace provision-smoke-test')]).toEqual([status, isRemoved]);
    expect(ended.stdout).toBe(status === 0 ? 'N\tw-1\t\tTrue\n' : '');
  });
});

describe('pods', () => {
  const pods = startSmokeTest({ image: 'i:1', command: ['a', '$(b)'], count: 2, tolerated: ['t'] });

  test('are created as given, and reported once they are ready', () => {
    const ended = run(
      pods,
      String.raw`*'create -f -'*) cat >&2; echo >&2 ;; *'get pods'*) printf 'P\tw-1\t10.1.1.1\n' ;; *'get service'*) printf 'S\t10.9.9.9\n' ;;`,
    );
    expect([ended.status, ended.stdout]).toEqual([0, 'P\tw-1\t10.1.1.1\nS\t10.9.9.9\n']);
    const [, manifest = ''] = /^(\{.*\})$/m.exec(ended.stderr) ?? [];
    const { items } = JSON.parse(manifest) as { items: readonly { kind: string; spec?: object }[] };
    expect(items.map(({ kind }) => kind)).toEqual(['Namespace', 'Deployment', 'Service']);
    expect(items[1]).toMatchObject({
      spec: {
        replicas: 2,
        template: {
          spec: {
            containers: [{ image: 'i:1', command: ['a', '$(b)'] }],
            tolerations: [{ key: 't', operator: 'Exists' }],
          },
        },
      },
    });
  });

  test('that do not get ready fail with what the cluster says, each line once', () => {
    const events = String.raw`*'get events'*) printf 'p: no image\np: no image\n' ;;`;
    const ended = run(pods, `*'rollout status'*) echo 'timed out'; return 1 ;; ${events}`);
    const said = ended.stderr.split('\n').filter((line) => line !== '' && !/^kubectl |\{\{end\}\}$/.test(line));
    expect([ended.status, said]).toEqual([1, ['timed out', 'p: no image']]);
  });
});

test('after the test the namespace is removed, and one that stays is a failure', () => {
  expect(run(endSmokeTest(), '').status).toBe(0);
  expect(run(endSmokeTest(), '*delete*) return 1 ;;').status).toBe(1);
});

describe('an address', () => {
  let server: Server;
  let port = 0;

  beforeAll(async () => {
    server = createServer((socket) => {
      // The second one answers, and not HTTP.
      const answer = socket.localAddress === '127.0.0.2' ? 'SSH-2.0-x\r\n' : 'HTTP/1.1 404 Not Found\r\n\r\n';
      socket.on('error', () => undefined).once('data', () => socket.end(answer));
    }).listen(0, '0.0.0.0');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });

  afterAll(() => {
    server.close();
  });

  test('answers where HTTP comes back, whatever its status', async () => {
    const { script } = askSmokeTest(['127.0.0.1', '127.0.0.2', '::1'], port);
    const { stdout } = await promisify(execFile)('sh', ['-c', script]);
    expect(stdout).toBe('A 127.0.0.1 5 5\nA 127.0.0.2 0 5\nA ::1 0 5\n');
  });
});
