import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { etcdPod, etcdPodKey, type EtcdPod } from '../../src/facts/etcd-pod.js';
import type { Command } from '../../src/model/remote.js';
import { manifestAside, startPod, stopPod } from '../../src/shell/etcd-pod.js';
import { moveMemberAside } from '../../src/shell/join-member.js';
import { removeLeaving } from '../../src/shell/leave-cluster.js';
import { sampleMember } from '../support/sample-cluster.js';
import { scratch } from '../support/scratch.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

let directory = '';
let running: ChildProcess | undefined;

beforeEach(() => {
  directory = temporaryDirectory('pod');
  for (const path of ['manifests', 'data/member', 'bin']) mkdirSync(join(directory, path), { recursive: true });
  writeFileSync(pod().manifest, 'kind: Pod\n');
  program('bin/setpriv', ['while [ "$1" != sh ]; do shift; done', 'exec "$@"']);
  program('bin/etcdctl', [
    '[ "$ETCDCTL_API" = 3 ] || exit 9',
    `case "$*" in *'-w json'*) echo '{"cluster_id":77,"x":1}' ;; *'member list'*) echo '${OLD}' ;; *) echo "$*" >>${directory}/done ;; esac`,
  ]);
});

afterEach(() => {
  running?.kill('SIGKILL');
  running = undefined;
});

const OLD = 'c3, started, cp-1, https://10.0.0.3:2380, https://10.0.0.3:2379, false';

function pod(): { host: string; dataDir: string; manifest: string } {
  return { host: 'cp-1', dataDir: join(directory, 'data'), manifest: join(directory, 'manifests/etcd.yaml') };
}

function program(name: string, lines: readonly string[]): void {
  writeFileSync(join(directory, name), `#!/bin/sh\n${lines.join('\n')}\n`);
  chmodSync(join(directory, name), 0o755);
}

/** Begins a process of etcd that ends when the manifest goes, as the kubelet has it, or never. */
async function startEtcd(dataDir: string, ends: 'with its manifest' | 'never'): Promise<void> {
  const wait = ends === 'never' ? 'sleep 100' : `while [ -e ${pod().manifest} ]; do sleep 0.1; done`;
  program('etcd', [wait]);
  running = spawn(join(directory, 'etcd'), ['--name=cp-1', `--data-dir=${dataDir}`], { stdio: 'ignore' });
  await new Promise((resolve) => running?.once('spawn', resolve));
  while (dataDir === pod().dataDir && !seen().isRunning) await new Promise((resolve) => setTimeout(resolve, 20));
}

function shell(script: string): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const env = { PATH: `${join(directory, 'bin')}:/usr/sbin:/usr/bin:/sbin:/bin`, LC_ALL: 'C' };
  return spawnSync('sh', ['-c', script], { env, encoding: 'utf8', cwd: scratch() });
}

function run({ script }: Command): string {
  const { status, stderr } = shell(script);
  return status === 0 ? 'done' : `refused: ${stderr.trim()}`;
}

function seen(): EtcdPod {
  const key = etcdPodKey(pod());
  const found = etcdPod.parse(shell(etcdPod.script([key])).stdout, [key]).get(key);
  if (found === undefined) throw new Error('nothing came back');
  return found;
}

describe('a member that the kubelet runs', () => {
  test('is seen by its manifest, and by a process with its data', async () => {
    expect(seen()).toEqual({ hasManifest: true, isRunning: false, clusterId: undefined });
    await startEtcd(`${pod().dataDir}-other`, 'never');
    expect(seen().isRunning).toBe(false);
    running?.kill('SIGKILL');
    await startEtcd(pod().dataDir, 'never');
    expect(seen()).toMatchObject({ hasManifest: true, isRunning: true });
  });

  test('is stopped by its manifest alone, which is kept where the kubelet does not look, and comes back with it', async () => {
    await startEtcd(pod().dataDir, 'with its manifest');
    expect(run(stopPod(pod()))).toBe('done');
    expect(seen()).toMatchObject({ hasManifest: false, isRunning: false });
    expect(readdirSync(join(directory, 'manifests'))).toEqual([]);
    expect(readFileSync(manifestAside(pod()), 'utf8')).toBe('kind: Pod\n');
    // Killed in between, it is done again.
    expect(run(stopPod(pod()))).toBe('done');
    expect(run(startPod(pod()))).toBe('done');
    expect(readFileSync(pod().manifest, 'utf8')).toBe('kind: Pod\n');
    expect(run(startPod(pod()))).toBe('done');
  });

  test('has more time than its own wait takes, whose end says why', () => {
    const { script, timeoutMs = 0 } = stopPod(pod());
    const seconds = Number(/date \+%s\) \+ (\d+)/.exec(script)?.[1]);
    expect(timeoutMs).toBeGreaterThan(seconds * 1000);
  });

  test('an earlier manifest that was kept is kept, too', () => {
    writeFileSync(manifestAside(pod()), 'older\n');
    expect(run(stopPod(pod()))).toBe('done');
    const kept = readdirSync(directory).filter((name) => name.startsWith('etcd.yaml.removed'));
    expect(kept.map((name) => readFileSync(join(directory, name), 'utf8')).toSorted()).toEqual([
      'kind: Pod\n',
      'older\n',
    ]);
  });

  test('keeps a manifest that is there when it comes back', () => {
    writeFileSync(manifestAside(pod()), 'older\n');
    expect(run(startPod(pod()))).toBe('done');
    expect([pod().manifest, manifestAside(pod())].map((path) => readFileSync(path, 'utf8'))).toEqual([
      'kind: Pod\n',
      'older\n',
    ]);
  });

  test('does not come back without its data', () => {
    expect(run(stopPod(pod()))).toBe('done');
    expect(run(moveMemberAside({ ...sampleMember(3), ...pod() }, 'removed'))).toBe('done');
    expect(readdirSync(pod().dataDir)).toEqual([expect.stringMatching(/^member\.removed-\d{8}T\d{6}Z$/)]);
    expect(run(startPod(pod()))).toBe('done');
    expect(existsSync(pod().manifest)).toBe(false);
  });

  test('keeps its data and its place on the list while it runs', async () => {
    const member = { ...sampleMember(3), ...pod() };
    expect(run(moveMemberAside(member, 'removed'))).toMatch(/still runs/);
    expect(run(stopPod(pod()))).toBe('done');
    await startEtcd(pod().dataDir, 'never');
    expect(run(moveMemberAside(member, 'removed'))).toMatch(/still runs/);
    expect(run(removeLeaving({ member, peers: [sampleMember(1)] }, 'c3', member))).toMatch(/runs here again/);
    running?.kill('SIGKILL');
    while (seen().isRunning) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(run(removeLeaving({ member, peers: [sampleMember(1)] }, 'c3', member))).toBe('done');
    expect(readFileSync(join(directory, 'done'), 'utf8')).toContain('member remove c3');
  });
});
