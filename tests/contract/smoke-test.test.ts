import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  askSmokeTest,
  awaitSmokeTest,
  endSmokeTest,
  smokeNamespace,
  startSmokeTest,
} from '../../src/shell/smoke-test.js';
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

describe('what killed tests have left', () => {
  const made = () => startSmokeTest('0a', { image: 'i:1', command: [], count: 2, tolerated: [] });
  /** Before this test was made, by the clock of the API server: that of the host is another one. */
  const before = (seconds: number): string => new Date(Date.UTC(2031, 0, 1) - seconds * 1000).toISOString();
  const own = `${smokeNamespace('0a')} ${before(0)} Active`;
  const list = (...lines: readonly string[]): string =>
    `*'create -f -'*) ;; *'get namespaces -l app.kubernetes.io/managed-by=provision,app.kubernetes.io/name=smoke-test '*) printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')} ;;`;
  const [old, older] = [
    `${smokeNamespace('0b')} ${before(2000)} Active`,
    `${smokeNamespace('0c')} ${before(9000)} Active`,
  ];

  test.each<readonly [string, string, string]>([
    ['nothing', list(own), ''],
    ['their pods', list(old, own, older), 'L\tprovision-smoke-test-0b\t2000\nL\tprovision-smoke-test-0c\t9000\n'],
    ['another test runs', list(own, `${smokeNamespace('0d')} ${before(1700)} Active`), ''],
    ['one of others has the labels', list(own, `default ${before(9000)} Active`), ''],
    [
      'one hangs',
      list(own, old.replace('Active', 'Terminating'), older),
      'T\tprovision-smoke-test-0b\nL\tprovision-smoke-test-0c\t9000\n',
    ],
    ['one can not be removed', `${list(own, old)} *'delete namespace'*) return 1 ;;`, 'T\tprovision-smoke-test-0b\n'],
    ['nobody lists them', "*'create -f -'*) ;; *'get namespaces'*) return 1 ;;", ''],
  ])('%s', (_, kubectl, stdout) => {
    const ended = run(made(), kubectl);
    expect([ended.status, ended.stdout]).toEqual([0, stdout]);
    // One that hangs is not waited for.
    expect(made().script).toContain('delete namespace "$name" --ignore-not-found --wait=false');
  });
});

describe('pods', () => {
  const made = () => startSmokeTest('0a', { image: 'i:1', command: ['a', '$(b)'], count: 2, tolerated: ['t'] });
  const pods = () => awaitSmokeTest('0a');

  test('are reported once they are ready', () => {
    const ended = run(
      pods(),
      String.raw`*'-n provision-smoke-test-0a get pods'*) printf 'P\tw-1\t10.1.1.1\n' ;; *'-n provision-smoke-test-0a get service'*) printf 'S\t10.9.9.9\n' ;;`,
    );
    expect([ended.status, ended.stdout]).toEqual([0, 'P\tw-1\t10.1.1.1\nS\t10.9.9.9\n']);
  });

  test('are created as given, in a namespace that says whose it is', () => {
    const ended = run(made(), `*'create -f -'*) cat >&2; echo >&2 ;;`);
    expect([ended.status, run(made(), '*create*) return 1 ;;').status]).toEqual([0, 1]);
    const [, manifest = ''] = /^(\{.*\})$/m.exec(ended.stderr) ?? [];
    const { items } = JSON.parse(manifest) as { items: readonly { kind: string; metadata: object; spec?: object }[] };
    expect(items.map(({ kind }) => kind)).toEqual(['Namespace', 'Deployment', 'Service']);
    const labels = { 'app.kubernetes.io/managed-by': 'provision', 'app.kubernetes.io/name': 'smoke-test' };
    expect(items[0]?.metadata).toEqual({
      name: 'provision-smoke-test-0a',
      labels: { ...labels, 'provision/run': '0a' },
    });
    expect(items.slice(1).map(({ metadata }) => metadata)).toEqual(
      ['smoke-test', 'smoke-test'].map((name) => ({ name, namespace: 'provision-smoke-test-0a' })),
    );
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
    const ended = run(pods(), `*'rollout status'*) echo 'timed out'; return 1 ;; ${events}`);
    const said = ended.stderr.split('\n').filter((line) => line !== '' && !/^kubectl |\{\{end\}\}$/.test(line));
    expect([ended.status, said]).toEqual([1, ['timed out', 'p: no image']]);
  });
});

test('after the test the namespace is removed, and one that stays is a failure', () => {
  expect(run(endSmokeTest('0a'), '')).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/delete namespace -l provision\/run=0a\n/) as unknown,
  });
  expect(run(endSmokeTest('0a'), '*delete*) return 1 ;;').status).toBe(1);
});

describe('an address', () => {
  let server: Server;
  let port = 0;

  beforeAll(async () => {
    const came = new Map<string, number>();
    server = createServer((socket) => {
      const at = socket.localAddress ?? '';
      const nth = (came.get(at) ?? 0) + 1;
      came.set(at, nth);
      // The second one answers, and not HTTP; the third one is not there at first; of the fourth one every third request is lost.
      const isLost = (at === '127.0.0.3' && nth <= 4) || (at === '127.0.0.4' && nth % 3 === 0);
      const answer = at === '127.0.0.2' ? 'SSH-2.0-x\r\n' : isLost ? '' : 'HTTP/1.1 404 Not Found\r\n\r\n';
      socket.on('error', () => undefined).once('data', () => socket.end(answer));
    }).listen(0, '0.0.0.0');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });

  afterAll(() => {
    server.close();
  });

  test('answers where HTTP comes back, whatever its status', async () => {
    expect(await asked('127.0.0.1', '127.0.0.2', '::1')).toBe('A 127.0.0.1 5 5\nA 127.0.0.2 0 5\nA ::1 0 5\n');
  });

  test('is asked once it has answered: a service that is new is not known to every node yet', async () => {
    expect(await asked('127.0.0.3')).toBe('A 127.0.0.3 5 5\n');
  });

  test('that does not answer each request after the first answer is seen', async () => {
    expect(await asked('127.0.0.4')).toBe('A 127.0.0.4 3 5\n');
  });

  async function asked(...addresses: readonly string[]): Promise<string> {
    const { script } = askSmokeTest(addresses, port, 0);
    return (await promisify(execFile)('sh', ['-c', script])).stdout;
  }
});
