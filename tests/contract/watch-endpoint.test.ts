// The measurement of a drill, in a real shell: ping and curl are stand-ins that fail while a file says so.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Command } from '../../src/model/remote.js';
import { awaitFirstAnswers, endWatch, watchEndpoint } from '../../src/shell/watch-endpoint.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { scratch } from '../support/scratch.js';

let directory: string;
let running: ChildProcess | undefined;

beforeEach(() => {
  directory = temporaryDirectory('watch-endpoint');
  mkdirSync(join(directory, 'run'));
  mkdirSync(join(directory, 'bin'));
  for (const [name, what] of [
    ['ping', 'address'],
    ['curl', 'client'],
  ] as const)
    writeFileSync(join(directory, 'bin', name), `#!/bin/sh\n[ ! -e '${directory}/no-${what}' ]\n`, { mode: 0o755 });
  // Ten seconds of waiting for a first answer would be waited out.
  writeFileSync(join(directory, 'bin/seq'), '#!/bin/sh\nexec /usr/bin/seq $(( $1 / 20 ))\n', { mode: 0o755 });
});
afterEach(() => {
  running?.kill();
});

const inside = ({ script }: Command): string => script.replaceAll('/run/', `${directory}/run/`);
const env = (): NodeJS.ProcessEnv => ({ PATH: `${directory}/bin:/usr/bin:/bin` });

function run(command: Command): { readonly status: number | null; readonly stderr: string } {
  const { status, stderr } = spawnSync('sh', ['-c', inside(command)], { encoding: 'utf8', env: env(), cwd: scratch() });
  return { status, stderr };
}

const watchFor = (limitS: number, alive: readonly number[] = [200]): Command =>
  watchEndpoint({
    token: 't1',
    ip: '192.0.2.1',
    port: 2379,
    request: { url: 'https://192.0.2.1:2379/health' },
    ...{ limitS, alive },
  });

/** A watch that runs. */
interface Watch {
  /** Waits until it has printed a line. */
  readonly said: (line: RegExp) => Promise<void>;
  /** All lines, in words, once it has ended. */
  readonly lines: Promise<readonly (readonly string[])[]>;
}

function begin(limitS: number, alive?: readonly number[]): Watch {
  const child = spawn('sh', ['-c', inside(watchFor(limitS, alive))], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: env(),
    cwd: scratch(),
  });
  running = child;
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });
  return {
    said: async (line) => {
      while (!line.test(text)) await once(child.stdout, 'data');
    },
    lines: ended.then(() =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ')),
    ),
  };
}

describe('a watch', () => {
  test('tries both over and over until it is ended, says of each how it came out, and leaves nothing', async () => {
    const watch = begin(300);
    expect(run(awaitFirstAnswers('t1'))).toEqual({ status: 0, stderr: '' });
    writeFileSync(join(directory, 'no-client'), '');
    await watch.said(/^client .* 0$/m);
    await watch.said(/^address [^]*^address /m);
    expect(run(endWatch('t1'))).toEqual({ status: 0, stderr: '' });
    const said = await watch.lines;
    for (const [what, begun, ended, ok] of said) {
      expect(what).toMatch(/^(address|client)$/);
      expect(Number(ended)).toBeGreaterThanOrEqual(Number(begun));
      expect(begun).toMatch(/^\d+\.\d\d$/);
      expect(ok).toMatch(/^[01]$/);
    }
    const outcomes = (name: string): readonly string[] =>
      said.filter(([what]) => what === name).map((line) => line[3] ?? '');
    expect(new Set(outcomes('address'))).toEqual(new Set(['1']));
    expect(new Set(outcomes('client'))).toEqual(new Set(['0', '1']));
    expect(outcomes('address').length).toBeGreaterThan(1);
    expect(readdirSync(join(directory, 'run'))).toEqual([]);
  });

  test('takes what the service says is alive for a good answer', async () => {
    const curl = `#!/bin/sh\necho >>'${directory}/asked'; [ "$(wc -l <'${directory}/asked')" -le 2 ] && printf 401 || printf 503\n`;
    writeFileSync(join(directory, 'bin/curl'), curl, { mode: 0o755 });
    const watch = begin(300, [200, 401]);
    await watch.said(/^client .* 1$/m);
    await watch.said(/^client .* 0$/m);
    expect(run(endWatch('t1')).status).toBe(0);
    await watch.lines;
  });

  test('ends by itself at its limit', async () => {
    expect((await begin(0).lines).length).toBeGreaterThanOrEqual(2);
    expect(readdirSync(join(directory, 'run'))).toEqual([]);
  });

  test('does not begin where it cannot say that it goes on', async () => {
    rmSync(join(directory, 'run'), { recursive: true });
    expect(await begin(300).lines).toEqual([['']]);
  });

  test('is given more time than it takes, and runs beside what it measures', () => {
    expect(watchFor(60).timeoutMs).toBe(70_000);
    expect([awaitFirstAnswers('t').runsBeside, endWatch('t').runsBeside]).toEqual([true, true]);
  });
});

test.each([
  [['address', 'client'], 'no answer: address\nno answer: client\n'],
  [['client'], 'no answer: client\n'],
  [['address'], 'no answer: address\n'],
])('without %j there is no first answer, and it is said which', (missing, stderr) => {
  for (const what of ['address', 'client'])
    if (!missing.includes(what)) writeFileSync(join(directory, 'run', `provision-drill.t1.${what}`), '');
  expect(run(awaitFirstAnswers('t1'))).toEqual({ status: 1, stderr });
});

test('the questions are verified, and end in time', () => {
  const { script } = watchFor(1);
  expect(script).toContain('timeout 0.25 ping -n -q -c 1 192.0.2.1 >/dev/null 2>&1');
  expect(script).toMatch(/curl -sS --max-time 1 .* --connect-timeout 0\.25 --fail -o \/dev\/null 2>\/dev\/null/);
  expect(script).toMatch(/timeout 1 openssl s_client .* 2>\/dev\/null \| grep -Eq '\^HTTP\/1\[\.\]\[01\] \(200\) '/);
});

describe.each([
  ['refuses', 'bash: connect: Connection refused', 1],
  ['accepts', '', 1],
  ['is not there', 'bash: connect: No route to host', 0],
])('without ping and curl, an address that %s', (what, said, ok) => {
  test(`counts as ${ok === 1 ? 'there' : 'gone'}`, async () => {
    const bin = join(directory, 'few');
    mkdirSync(bin);
    for (const name of ['sh', 'timeout', 'rm', 'sleep', 'grep', 'printf', 'cat'])
      writeFileSync(join(bin, name), `#!/bin/sh\nexec /usr/bin/${name} "$@"\n`, { mode: 0o755 });
    writeFileSync(join(bin, 'bash'), `#!/bin/sh\necho '${said}' >&2\n[ '${what}' = accepts ]\n`, { mode: 0o755 });
    const answer = ok === 1 ? 'HTTP/1.0 200 OK' : 'HTTP/1.0 503 No';
    writeFileSync(join(bin, 'openssl'), `#!/bin/sh\necho '${answer}'\n`, { mode: 0o755 });
    const child = spawn('/bin/sh', ['-c', inside(watchFor(0))], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: bin },
      cwd: scratch(),
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await new Promise((resolve) => child.once('close', resolve));
    const outcomes = text
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/ .* /, ' '));
    expect(new Set(outcomes)).toEqual(new Set([`address ${ok}`, `client ${ok}`]));
    expect(existsSync(join(directory, 'run/provision-drill.t1'))).toBe(false);
  });
});
