import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import { powerCut, startHost } from '../../src/lab/faults.js';
import { quote } from '../../src/shell/quote.js';
import { describeOnLab, provision, type Ended } from '../support/lab.js';
import {
  endOf,
  inventoryWith,
  passphraseFile,
  performedChanges,
  plannedChanges,
  runVerb,
} from '../support/main-job.js';

const MAX_CONNECTIONS = 'sed -n "s/^ *maxconn //p" /etc/haproxy/haproxy.cfg | head -n 1';

describeOnLab('a member that is away, and other members than etcd lists', 'away', { etcd: 3, hosts: 1 }, (lab) => {
  let passphrase: string;
  let changed: string;

  /** The command that a message prints. */
  function printedCommand({ stdout, stderr }: Ended): string {
    const [command] = /provision (?:plan|apply) \/.*$/m.exec(`${stdout}\n${stderr}`) ?? [];
    if (command === undefined) throw new Error(`no command is printed:\n${stdout}\n${stderr}`);
    return command;
  }

  /** Typed in a shell, as a person would. */
  async function type(command: string): Promise<Ended> {
    return lab.onControlSide(['sh', '-c', command.replace(/^provision/, provision().map(quote).join(' '))]);
  }

  async function settings(): Promise<readonly string[]> {
    const found = await Promise.all(['etcd-1', 'etcd-2', 'etcd-3'].map(async (host) => lab.ssh(host, MAX_CONNECTIONS)));
    return found.map(({ stdout }) => stdout.trim());
  }

  /** The lab's inventory with its group etcd changed. */
  async function withMembers(name: string, change: (text: string) => string): Promise<string> {
    const file = lab.files.inventory.replace(/inventory\.yaml$/, `${name}.yaml`);
    await writeFile(file, change(await readFile(lab.files.inventory, 'utf8')));
    return file;
  }

  beforeAll(async () => {
    passphrase = await passphraseFile(lab);
    const first = await runVerb(lab, 'apply');
    if (first.status !== 0) throw new Error(endOf(first));
    changed = await inventoryWith(lab, 'changed', ['haproxy_maxconn: 5000']);
  });

  test('a plan says who is away and how to go on: that command plans and applies, and a later one finishes the rest', async () => {
    await powerCut(await lab.host('etcd-3'));

    const idle = await lab.provision('plan', lab.files.inventory);
    expect(idle.status).toBe(EXIT.unreachable);
    expect(idle.stdout).toMatch(/^Made without etcd-3: etcd-3: can't connect to /m);
    expect(idle.stdout).toContain('No changes. 2 hosts looked at');
    const nothing = await type(printedCommand(idle));
    expect([nothing.status, nothing.stderr]).toEqual([0, '']);
    expect(nothing.stdout).toMatch(/^Made without etcd-3: /m);

    const plain = await lab.provision('plan', changed);
    expect(plain.status).toBe(EXIT.unreachable);
    const planned = await type(printedCommand(plain));
    expect([planned.status, planned.stderr]).toEqual([0, '']);
    expect(planned.stdout).toMatch(/^Play Load balancer$/m);
    expect(planned.stdout).toMatch(
      /^Nothing to change without etcd-3, which can't be reached: etcd members, .*Virtual IP\.$/m,
    );
    expect(planned.stdout).toMatch(/^Made without etcd-3: /m);
    expect(planned.stdout).toContain('Plan: 4 changes on 2 hosts');

    const refused = await lab.provision('apply', changed, '--yes', '--passphrase-file', passphrase);
    expect(refused.status).toBe(EXIT.unreachable);
    expect(await settings()).not.toContain('5000');
    const applied = await type(printedCommand(refused));
    expect(applied.stdout).toContain("etcd-3 can't be asked, and is left out");
    expect([applied.status, applied.stderr]).toEqual([0, '']);
    expect((await settings()).slice(0, 2)).toEqual(['5000', '5000']);

    // A restart that would end the quorum is refused while planning, with the reason.
    const restarting = await inventoryWith(lab, 'restarting', ['haproxy_maxconn: 5000', 'etcd_snapshot_count: 50000']);
    const run = await runVerb(lab, 'apply', restarting, '--limit', 'all:!etcd-3');
    expect(run.status).toBe(EXIT.unsafe);
    expect(run.stdout).toContain('1 of 3 members would serve meanwhile, fewer than a quorum of 2: etcd-3');
    expect(performedChanges(run)).toEqual([]);

    // Once it is back, a plain apply brings it up to date, and it alone.
    await startHost(await lab.host('etcd-3'));
    const back = await runVerb(lab, 'apply', changed);
    expect(endOf(back)).toMatch(/^status 0/);
    expect(performedChanges(back).filter((line) => !line.includes(' / etcd-3 / '))).toEqual([]);
    expect(await settings()).toEqual(['5000', '5000', '5000']);
    expect(plannedChanges(await runVerb(lab, 'plan', changed))).toEqual([]);
  });

  test('a member fewer in the inventory than etcd lists: the plan names it, its id and URL', async () => {
    const fewer = await withMembers('fewer', (text) => text.replace(/ {8}etcd-3:.*\n(?: {10}.*\n)*/, ''));
    const run = await runVerb(lab, 'apply', fewer);
    expect(run.status).toBe(EXIT.unsafe);
    expect(run.stdout).toMatch(
      /etcd lists 3 members, the inventory 2; etcd lists etcd-3 \(id [0-9a-f]{8,16}, https:[^)]*\.13:2380\), which is no host of the group etcd/,
    );
    // JSON: with the line ends escaped.
    expect(run.stdout).toMatch(/to have etcd-3 leave the cluster, [^"]*etcd_former:\\n {2}hosts:\\n {4}etcd-3: /);
    expect(performedChanges(run)).toEqual([]);
  });

  test('a member more: the plan shows how it joins', async () => {
    const more = await withMembers('more', (text) => {
      const [host = ''] = /^ {8}host-1:.*\n(?: {10}.*\n)*/m.exec(text) ?? [];
      return text.replace(/^( {8}etcd-3:)/m, `${host}$1`);
    });
    const run = await runVerb(lab, 'plan', more);
    expect(endOf(run)).toMatch(/^status 0/);
    const joining = plannedChanges(run).filter((line) => line.startsWith('New members'));
    expect(joining.map((line) => line.replace(/:.*/, ''))).toEqual([
      ...['snapshot', 'member-add', 'member-start', 'member-promote'].map((step) => `New members / host-1 / ${step}`),
      'New members serve clients / host-1 / member-open',
    ]);
  });
});
