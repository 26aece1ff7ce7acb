import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import type { CheckItem } from '../../src/checks/check.js';
import { cutNetwork, restoreNetwork } from '../../src/lab/faults.js';
import { waitUntil } from '../../src/lab/process.js';
import { STORED_ENDPOINTS, storeConfiguration } from '../support/stored-endpoints.js';
import { describeOnLab, type TestLab } from '../support/lab.js';
import {
  endOf,
  ETCD_PEERS,
  etcdctl,
  inventoryWith,
  performedChanges,
  plannedChanges,
  READYZ,
  runVerb,
  vipOf,
  type JsonRun,
} from '../support/main-job.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const CONTROL_PLANES = ['cp-1', 'cp-2'];
const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
/** As its owner sees it: the bytes, the owner and mode, and that nothing lies beside it. */
const MANIFESTS = `sha256sum ${MANIFEST}; stat -c '%U:%G %a' ${MANIFEST}; ls -A /etc/kubernetes/manifests`;
/** Writes the number of kube-apiservers down, some twenty times a second, until told to stop. */
const SAMPLER =
  'rm -f /tmp/stop; while [ ! -e /tmp/stop ]; do grep -lx kube-apiserver /proc/[0-9]*/comm 2>/dev/null | wc -l; sleep 0.03; done';
/** What happened, in order; the tests below look at it from several sides. */
interface Story {
  readonly stored: { readonly before: string; readonly after: string; readonly run: JsonRun };
  readonly on: { readonly run: JsonRun; readonly isReady: boolean; readonly peers: readonly string[] };
  readonly items: readonly CheckItem[];
  readonly plan: JsonRun;
  readonly stays: Staying;
  /** With that inventory, after they have moved all the same. */
  readonly leftOver: readonly CheckItem[];
  readonly again: JsonRun;
  readonly refused: { readonly run: JsonRun; readonly before: readonly string[]; readonly after: readonly string[] };
  readonly away: JsonRun;
  readonly fault: Fault;
  /** Off without a control plane that is away. */
  readonly partly: { readonly plain: JsonRun; readonly run: JsonRun; readonly peers: string };
  readonly off: { readonly run: JsonRun; readonly peers: readonly string[]; readonly items: readonly CheckItem[] };
}

/** Set up with an inventory that lets API servers stay where they are. */
interface Staying {
  readonly applied: JsonRun;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly plan: JsonRun;
  readonly manifests: readonly CheckItem[];
}

/** A repoint of an API server that is not ready there. */
interface Fault {
  readonly run: JsonRun;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly isReadyAgain: boolean;
  readonly peers: string;
  /** The rules that cut the way off, with their counter. */
  readonly rules: string;
  /** How many kube-apiservers ran at once, by control plane. */
  readonly counts: readonly (readonly number[])[];
}

function faultRules(vip: string): string {
  return [
    'nft add table inet fault',
    "nft add chain inet fault out '{ type filter hook output priority 0; }'",
    `nft add rule inet fault out ip daddr ${vip} tcp dport 2379 counter drop`,
  ].join('; ');
}

async function onEach(lab: TestLab, hosts: readonly string[], script: string): Promise<readonly string[]> {
  return Promise.all(hosts.map(async (host) => (await lab.ssh(host, script)).stdout));
}

async function untilReady(lab: TestLab, answer: 'ready' | 'not ready'): Promise<boolean> {
  const isSo = async (): Promise<boolean> =>
    (await onEach(lab, CONTROL_PLANES, READYZ)).every((text) => (text === 'ok') === (answer === 'ready'));
  return waitUntil(isSo, 120_000, 500);
}

/** The items of a health check about API servers that are not ok. */
async function badItems(lab: TestLab, inventory = lab.files.inventory): Promise<readonly CheckItem[]> {
  const { stdout } = await lab.provision('verify', inventory, '--format', 'json');
  const { items } = JSON.parse(stdout) as { readonly items: readonly CheckItem[] };
  return items.filter(({ check, verdict }) => check.startsWith('apiserver') && verdict !== 'ok');
}

async function followed(lab: TestLab): Promise<Story['stored']> {
  await storeConfiguration(lab);
  const before = (await lab.ssh('cp-1', STORED_ENDPOINTS)).stdout;
  const run = await runVerb(lab, 'apply', '--playbook', 'repoint');
  return { before, run, after: (await lab.ssh('cp-2', STORED_ENDPOINTS)).stdout };
}

async function cutOffWhile<T>(lab: TestLab, name: string, work: () => Promise<T>): Promise<T> {
  const host = await lab.host(name);
  await cutNetwork(host);
  return work().finally(async () => restoreNetwork(host));
}

/** Moves to the virtual IP, which the network cuts off as soon as the manifest names it: the proof before has passed. */
async function notReadyThere(lab: TestLab, vip: string): Promise<Fault> {
  const inventory = lab.files.inventory.replace(/inventory\.yaml$/, 'impatient.yaml');
  const text = await readFile(lab.files.inventory, 'utf8');
  await writeFile(inventory, text.replace('  vars:\n', '  vars:\n    kube_apiserver_ready_timeout: 12\n'));
  await lab.ssh('cp-1', 'apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qqy install nftables');
  const before = await onEach(lab, CONTROL_PLANES, MANIFESTS);
  const cutting = lab.ssh('cp-1', `until grep -q '${vip}:2379' ${MANIFEST}; do sleep 0.1; done; ${faultRules(vip)}`);
  const sampling = onEach(lab, CONTROL_PLANES, SAMPLER);
  const run = await runVerb(lab, 'apply', inventory, '--playbook', 'repoint');
  await cutting;
  const isReadyAgain = await untilReady(lab, 'ready');
  await onEach(lab, CONTROL_PLANES, 'touch /tmp/stop');
  return {
    ...{ run, before, isReadyAgain },
    after: await onEach(lab, CONTROL_PLANES, MANIFESTS),
    peers: (await lab.ssh('cp-1', ETCD_PEERS)).stdout,
    rules: (await lab.ssh('cp-1', 'nft list table inet fault; nft delete table inet fault')).stdout,
    counts: (await sampling).map((counts) => counts.trim().split('\n').map(Number)),
  };
}

describeOnLab('the way to etcd of the API servers', 'bypass', { etcd: 3, controlPlanes: 2 }, (lab) => {
  let vip: string;
  let direct: readonly string[];
  let story: Story;

  const bypass = async (way: 'on' | 'off', ...args: readonly string[]): Promise<JsonRun> =>
    runVerb(lab, 'bypass', lab.files.inventory, way, ...args);

  const whereTheyAre = async (): Promise<string> => inventoryWith(lab, 'staying', ['kube_apiserver_repoint: false']);

  async function setUpBesideThem(): Promise<Staying> {
    const inventory = await whereTheyAre();
    const before = await onEach(lab, CONTROL_PLANES, MANIFESTS);
    const applied = await runVerb(lab, 'apply', inventory);
    if (applied.status !== 0) throw new Error(endOf(applied));
    const after = await onEach(lab, CONTROL_PLANES, MANIFESTS);
    const plan = await runVerb(lab, 'plan', inventory);
    // They have no client certificates yet, so no etcd: their processes are not what is asked here.
    const manifests = (await badItems(lab, inventory)).filter(({ check }) => check === 'apiserver-manifest');
    return { applied, before, after, plan, manifests };
  }

  async function tellWithoutBalancer(): Promise<
    Omit<Story, 'stays' | 'leftOver' | 'stored' | 'fault' | 'partly' | 'off'>
  > {
    await onEach(lab, MEMBERS, 'systemctl stop keepalived haproxy');
    if (!(await untilReady(lab, 'not ready'))) throw new Error('the API servers are ready without their etcd');
    // And a member's host is away: a quorum is left, of etcd and for the lock.
    const on = await cutOffWhile(lab, 'etcd-3', async () => ({
      run: await bypass('on'),
      isReady: await untilReady(lab, 'ready'),
      peers: await onEach(lab, CONTROL_PLANES, ETCD_PEERS),
    }));
    // A member that comes back with a higher term makes the others elect again: until then, no API server is ready.
    const whole = etcdctl(direct.join(), '--command-timeout=3s endpoint health');
    await waitUntil(async () => (await lab.ssh('etcd-1', whole)).status === 0, 60_000, 500);
    await untilReady(lab, 'ready');
    const items = await badItems(lab);
    const plan = await runVerb(lab, 'plan', '--playbook', 'repoint');
    const again = await bypass('on');
    const before = await onEach(lab, CONTROL_PLANES, MANIFESTS);
    const off = await bypass('off', '--gate-timeout', '2');
    const refused = { run: off, before, after: await onEach(lab, CONTROL_PLANES, MANIFESTS) };
    const away = await cutOffWhile(lab, 'cp-2', async () => bypass('on'));
    return { on, items, plan, again, refused, away };
  }

  beforeAll(async () => {
    vip = await vipOf(lab);
    direct = MEMBERS.map((_, index) => `https://${vip.replace(/\d+$/, String(11 + index))}:2379`);
    const stays = await setUpBesideThem();
    const applied = await runVerb(lab, 'apply');
    if (applied.status !== 0) throw new Error(endOf(applied));
    const stored = await followed(lab);
    const without = await tellWithoutBalancer();
    await onEach(lab, MEMBERS, 'systemctl start haproxy keepalived');
    const answers = async (): Promise<boolean> =>
      (await lab.ssh('etcd-1', etcdctl(`https://${vip}:2379`, 'endpoint health'))).status === 0;
    if (!(await waitUntil(answers, 60_000, 500))) throw new Error('the virtual IP does not come back');
    const fault = await notReadyThere(lab, vip);
    const partly = await cutOffWhile(lab, 'cp-2', async () => ({
      plain: await bypass('off'),
      run: await bypass('off', '--limit', 'all:!cp-2'),
      peers: (await lab.ssh('cp-1', ETCD_PEERS)).stdout,
    }));
    const run = await bypass('off');
    const off = { run, peers: await onEach(lab, CONTROL_PLANES, ETCD_PEERS), items: await badItems(lab) };
    const leftOver = await badItems(lab, await whereTheyAre());
    story = { stays, leftOver, stored, ...without, fault, partly, off };
  });

  test('API servers stay where they are as long as the inventory says so: etcd and its load balancer are set up beside them', () => {
    const { applied, before, after, plan, manifests } = story.stays;
    expect(performedChanges(applied).join('\n')).toContain('Load balancer / ');
    expect(performedChanges(applied).filter((line) => line.includes(' / cp-'))).toEqual([]);
    expect(after).toEqual(before);
    expect(plannedChanges(plan)).toEqual([]);
    expect(manifests).toEqual([]);
  });

  test('once all have moved, that is a leftover of the inventory', () => {
    const seen = story.leftOver.map(({ check, verdict, host, subject }) => [check, verdict, host, subject]);
    expect(seen).toEqual(CONTROL_PLANES.map((host) => ['apiserver-manifest', 'warn', host, 'kube_apiserver_repoint']));
  });

  test('kubeadm-config follows the virtual IP, and only it changes', () => {
    const { before, after, run } = story.stored;
    expect(before.trim().split('\n')).toEqual(direct);
    expect(endOf(run)).toMatch(/^status 0/);
    expect(performedChanges(run)).toEqual([
      expect.stringMatching(/^kubeadm configuration \/ cp-1 \/ config-map:kube-system\/kubeadm-config: set /),
    ]);
    expect(JSON.stringify(run.events.find(({ type }) => type === 'planned'))).toContain(`+    - https://${vip}:2379`);
    expect(after).toBe(`https://${vip}:2379\n`);
  });

  test('on, without load balancer and with a member away: both API servers are ready, connected to members only', () => {
    const { run, isReady, peers } = story.on;
    expect(endOf(run)).toMatch(/^status 0/);
    expect(performedChanges(run)).toHaveLength(2);
    const [first = '', second = '', third = ''] = direct;
    expect(run.stdout).toContain(`works: cp-1 to ${first}, cp-1 to ${second}; from cp-1, ${third} fails`);
    expect(isReady).toBe(true);
    for (const each of peers) {
      expect(each).toMatch(/:2379\n/);
      expect(each).not.toContain(vip);
    }
  });

  test('a health check says that it is bypassed, and how to end that; a plan shows the same', () => {
    const next = `provision bypass ${lab.files.inventory} off`;
    expect(story.items.map(({ check, verdict, host, next: typed }) => [check, verdict, host, typed])).toEqual(
      CONTROL_PLANES.flatMap((host) => [
        ['apiserver-manifest', 'warn', host, next],
        ['apiserver-process', 'warn', host, next],
      ]),
    );
    expect(story.items[0]?.evidence).toBe(`bypassed: --etcd-servers=${direct.join()}, not https://${vip}:2379`);
    expect(plannedChanges(story.plan).filter((line) => line.includes('set --etcd-servers'))).toHaveLength(2);
  });

  test('on again: nothing to do', () => {
    expect([story.again.status, plannedChanges(story.again), performedChanges(story.again)]).toEqual([0, [], []]);
  });

  test('is listed by its own name in the history', async () => {
    const { stdout } = await lab.provision('history', lab.files.inventory);
    const done = (changes: string): RegExp =>
      new RegExp(` bypass +done +${changes} +by \\S+@\\S+(?:, playbook \\w+)?(?:, limit .*)?$`, 'gm');
    expect(stdout.match(done('2 changes'))).toHaveLength(1);
    expect(stdout.match(done('1 change'))).toHaveLength(2);
    expect(stdout).toMatch(/ apply +done /);
  });

  test('off is refused while the virtual IP is dead, and says what does not answer', () => {
    const { run, before, after } = story.refused;
    expect(run.status).toBe(1);
    expect(run.stdout).toContain('gate vip-answers-control-planes: etcd did not open');
    for (const host of CONTROL_PLANES) expect(run.stdout).toContain(`from ${host}, https://${vip}:2379/health`);
    expect(performedChanges(run)).toEqual([]);
    expect(after).toEqual(before);
  });

  test('a control plane that is away is named, with the way to leave it out', () => {
    expect(story.away.status).toBe(EXIT.unreachable);
    expect(story.away.stdout).toContain("--limit 'all:!cp-2'");
  });

  test('an API server that is not ready there: its manifest is put back, the later one is not touched', () => {
    const { run, before, after, isReadyAgain, peers, rules } = story.fault;
    // Proved from both before the first moves.
    expect(run.stdout).toContain('asked from cp-1, cp-2');
    expect(rules).toMatch(/counter packets [1-9]/);
    expect(run.status).toBe(1);
    expect(run.stdout).toMatch(/gate apiserver-ready did not open within \d+ s: cp-1: /);
    expect(run.stdout).toContain('rolled back: files and services are as before this play');
    expect(run.stdout).toContain('run the same command again');
    expect(after).toEqual(before);
    expect(isReadyAgain).toBe(true);
    expect(peers).not.toContain(vip);
    expect(run.events.flatMap((event) => (event.type === 'change-started' ? [event.host] : []))).toEqual(['cp-1']);
  });

  test('beside a new API server ran only the one that ended, and the one of the later control plane ran on alone', () => {
    const [first = [], later = []] = story.fault.counts;
    expect(Math.min(first.length, later.length)).toBeGreaterThan(20);
    expect(Math.max(...first)).toBeLessThanOrEqual(2);
    expect([Math.min(...later), Math.max(...later)]).toEqual([1, 1]);
  });

  test('the search for a second API server finds one that is there', async () => {
    const sampling = lab.ssh('cp-1', SAMPLER);
    await lab.ssh('cp-1', 'cp /bin/sleep /tmp/kube-apiserver; /tmp/kube-apiserver 1; touch /tmp/stop');
    expect(Math.max(...(await sampling).stdout.trim().split('\n').map(Number))).toBe(2);
  });

  test('off, with a control plane away: the other one is moved on demand', () => {
    const { plain, run, peers } = story.partly;
    expect(plain.status).toBe(EXIT.unreachable);

    expect(plain.stdout).toContain("--limit 'all:!cp-2'");
    expect(performedChanges(plain)).toEqual([]);
    expect(endOf(run)).toMatch(/^status 0/);
    expect(performedChanges(run).map((line) => line.split(' / ')[1])).toEqual(['cp-1']);
    expect(peers).toBe(`${vip}:2379\n`);
  });

  test('off: the other one follows when it is back, and both use the virtual IP again', () => {
    const { run, peers, items } = story.off;
    expect(endOf(run)).toMatch(/^status 0/);
    expect(performedChanges(run).map((line) => line.split(' / ')[1])).toEqual(['cp-2']);
    expect(peers).toEqual([`${vip}:2379\n`, `${vip}:2379\n`]);
    expect(items).toEqual([]);
  });
});
