import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KUBEADM_CONFIG, kubeadmConfig, type KubeadmConfig } from '../../src/facts/kubeadm-config.js';
import type { Command } from '../../src/model/remote.js';
import { replaceConfigMapKey, restoreConfigMapKey } from '../../src/shell/config-map.js';
import { readObjectScript } from '../../src/shell/own-apiserver.js';
import { run } from '../support/lab.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** What the apiserver answers in the moment in which its connections to etcd break. */
const BROKEN = String.raw`HTTP/1.1 500 Internal Server Error\r\n\r\n{}`;
const WHOLE = String.raw`HTTP/1.1 200 OK\r\n\r\n{"data":{"ClusterConfiguration":"kind: X"}}`;

/**
 * Reads the ConfigMap with the host's own shell, from an apiserver whose first answers are broken.
 * @returns what was read, and how often was asked
 */
async function readAfter(
  broken: number,
): Promise<{ readonly found: KubeadmConfig | undefined; readonly asked: number }> {
  const directory = temporaryDirectory('kubeadm-config');
  const programs = {
    // A process of that name, whatever runs here.
    grep: `echo /proc/${process.pid}/comm`,
    sleep: ':',
    curl: `echo >>"${directory}/asked"; [ "$(wc -l <"${directory}/asked")" -le ${broken} ] && printf '${BROKEN}' || printf '${WHOLE}'`,
  };
  try {
    for (const [name, script] of Object.entries(programs)) {
      await writeFile(join(directory, name), `#!/bin/sh\n${script}\n`);
      await chmod(join(directory, name), 0o755);
    }
    const script = `PATH=${directory}:$PATH\n${kubeadmConfig.script([KUBEADM_CONFIG])}`;
    const { stdout } = await run(['sh', '-c', script]);
    const asked = (await readFile(join(directory, 'asked'), 'utf8')).length;
    return { found: kubeadmConfig.parse(stdout, [KUBEADM_CONFIG]).get(KUBEADM_CONFIG), asked };
  } finally {
  }
}

test('is read, although the apiserver is cut off from its etcd for a moment', async () => {
  expect(await readAfter(2)).toEqual({ found: { kind: 'found', configuration: 'kind: X' }, asked: 3 });
});

test('is not known while the apiserver stays cut off', async () => {
  const found = { kind: 'silent', reason: 'the kube-apiserver answers 500' };
  expect(await readAfter(99)).toEqual({ found, asked: 5 });
});

describe('an exchange with the apiserver', () => {
  let directory: string;
  const apiservers: ChildProcess[] = [];

  beforeEach(() => {
    directory = temporaryDirectory('exchange');
  });
  afterEach(() => {
    for (const apiserver of apiservers.splice(0)) apiserver.kill();
  });

  const inside = (name: string): string => join(directory, name);
  async function program(name: string, script: string): Promise<void> {
    await writeFile(inside(name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  /** How a host is. */
  interface Host {
    /** Arguments of its kube-apiserver; `undefined`: none runs. */
    readonly words?: readonly string[];
    /** Directories as `/proc/PID` of processes of that name that are found before it. */
    readonly earlier?: readonly string[];
    /** Statuses that are answered, in turn; the last one for all further. '' is no answer. */
    readonly answers?: readonly string[];
    readonly body?: string;
    /** Where there is no curl. */
    readonly tool?: 'curl' | 'openssl' | 'none';
  }

  interface Exchanged {
    readonly status: number | null;
    readonly stderr: string;
    /** Arguments of each exchange, what was sent, and the certificate and key that were shown from a pipe. */
    readonly calls: readonly { readonly words: string; readonly sent: string; readonly shown: string }[];
  }

  /** Runs a script on a host with a process of that name, and a tool that answers as is wanted. */
  async function exchange(script: string, stdin: string, host: Host = {}): Promise<Exchanged> {
    const { words = [], earlier = [], answers = ['200'], body = '{}', tool = 'curl' } = host;
    await program('kube-apiserver', 'read -r _');
    const apiserver = spawn(inside('kube-apiserver'), words, { stdio: ['pipe', 'ignore', 'ignore'] });
    apiservers.push(apiserver);
    // Others of that name may run on this machine.
    await program(
      'grep',
      `echo ${[...earlier, `/proc/${apiserver.pid ?? 0}`].map((path) => `${path}/comm`).join(' ')}`,
    );
    await program('sleep', ':');
    for (const [index, answer] of answers.entries())
      await writeFile(
        inside(`answer${index + 1}`),
        answer === '' ? 'no route' : `HTTP/1.1 ${answer} Word\r\n\r\n${body}`,
      );
    const record = [
      `n=$(($(cat ${inside('n')} 2>/dev/null || echo 0) + 1)); echo $n >${inside('n')}`,
      `printf '%s' "$*" >${inside('words')}$n; cat >${inside('sent')}$n`,
      `{ cat /dev/fd/3 /dev/fd/4; } >${inside('shown')}$n 2>/dev/null`,
      `[ $n -le ${answers.length} ] || n=${answers.length}`,
      `cat ${inside('answer')}$n`,
    ].join('\n');
    if (tool !== 'none') await program(tool, record);
    const tools = ['sh', 'tr', 'sed', 'head', 'cat', 'seq', 'base64', 'timeout'];
    for (const name of tools) await symlink(`/usr/bin/${name}`, inside(name)).catch(() => undefined);
    const { status, stderr } = spawnSync('/bin/sh', ['-c', script.replaceAll('/etc/kubernetes', directory)], {
      ...{ input: stdin, encoding: 'utf8', cwd: directory, env: { PATH: directory } },
    });
    const count = Number(await readFile(inside('n'), 'utf8').catch(() => '0'));
    const read = async (name: string, index: number): Promise<string> =>
      readFile(inside(`${name}${index + 1}`), 'utf8');
    const calls = Array.from({ length: count }, async (_, index) => ({
      words: await read('words', index),
      sent: await read('sent', index),
      shown: await read('shown', index),
    }));
    return { status, stderr, calls: await Promise.all(calls) };
  }

  const look = (host: Host): Promise<Exchanged> => exchange(readObjectScript(CONFIG_MAP), '', host);
  const CONFIG_MAP = '/api/v1/namespaces/kube-system/configmaps/kubeadm-config';

  test.each([
    ['where it says nothing of it', [], '127.0.0.1:6443'],
    ['on all addresses', ['--bind-address=0.0.0.0', '--secure-port=7443'], '127.0.0.1:7443'],
    ['on all addresses of both kinds', ['--bind-address=::'], '127.0.0.1:6443'],
    ['on one', ['--x', '--bind-address=10.0.0.1', '--bind-address=10.0.0.2'], '10.0.0.1:6443'],
    ['on one of IPv6', ['--bind-address=2001:db8::1'], '[2001:db8::1]:6443'],
  ])('is made where its process listens: %s', async (_, words, where) => {
    const { calls } = await look({ words });
    expect(calls).toHaveLength(1);
    expect(calls[0]?.words).toContain(` https://${where}${CONFIG_MAP}`);
    expect(calls[0]?.words).toContain('-X GET');
    expect(calls[0]?.words).not.toContain('--cert');
  });

  // One that is taken, and has no arguments, is asked where kubeadm has it.
  test.each([
    ['another network', '/dev/null', '10.0.0.1'],
    ['the network of the host', '/proc/self/ns/net', '127.0.0.1'],
  ])('is made with the first process that is on the host’s network: one on %s is there, too', async (_, net, where) => {
    await mkdir(inside('other/ns'), { recursive: true });
    await symlink(net, inside('other/ns/net'));
    const { calls } = await look({ words: ['--bind-address=10.0.0.1'], earlier: [inside('other')] });
    expect(calls.map(({ words }) => words)).toEqual([expect.stringContaining(` https://${where}:6443${CONFIG_MAP}`)]);
  });

  const KUBELET = ['--kubelet-client-certificate=/k/c.crt', '--kubelet-client-key=/k/c.key'];
  const kubeconfig = (certificate: string, key: string): string =>
    [`    client-certificate-data: ${btoa(certificate)}`, `    client-key-data: ${btoa(key)}`, ''].join('\n');

  test('shows what it shows to kubelets', async () => {
    const { calls } = await look({ words: KUBELET });
    expect(calls[0]?.words).toContain('--cert /k/c.crt --key /k/c.key');
  });

  test.each(['401', '403'])('shows an administrator’s where that is refused with %s, from a pipe', async (refused) => {
    await writeFile(inside('admin.conf'), kubeconfig('CERT', 'KEY'));
    await writeFile(inside('super-admin.conf'), kubeconfig('SUPER', 'OTHER'));
    const { calls } = await look({ words: KUBELET, answers: [refused, '200'] });
    expect(calls.map(({ shown }) => shown)).toEqual(['', 'CERT\nKEY\n']);
    expect(calls[1]?.words).toContain('--cert /dev/fd/3 --key /dev/fd/4');
    expect(calls[1]?.words).not.toContain('KEY ');
    const further = await look({ words: KUBELET, answers: [refused] });
    expect(further.calls.slice(2).map(({ shown }) => shown)).toEqual(['', 'CERT\nKEY\n', 'SUPER\nOTHER\n']);
  });

  test('passes over a kubeconfig without a key, and shows none where it is answered', async () => {
    await writeFile(inside('admin.conf'), 'client-certificate-data: AAAA\n');
    await writeFile(inside('super-admin.conf'), kubeconfig('SUPER', 'OTHER'));
    const { calls } = await look({ words: KUBELET, answers: ['403', '404'] });
    expect(calls.map(({ shown }) => shown)).toEqual(['', 'SUPER\nOTHER\n']);
  });

  test('is made through openssl where there is no curl', async () => {
    const { calls } = await look({ words: KUBELET, tool: 'openssl' });
    expect(calls[0]?.words).toBe('s_client -quiet -ign_eof -connect 127.0.0.1:6443 -cert /k/c.crt -key /k/c.key');
    expect(calls[0]?.sent.split('\r\n').slice(0, 3)).toEqual([
      `GET ${CONFIG_MAP} HTTP/1.0`,
      'Host: 127.0.0.1',
      'Connection: close',
    ]);
    expect(calls[0]?.sent.endsWith('\r\n\r\n')).toBe(true);
  });

  const before = 'kind: "ä\n';
  const after = 'kind: 🙂\n';
  const at = { namespace: 'kube-system', name: 'kubeadm-config', key: 'ClusterConfiguration' };
  const [REPLACE, RESTORE] = [
    replaceConfigMapKey('change it', { at, before, after }),
    restoreConfigMapKey('take it back', { at, before, after }),
  ];
  const textOf = (stdin: Command['stdin']): string => (typeof stdin === 'string' ? stdin : '');
  const patch = (from: string, to: string): unknown => [
    { op: 'test', path: '/data/ClusterConfiguration', value: from },
    { op: 'replace', path: '/data/ClusterConfiguration', value: to },
  ];

  test.each([
    ['curl', REPLACE, patch(before, after)],
    ['openssl', REPLACE, patch(before, after)],
    ['curl', RESTORE, patch(after, before)],
  ] as const)('through %s changes only what was read', async (tool, { script, stdin }, sent) => {
    const { status, calls } = await exchange(script, textOf(stdin), { tool });
    expect([status, calls.length]).toEqual([0, 1]);
    const [head = '', text = ''] = tool === 'curl' ? ['', calls[0]?.sent] : (calls[0]?.sent.split('\r\n\r\n') ?? []);
    expect(JSON.parse(text)).toEqual(sent);
    // A shell that counts characters counts bytes.
    expect(text).toMatch(/^[\0-\x7f]*$/);
    if (tool === 'curl') {
      expect(calls[0]?.words).toContain(
        '-X PATCH -H Content-Type: application/json-patch+json -H Expect: --data-binary @-',
      );
      return;
    }
    expect(head.split('\r\n')).toEqual([
      `PATCH ${CONFIG_MAP} HTTP/1.0`,
      'Host: 127.0.0.1',
      'Connection: close',
      'Content-Type: application/json-patch+json',
      `Content-Length: ${text.length}`,
    ]);
  });

  // [what is answered, whether the change, and whether its roll-back, is done; what is said]
  test.each([
    ['200', 0, 0, /^$/],
    ['409', 1, 0, /has changed since it was read/],
    ['422', 1, 0, /has changed since it was read/],
    ['500', 1, 1, /answers 500\netcd is \\"away\\"\n$/],
    ['', 1, 1, /gave no answer\nno route\n$/],
  ])('that is answered with %j', async (answer, replaced, restored, said) => {
    const host = { answers: [answer], body: String.raw`{"code": 5, "message": "etcd is \"away\"", "reason": "x"}` };
    const first = await exchange(REPLACE.script, textOf(REPLACE.stdin), host);
    expect([first.status, first.stderr]).toEqual([replaced, expect.stringMatching(said)]);
    const second = await exchange(RESTORE.script, textOf(RESTORE.stdin), host);
    expect(second.status).toBe(restored);
    // What changes something is asked once.
    expect(second.calls).toHaveLength(2);
  });

  test('can’t be made where the host has neither', async () => {
    const { status, stderr } = await exchange(REPLACE.script, textOf(REPLACE.stdin), { tool: 'none' });
    expect([status, stderr]).toEqual([1, expect.stringContaining('the host has neither curl nor openssl')]);
  });
});
