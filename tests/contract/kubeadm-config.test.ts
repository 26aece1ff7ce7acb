import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { KUBEADM_CONFIG, kubeadmConfig, type KubeadmConfig } from '../../src/facts/kubeadm-config.js';
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
    grep: 'echo /proc/1/comm',
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
