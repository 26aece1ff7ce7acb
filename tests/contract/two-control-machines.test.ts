import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { EXIT } from '../../src/model/errors.js';
import { eventSchema } from '../../src/report/event-schema.js';
import { provision } from '../support/lab.js';
import { makePodImage } from '../support/pod-image.js';
import { ended, startRealHosts, type RealHosts } from '../support/real-run.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

// One control machine plans with an operator's key. The other is the image of deploy/Containerfile, entered as a pod enters it: with its own file
// system, processes, user and home, and of the first machine only what a pipeline hands on, the repository with the saved plans.

let hosts: RealHosts;
let image: string;
let checkout: string;
let work: string;

beforeAll(async () => {
  hosts = await startRealHosts('one');
  const directory = temporaryDirectory('image');
  makePodImage(directory, 'provision:test');
  image = join(directory, 'root');
  for (const path of ['proc', 'dev', 'fleet']) mkdirSync(join(image, path));
  const ssh = join(image, 'home/provision/.ssh');
  mkdirSync(ssh);
  for (const name of ['id_ed25519', 'known_hosts']) cpSync(join(hosts.lab.home, '.ssh', name), join(ssh, name));
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

/** On the first control machine, whose user has a `.ssh` of its own. */
async function operator(...words: readonly string[]): Promise<End> {
  const [node = '', main = ''] = provision();
  const enter = `mount -t tmpfs tmpfs /root && cp -r ${hosts.lab.home}/.ssh /root/ && cd ${checkout} && exec "$@"`;
  const apart = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', enter, 'sh'];
  return ended(hosts.start([...apart, node, resolve(main), ...words]));
}

/** Runs the command of the one Job that is printed, as its pod would: program, words, directory and user are the image's and the Job's own. */
async function asPod(): Promise<End> {
  const [job] = await jobs();
  const { args, workingDir } = job?.spec.template.spec.containers[0] ?? { args: [], workingDir: '' };
  // The cluster is no etcd, so that its playbook is named.
  const [verb = '', ...words] = args;
  const command = ['provision', verb, '--playbook', 'work.yaml', ...words];
  const enter = `mount -t proc proc ${image}/proc && mount --rbind /dev ${image}/dev && exec chroot --userspec=10001:10001 ${image} /bin/sh -c 'cd ${workingDir} && exec "$@"' sh "$@"`;
  const clean = ['env', '-i', `PATH=${process.env['PATH'] ?? ''}`, 'HOME=/home/provision'];
  const apart = ['unshare', '--mount', '--pid', '--fork', '--uts', '--ipc', '--propagation', 'private'];
  return ended(hosts.start([...clean, ...apart, 'sh', '-c', enter, 'sh', ...command]));
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
  const { stdout } = await operator('fleet', 'list', 'clusters', '--format', 'kubernetes');
  return [parse(stdout.replace(/^---\n/, '')) as Job];
}

/** What a pipeline hands on, and nothing else. */
function handOn(): void {
  execFileSync('sh', [
    '-c',
    `rm -rf ${image}/fleet/* && cp -r ${checkout}/. ${image}/fleet/ && chown -R 10001:10001 ${image}/fleet ${image}/home`,
  ]);
}

const last = ({ stdout }: End): unknown => eventSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));

test('a plan that one control machine has saved is applied exactly by another one, once', async () => {
  const planned = await operator('fleet', 'plan', 'clusters', '--playbook', 'work.yaml', '-o', 'plans');
  expect(planned).toEqual({
    status: EXIT.done,
    stdout: expect.stringContaining('1 change on 1 host'),
    stderr: expect.any(String),
  });
  handOn();
  expect(existsSync(join(work, 'a.conf'))).toBe(false);
  const applied = await asPod();
  expect(applied).toMatchObject({ status: EXIT.done, stderr: '' });
  expect(last(applied)).toMatchObject({ type: 'run-finished', result: { changed: 1, failed: 0 } });
  expect(readFileSync(join(work, 'a.conf'), 'utf8')).toBe('new');
  const again = await asPod();
  expect([again.status, last(again)]).toEqual([EXIT.stale, expect.objectContaining({ kind: 'stale' })]);
}, 300_000);
