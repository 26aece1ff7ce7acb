import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Command } from '../../src/model/remote.js';
import { replaceConfigMapKey, restartDaemonSet, restoreConfigMapKey } from '../../src/shell/config-map.js';
import { createLocalTransport } from '../support/local-transport.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const AT = { namespace: 'kube-system', name: 'kube-proxy', key: 'kubeconfig.conf' };
const EDIT = { at: AT, before: "server: 'a'\n# für alle $(reboot) `x`\n", after: 'server: "b"\n' };
const PODS = { namespace: 'kube-system', name: 'kube-proxy' };
const CONFIG_MAP = 'https://127.0.0.1:6443/api/v1/namespaces/kube-system/configmaps/kube-proxy';
const DAEMON_SET = 'https://127.0.0.1:6443/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy';

/**
 * Runs a command with the host's own shell, beside an API server that answers with these statuses, one after the other.
 * @returns how it ended, and what the API server was sent: method, type, URL, body
 */
async function runBeside(command: Command, ...statuses: readonly number[]) {
  const directory = temporaryDirectory('config-map');
  const bin = join(directory, 'bin');
  await mkdir(bin);
  const programs = {
    // A process of that name, whatever runs here.
    grep: `echo /proc/${process.pid}/comm`,
    curl: `n=$(cat "${directory}/n" 2>/dev/null || echo 0); n=$((n + 1)); echo $n >"${directory}/n"
printf '%s\\n' "$*" >"${directory}/words.$n"; cat >"${directory}/body.$n"
set -- ${statuses.join(' ')}; shift $((n - 1)); printf 'HTTP/1.1 %s Words\\r\\n\\r\\n{"message": "said so"}' "$1"`,
  };
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  const transport = createLocalTransport('cp-1', { PATH: `${bin}:${process.env['PATH'] ?? ''}` });
  const { status, stderr } = await transport.run(command);
  const sent = await Promise.all(
    statuses.map(async (_, index) => {
      const words = await readFile(join(directory, `words.${index + 1}`), 'utf8').catch(() => undefined);
      if (words === undefined) return undefined;
      const [, method = '', type = ''] = /-X (\S+) -H Content-Type: (\S+)/.exec(words) ?? [];
      const body = JSON.parse(await readFile(join(directory, `body.${index + 1}`), 'utf8')) as unknown;
      return { method, type, url: words.trim().split(' ').at(-1), body };
    }),
  );
  return { status, stderr, sent };
}

const REPLACED = {
  method: 'PATCH',
  type: 'application/json-patch+json',
  url: CONFIG_MAP,
  body: [
    { op: 'test', path: '/data/kubeconfig.conf', value: EDIT.before },
    { op: 'replace', path: '/data/kubeconfig.conf', value: EDIT.after },
  ],
};
const annotations = { 'kubectl.kubernetes.io/restartedAt': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) };
const RESTARTED = {
  method: 'PATCH',
  type: 'application/strategic-merge-patch+json',
  url: DAEMON_SET,
  body: { spec: { template: { metadata: { annotations } } } },
};

test('a key is changed by test and replace, and its readers are restarted after that', async () => {
  expect(await runBeside(replaceConfigMapKey('set', { ...EDIT, restarts: PODS }), 200, 200)).toEqual({
    ...{ status: 0, stderr: '', sent: [REPLACED, RESTARTED] },
  });
  expect(await runBeside(replaceConfigMapKey('set', EDIT), 200, 200)).toMatchObject({
    status: 0,
    sent: [REPLACED, undefined],
  });
});

test.each([422, 409])('what someone else has changed stays, and nothing is restarted: %i', async (status) => {
  const ended = await runBeside(replaceConfigMapKey('set', { ...EDIT, restarts: PODS }), status, 200);
  expect(ended).toMatchObject({ status: 1, sent: [REPLACED, undefined] });
  expect(ended.stderr).toBe('kube-proxy has changed since it was read: nothing was overwritten\n');
});

test('is changed back only from what was written, and then readers are restarted once more', async () => {
  const undo = restoreConfigMapKey('restore', { ...EDIT, restarts: PODS });
  const [first, second] = (await runBeside(undo, 200, 200)).sent;
  expect(first?.body).toEqual([
    { op: 'test', path: '/data/kubeconfig.conf', value: EDIT.after },
    { op: 'replace', path: '/data/kubeconfig.conf', value: EDIT.before },
  ]);
  expect(second).toEqual(RESTARTED);
  expect(await runBeside(undo, 422, 200)).toMatchObject({ status: 0, sent: [first, undefined] });
});

test('what the API server refuses is an error with its words', async () => {
  const refused = await runBeside(restartDaemonSet(PODS), 403);
  expect(refused).toMatchObject({ status: 1, sent: [RESTARTED] });
  expect(refused.stderr).toContain('the kube-apiserver answers 403\nsaid so\n');
});
