import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import type { CheckItem } from '../../src/checks/check.js';
import type { EventJson } from '../../src/report/event-schema.js';
import { partOfThisCommit } from '../support/kill-points.js';
import type { Way } from '../support/cluster-client.js';
import { describeOnLab } from '../support/lab.js';
import { placeWithInventory, workThroughPage } from '../support/lab-page.js';
import { ETCD_PEERS, must, passphraseFile, READYZ, vipOf, type JsonRun } from '../support/main-job.js';
import { listed, whileWriting } from '../support/member-counts.js';
import type { PagePlace } from '../support/page.js';
import { waitingActs } from '../support/runbook-acts.js';
import { createStackedCluster, waysAcross, type StackedCluster } from '../support/stacked-cluster.js';
import { disturbedRun } from '../support/stopped-run.js';
import { numberOfThisCommit } from '../support/this-commit.mjs';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { startInit } from '../support/wizard-on-lab.js';

const CONTROL_PLANES = ['cp-1', 'cp-2', 'cp-3'];
const NEW_MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];

/** After what a run is killed, one of them for each commit: something of every part. */
const MOMENTS = [
  /^member-add:etcd-1$/,
  /^member-start:etcd-2$/,
  /^member-promote:etcd-3$/,
  /^static-pod:/,
  /^config-map:/,
  /^member-stop:cp-/,
  /^member-remove:cp-/,
  /^member-aside:cp-/,
];

const PAGE = 'runbooks/stacked-to-external';
const LOOK = '3. Look, then move';

/** Whether a control plane signs for the new members, or the store, which then has the key: another one for each commit. */
const keyStays = numberOfThisCommit(21, 2) === 1;

describeOnLab('a stacked etcd', 'unstack', { etcd: 3, controlPlanes: 3 }, (lab) => {
  const acts: Record<string, () => unknown> = {};
  let cluster: StackedCluster;
  let at: PagePlace;

  // It is recognised, by the wizard too, its authority is brought in from a control plane or signs there, and nothing but where it is has to be written.
  beforeAll(async () => {
    cluster = await createStackedCluster(lab);
    await leadByWizard();
    at = await placeWithInventory(lab, acts);
    const inventory = join(at.work, 'inventory.yaml');
    Object.assign(
      acts,
      waitingActs(lab, () => inventory),
      { 'a run ends in the middle': killedOnce },
    );
    await workThroughPage(PAGE, at, {
      before: keyStays ? 'The key in the store' : 'The key stays on the control plane',
    });
    if (keyStays) await workThroughPage(PAGE, at, { from: 'The key stays on the control plane', before: LOOK });
  });

  /** With real keys, in a directory of its own: what the runbook says to write, from what is proposed alone. */
  async function leadByWizard(): Promise<void> {
    const directory = temporaryDirectory('wizard-stacked');
    const { hosts } = (await lab.host('cp-1')).lab;
    const person = startInit(lab, directory);
    const takes = async (...questions: readonly string[]): Promise<void> => {
      for (const question of questions) await person.does(question, '\r');
    };
    try {
      await person.does('What do you have?', '\u001b[B');
      await person.does('❯ a running etcd', '\u001b[B');
      await takes('❯ a running Kubernetes with external etcd');
      await person.does('Hosts, as', `${hosts.map(({ name, address }) => `${name}=${address}`).join(' ')}\r`);
      await person.does('User to log in', 'root\r');
      await person.does('Private key', `${lab.files.privateKey}\r`);
      await takes('Trust 6 host keys', 'A stacked etcd of kubeadm runs on cp-1, cp-2, cp-3', 'Control planes with');
      await takes('Hosts that etcd moves to', 'What do clients reach', 'Hosts that run HAProxy', 'Virtual IP');
      await takes('Its network', 'VRRP router id', 'DNS name', 'Port of', 'What else', 'Write this to');
      await takes('An etcd runs already. Describe it');
      await person.does('Write this beside the inventory?', 'y\r');
      await takes('Plan it now');
      expect(await person.ended).toEqual([0, null]);
    } finally {
      person.leave();
    }
    const written = parse(readFileSync(join(directory, 'inventory.yaml'), 'utf8')) as {
      readonly all: { readonly children: Readonly<Record<string, { readonly hosts: object }>> };
    };
    expect(person.output()).toMatch(
      /\d New members .* etcd-1 → etcd-2 → etcd-3 [^]*\d Former members leave .* cp-\d → cp-\d → cp-\d/,
    );
    const groups = Object.entries(written.all.children).map(([name, group]) => [name, Object.keys(group.hosts)]);
    expect(Object.fromEntries(groups)).toEqual({
      ...{ etcd: NEW_MEMBERS, etcd_former: CONTROL_PLANES, kube_control_plane: CONTROL_PLANES },
    });
  }

  async function waysTo(...names: readonly string[]): Promise<readonly Way[]> {
    const { hosts } = (await lab.host('cp-1')).lab;
    const members = hosts.filter(({ name }) => names.includes(name));
    return waysAcross(lab, cluster, members);
  }

  async function killedOnce(): Promise<void> {
    const [moment = /$^/] = partOfThisCommit(14)(MOMENTS, 1);
    const words = ['apply', join(at.work, 'inventory.yaml'), '--playbook', 'unstack'];
    const isThere = (event: EventJson): boolean => event.type === 'change-done' && moment.test(event.address);
    const secret = ['--yes', '--passphrase-file', await passphraseFile(lab)];
    const killed = await disturbedRun(lab, [...words, ...secret], isThere, (kill) => {
      kill('SIGKILL');
    });
    if (killed.status !== 137) throw new Error(failureOf(killed));
    console.log(`killed after ${moment.source}`);
  }

  async function storedConfiguration(): Promise<string> {
    return must(lab.ssh('cp-1', 'kubeadm config view'));
  }

  test('moves to hosts of its own by the runbook, killed on the way, and no client notices', async () => {
    // A client that knows all members goes on with those that are there.
    const [ways, afterwards] = await Promise.all([waysTo(...CONTROL_PLANES, ...NEW_MEMBERS), waysTo(...NEW_MEMBERS)]);
    const move = async (): Promise<void> => workThroughPage(PAGE, at, { from: LOOK, before: 'The way back' });
    await whileWriting(lab, ways, 'unstack', move, afterwards);
    expect(await listed(lab)).toEqual(NEW_MEMBERS.map((name) => `${name} started`));
    const vip = await vipOf(lab);
    for (const host of CONTROL_PLANES) {
      expect((await lab.ssh(host, READYZ)).stdout).toBe('ok');
      expect((await lab.ssh(host, ETCD_PEERS)).stdout).toBe(`${vip}:2379\n`);
      const left = await lab.ssh(host, LEFT);
      expect(left.stdout).toBe('kube-apiserver.yaml\n/etc/kubernetes/etcd.yaml.removed\nmember.removed-\n');
    }
    // The page has removed the keys of the first one alone.
    const { stdout } = await lab.provision('verify', join(at.work, 'inventory.yaml'), '--format', 'json');
    const { items } = JSON.parse(stdout) as { readonly items: readonly CheckItem[] };
    const keys = items.filter(({ check }) => check === 'etcd-keys-left');
    expect(keys.map(({ host }) => host)).toEqual(['cp-2', 'cp-3']);
    expect(keys[0]?.evidence).toContain('ca.key');
    const stored = await storedConfiguration();
    expect(stored).toContain(`https://${vip}:2379`);
    expect(stored).not.toContain('dataDir');
  });
});

/** What a stacked member leaves: no process, no manifest where the kubelet looks, its data aside. */
const LEFT =
  'pgrep -x etcd; ls /etc/kubernetes/manifests; ls /etc/kubernetes/*.removed; ls /var/lib/etcd | sed s/[0-9TZ]*$//';

function failureOf({ status, events }: JsonRun): string {
  return `status ${status}: ${JSON.stringify(events.findLast(({ type }) => type === 'run-failed') ?? {})}`;
}
