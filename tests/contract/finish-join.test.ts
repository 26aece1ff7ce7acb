// How a join is finished on its host, in a real shell: kubectl and kubeadm are stand-ins that write down how they are called.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { endJoinOfHost, finishJoinOfHost } from '../../src/shell/finish-join.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

let directory = '';

beforeEach(() => {
  directory = temporaryDirectory('finish-join');
  for (const path of ['bin', 'kept', 'kubernetes']) mkdirSync(join(directory, path));
  writeFileSync(join(directory, 'kept/kubernetes'), 'joining\n');
  writeFileSync(join(directory, 'kubernetes/bootstrap-kubelet.conf'), 'x');
  program('kubectl', `echo "kubectl $*" >>${directory}/done`);
  program('kubeadm', `echo "kubeadm $* < $(cat "$6")" >>${directory}/done; echo noise`);
});

function program(name: string, line: string): void {
  writeFileSync(join(directory, 'bin', name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
}

/** @returns its status, what it printed, and what was called */
function run(script: string, input = ''): readonly [number | null, string, readonly string[]] {
  const here = script
    .replaceAll('/var/lib/provision', join(directory, 'kept'))
    .replaceAll('/etc/kubernetes/bootstrap', join(directory, 'kubernetes/bootstrap'));
  const PATH = `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}`;
  const { status, stdout } = spawnSync('sh', ['-c', here], { input, encoding: 'utf8', env: { PATH } });
  const done = join(directory, 'done');
  return [status, stdout, existsSync(done) ? readFileSync(done, 'utf8').trim().split('\n') : []];
}

const isMarked = (): boolean => existsSync(join(directory, 'kept/kubernetes'));
const ANNOTATED = `kubectl --kubeconfig /etc/kubernetes/kubelet.conf --cache-dir /dev/null/none annotate --overwrite node cp-2 kubeadm.alpha.kubernetes.io/cri-socket=/run/c.sock`;

test('a control plane is annotated and marked by kubeadm, whose configuration goes through a pipe; then the mark is gone', () => {
  const { script } = finishJoinOfHost({ name: 'cp-2', kind: 'control-plane' }, '/run/c.sock');
  expect(run(script, '{"kind":"JoinConfiguration"}')).toEqual([
    0,
    '',
    [ANNOTATED, 'kubeadm join phase control-plane-join all --config /dev/stdin < {"kind":"JoinConfiguration"}'],
  ]);
  expect([isMarked(), existsSync(join(directory, 'kubernetes/bootstrap-kubelet.conf'))]).toEqual([false, false]);
});

test('a worker is annotated, and kubeadm is not asked', () => {
  const { script } = finishJoinOfHost({ name: 'cp-2', kind: 'worker' }, '/run/c.sock');
  expect(run(script)).toEqual([0, '', [ANNOTATED]]);
  expect(isMarked()).toBe(false);
});

test('where kubeadm fails, its mark stays for the next run', () => {
  program('kubeadm', 'exit 1');
  const [status] = run(finishJoinOfHost({ name: 'cp-2', kind: 'control-plane' }, '/run/c.sock').script, '{}');
  expect([status, isMarked()]).toEqual([1, true]);
});

test('of a finished join only what it has left is removed', () => {
  expect(run(endJoinOfHost().script)).toEqual([0, '', []]);
  expect(isMarked()).toBe(false);
});
