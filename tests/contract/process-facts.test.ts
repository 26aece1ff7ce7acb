// Processes of this machine, as facts see those of a host: with their words, their connections and their environment.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { APISERVER, apiserverProcesses } from '../../src/facts/apiserver-processes.js';
import { KUBE_PROXY, kubeProxyProcesses } from '../../src/facts/kube-proxy-processes.js';
import { KUBELET, kubeletProcesses } from '../../src/facts/kubelet-processes.js';
import { PROXIES_MARK, runtimeProcess } from '../../src/facts/runtime-process.js';
import type { Fact } from '../../src/model/remote.js';
import type { ProgramProcess } from '../../src/facts/program-processes.js';
import { askHere } from '../support/ask-here.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** No other process of this machine has this name. */
const NAME = `fact-${process.pid}`.slice(0, 15);
/** Connects to itself, on IPv4 and on IPv6, and tells its ports: those that listen, then those that it has connected from. */
const PROGRAM = `use IO::Socket::IP; $| = 1; my (@in, @out, @kept);
for my $on ('127.0.0.1', '::1') { push @in, IO::Socket::IP->new(Listen => 5, LocalHost => $on, LocalPort => 0) or die;
  push @out, IO::Socket::IP->new(PeerHost => $on, PeerPort => $in[-1]->sockport) or die; push @kept, $in[-1]->accept; }
print join(' ', map { $_->sockport } @in, @out), "\\n"; sleep 600;`;

const children: ChildProcess[] = [];
let program: string;
let ports: readonly number[];

beforeAll(async () => {
  program = join(temporaryDirectory('process-facts'), NAME);
  copyFileSync('/usr/bin/perl', program);
  const child = spawn(program, ['-e', PROGRAM, '--', '--flag=a b', ''], {
    env: { [PROXIES_MARK]: 'sha-1', [`NOT_${PROXIES_MARK}`]: 'no', SECRET: 'planted-secret' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const bare = spawn(program, ['-e', 'sleep 600'], { env: {}, stdio: 'ignore' });
  children.push(child, bare);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  ports = line.toString().trim().split(' ').map(Number);
});

afterAll(() => {
  for (const child of children) child.kill();
});

describe.each<[string, Fact<readonly ProgramProcess[]>]>([
  [APISERVER, apiserverProcesses],
  [KUBE_PROXY, kubeProxyProcesses],
  [KUBELET, kubeletProcesses],
])('every %s of a host', (name, fact) => {
  test('is listed with its words and the far ends of its connections', async () => {
    const [found = []] = await askHere(fact, [name], { moved: { [name]: NAME } });
    const own = found.map(({ pid, argv, connections }) => ({
      ...{ pid, argv },
      connections: connections.map(({ address, port }) => `${address} ${port}`).toSorted(),
    }));
    const [listening4, listening6, from4, from6] = ports;
    expect(own.toSorted((a, b) => a.pid - b.pid)).toEqual([
      {
        pid: children[0]?.pid,
        argv: [program, '-e', PROGRAM, '--', '--flag=a b'],
        connections: [
          `127.0.0.1 ${listening4 ?? 0}`,
          `127.0.0.1 ${from4 ?? 0}`,
          `::1 ${listening6 ?? 0}`,
          `::1 ${from6 ?? 0}`,
        ].toSorted(),
      },
      { pid: children[1]?.pid, argv: [program, '-e', 'sleep 600'], connections: [] },
    ]);
  });

  test('is none where there is none, and the look goes on', async () => {
    expect(await askHere(fact, [name], { moved: { [name]: 'no-such-program' } })).toEqual([[]]);
  });
});

test('what a runtime runs as, and whether it has our proxies; each unit its own', async () => {
  const [own, bare] = children.map(({ pid }) => String(pid));
  const systemctl = `[ "$1 $2 $3 $4" = 'show -P MainPID --' ] || exit 9
case $5 in own.service) echo ${own ?? ''} ;; stopped.service) echo 0 ;; "it's.service") echo ${bare ?? ''} ;; esac`;
  const units = ['stopped', 'own', "it's", 'unknown'];
  expect(await askHere(runtimeProcess, units, { tools: { systemctl } })).toEqual([
    { program: undefined, proxies: undefined },
    { program, proxies: 'sha-1' },
    { program, proxies: undefined },
    { program: undefined, proxies: undefined },
  ]);
});
