import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { EXIT } from '../../src/model/errors.js';
import { eventSchema } from '../../src/report/event-schema.js';
import {
  asOperator,
  makeControlMachine,
  makeImageRoot,
  type ControlMachine,
  type SshFiles,
} from '../support/control-machine.js';
import { provision } from '../support/lab.js';
import { ended, startRealHosts, type RealHosts } from '../support/real-run.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

// One control machine plans with an operator's key. The other is the image of deploy/Containerfile, entered as a pod enters it: with its own file
// system, processes, user and home, and of the first machine only what a pipeline hands on, the repository with the saved plans.

let hosts: RealHosts;
let pod: ControlMachine;
let ssh: SshFiles;
let checkout: string;
let work: string;

beforeAll(async () => {
  hosts = await startRealHosts('one');
  ssh = { privateKey: join(hosts.lab.home, '.ssh/id_ed25519'), knownHosts: join(hosts.lab.home, '.ssh/known_hosts') };
  pod = makeControlMachine('pod', makeImageRoot(), ssh);
  checkout = temporaryDirectory('checkout');
  work = temporaryDirectory('work');
  mkdirSync(join(checkout, 'clusters/one'), { recursive: true });
  const inventory = readFileSync(hosts.inventory, 'utf8').replace(/^ *ansible_ssh_.*\n/gm, '');
  writeFileSync(join(checkout, 'clusters/one/inventory.yaml'), inventory);
  hosts.write([`copy: { dest: "${work}/a.conf", content: new }`]);
  cpSync(hosts.playbook, join(checkout, 'work.yaml'));
}, 300_000);
afterAll(async () => hosts.remove());

interface End {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function operator(...words: readonly string[]): Promise<End> {
  const [node = '', main = ''] = provision();
  return ended(hosts.start(asOperator(ssh, checkout, [node, resolve(main), ...words])));
}

/** Runs the command of the one Job that is printed, as its pod would: program, words, directory and user are the image's and the Job's own. */
async function asPod(): Promise<End> {
  const [job] = await jobs();
  const { args, workingDir } = job?.spec.template.spec.containers[0] ?? { args: [], workingDir: '' };
  return ended(hosts.start(pod.command(['provision', ...args], {}, workingDir)));
}

interface Job {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly { readonly args: readonly string[]; readonly workingDir: string }[];
      };
    };
  };
}

async function jobs(): Promise<readonly Job[]> {
  const { stdout } = await operator('fleet', 'list', 'clusters', '--format', 'kubernetes', '--playbook', 'work.yaml');
  return [parse(stdout.replace(/^---\n/, '')) as Job];
}

const last = ({ stdout }: End): unknown => eventSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));

test('a plan that one control machine has saved is applied exactly by another one, once', async () => {
  const planned = await operator('fleet', 'plan', 'clusters', '--playbook', 'work.yaml', '-o', 'plans');
  expect(planned).toEqual({
    status: EXIT.done,
    stdout: expect.stringContaining('1 change on 1 host'),
    stderr: expect.any(String),
  });
  pod.receive(checkout);
  expect(existsSync(join(work, 'a.conf'))).toBe(false);
  const applied = await asPod();
  expect(applied).toMatchObject({ status: EXIT.done, stderr: '' });
  expect(last(applied)).toMatchObject({ type: 'run-finished', result: { changed: 1, failed: 0 } });
  expect(readFileSync(join(work, 'a.conf'), 'utf8')).toBe('new');
  const again = await asPod();
  expect([again.status, last(again)]).toEqual([EXIT.stale, expect.objectContaining({ kind: 'stale' })]);
}, 300_000);
