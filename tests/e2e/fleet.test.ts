import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { fleetSchema, type FleetJson } from '../../src/fleet/fleet-schema.js';
import { powerCut } from '../../src/lab/faults.js';
import { EXIT } from '../../src/model/errors.js';
import { eventSchema, type EventJson } from '../../src/report/event-schema.js';
import { asOperator, makeControlMachine, makeImageRoot, type ControlMachine } from '../support/control-machine.js';
import { describeOnLab, type Ended } from '../support/lab.js';
import { must, PASSPHRASE, performedChanges } from '../support/main-job.js';
import { disturbedApply } from '../support/stopped-run.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

// Clusters on the lab's hosts, and three control machines. One has an operator's key, and plans. The two others have of it what a pipeline hands
// on, and of each other nothing: file system, processes, user and name are their own (the image of deploy/Containerfile).

/** Clusters of one member, beside one of three; each has a virtual IP. */
const SMALL = { 'eu/small': 'host-1', 'us/gone': 'host-3', 'us/small': 'host-2' } as const;
const NAMES = ['eu/prod', ...Object.keys(SMALL)];
const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];

describeOnLab('a fleet', 'fleet', { etcd: 3, hosts: 3 }, (lab) => {
  let checkout: string;
  let east: ControlMachine;
  let west: ControlMachine;
  let parts: readonly Told[];
  let twice: readonly Told[];
  let planned: FleetJson;
  let table: Ended;
  let pending: FleetJson;

  /** What a run over the fleet said, and what each of its clusters' runs did. */
  interface Told {
    readonly status: number;
    readonly fleet: FleetJson;
    /** By cluster: of those that were changed. */
    readonly performed: ReadonlyMap<string, readonly string[]>;
  }

  const operator = async (...words: readonly string[]): Promise<string> =>
    must(lab.onControlSide(asOperator(lab.files, checkout, [process.execPath, resolve('dist/main.js'), ...words])));

  const on = async (machine: ControlMachine, ...words: readonly string[]): Promise<Ended> =>
    lab.onControlSide(machine.command(['provision', ...words], { PROVISION_CA_PASSPHRASE: PASSPHRASE }));

  async function applyOn(machine: ControlMachine, ...more: readonly string[]): Promise<Told> {
    const words = ['fleet', 'apply', 'clusters', '--plans', 'plans', '--format', 'json', ...more];
    const { status, stdout, stderr } = await on(machine, ...words);
    if (!stdout.startsWith('{')) throw new Error(stderr);
    const performed = NAMES.flatMap((name) => {
      const changes = lastRun(join(machine.fleet, 'clusters', name));
      return changes.length === 0 ? [] : [[name, changes] as const];
    });
    return { status, fleet: fleetSchema.parse(JSON.parse(stdout)), performed: new Map(performed) };
  }

  function addCluster(name: string, text: string): void {
    const file = join(checkout, 'clusters', name, 'inventory.yaml');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  async function addClusters(): Promise<void> {
    // The key and the hosts' keys are those of whoever runs it.
    const lines = readFileSync(lab.files.inventory, 'utf8').replace(/^ *ansible_ssh_.*\n/gm, '');
    addCluster('eu/prod', lines.replace(/^ {4}ungrouped:\n(?: {6,}.*\n)*/m, ''));
    for (const [index, [name, host]] of Object.entries(SMALL).entries()) {
      const { address } = (await lab.host(host)).host;
      // No host of the lab has these.
      const vip = address.replace(/\d+$/, `${251 + index}`);
      const members = `{ etcd: { hosts: { ${host}: { ansible_host: ${address} } } } }`;
      addCluster(name, `all:\n  vars: { ansible_user: root, etcd_lb_ip: ${vip} }\n  children: ${members}\n`);
    }
  }

  async function planAndHandOn(): Promise<FleetJson> {
    const said = await operator('fleet', 'plan', 'clusters', '-o', 'plans', '--format', 'json');
    for (const machine of [east, west]) machine.receive(checkout);
    return fleetSchema.parse(JSON.parse(said));
  }

  /** Authorities are made by whoever applies first; they are brought to where the inventories are kept. */
  function keepAuthorities(): void {
    for (const [machine, name] of [east, west].flatMap((each) => NAMES.map((name) => [each, name] as const))) {
      const pki = join(machine.fleet, 'clusters', name, 'pki');
      if (existsSync(pki)) cpSync(pki, join(checkout, 'clusters', name, 'pki'), { recursive: true });
    }
    cpSync(join(checkout, 'clusters/eu/prod/pki'), join(dirname(lab.files.inventory), 'pki'), { recursive: true });
  }

  async function drift(hosts: readonly string[], file: string): Promise<void> {
    await Promise.all(hosts.map(async (host) => must(lab.ssh(host, `echo '# drift' >> ${file}`))));
  }

  /** A cluster whose inventory can't be read, one without power, one that another operator is in the middle of, and two healthy ones. */
  async function applyAmongTroubles(): Promise<Ended> {
    await drift(MEMBERS, '/etc/haproxy/haproxy.cfg');
    await drift(['host-1', 'host-2'], '/etc/default/etcd');
    addCluster('broken', 'all:\n  hosts: [one]\n');
    west.receive(checkout);
    await powerCut(await lab.host('host-3'));
    let told: Promise<Ended> | undefined;
    const isChange = (event: EventJson): boolean => event.type === 'change-started';
    const first = await disturbedApply(lab, isChange, async (kill) => {
      kill('SIGSTOP');
      told = on(west, 'fleet', 'apply', 'clusters', '--yes');
      await told;
      kill('SIGCONT');
    });
    expect([first.status, performedChanges(first).length]).toEqual([EXIT.done, 6]);
    if (told === undefined) throw new Error('no change was begun');
    return told;
  }

  beforeAll(async () => {
    checkout = temporaryDirectory('checkout');
    const root = makeImageRoot();
    [east, west] = [makeControlMachine('east', root, lab.files), makeControlMachine('west', root, lab.files)];
    await addClusters();
    await planAndHandOn();
    parts = await Promise.all([applyOn(east, '--shard', '1/2'), applyOn(west, '--shard', '2/2')]);
    const undone = parts.flatMap(({ fleet }) => fleet.clusters.filter(({ outcome }) => outcome !== 'ok'));
    if (undone.length > 0) throw new Error(JSON.stringify(undone, undefined, 2));
    keepAuthorities();
    await drift(MEMBERS, '/etc/haproxy/haproxy.cfg');
    await drift(Object.values(SMALL), '/etc/default/etcd');
    planned = await planAndHandOn();
    twice = await Promise.all([applyOn(east), applyOn(west)]);
    pending = await planAndHandOn();
    table = await applyAmongTroubles();
  });

  const outcomes = ({ fleet }: Told): readonly string[] =>
    fleet.clusters.map(({ cluster, outcome }) => `${cluster} ${outcome}`);

  test('is applied in two parts by two machines, each cluster once, from the plans of a third one', async () => {
    expect(parts.map(outcomes)).toEqual([
      ['eu/prod ok', 'us/gone ok'],
      ['eu/small ok', 'us/small ok'],
    ]);
    expect(parts.map(({ status }) => status)).toEqual([EXIT.done, EXIT.done]);
    expect(parts.map(({ performed }) => [...performed.keys()])).toEqual([
      ['eu/prod', 'us/gone'],
      ['eu/small', 'us/small'],
    ]);
    for (const host of [...MEMBERS, 'host-1', 'host-2'])
      expect((await lab.ssh(host, 'systemctl is-active etcd')).stdout).toBe('active\n');
  });

  test('whose clusters are all started twice at once is changed once: of two runs one applies', () => {
    expect(planned.clusters.map(({ changes }) => changes)).toEqual([6, 2, 2, 2]);
    for (const [index, { cluster, changes }] of planned.clusters.entries()) {
      const ends = twice.map(({ fleet, performed }) => ({
        outcome: fleet.clusters[index]?.outcome,
        performed: performed.get(cluster)?.length ?? 0,
      }));
      const [winner, ...others] = ends.toSorted((a, b) => b.performed - a.performed);
      expect(winner).toEqual({ outcome: 'ok', performed: changes });
      // Too late for the lock, another run has done what was planned.
      expect(others).toEqual([{ outcome: expect.stringMatching(/^(?:locked|stale)$/) as unknown, performed: 0 }]);
    }
    expect(pending.clusters.map(({ changes }) => changes)).toEqual([0, 0, 0, 0]);
  });

  test('with a broken, a locked and an unreachable cluster is applied as far as it can be, and its table says the rest', () => {
    expect(table.status).toBe(EXIT.failed);
    const lines = table.stdout.split('\n').map((line) => line.replace(/ {2}\d+\.\d s$/, ''));
    expect(lines).toEqual([
      expect.stringMatching(/^✖ broken {4}failed: .*broken\/inventory\.yaml:2:10: /),
      expect.stringMatching(
        /^✖ eu\/prod {3}locked: etcd-1: locked by root@\S+ \(pid \d+\) since .*; nothing was changed$/,
      ),
      expect.stringMatching(/^ {4}→ wait for it; .* remove the lock: provision unlock /),
      '✔ eu/small  2 changes performed',
      expect.stringMatching(/^✖ us\/gone {3}unreachable: host-3: /),
      expect.stringMatching(/^ {4}→ /),
      '✔ us/small  2 changes performed',
      '',
      expect.stringMatching(/^5 clusters: 1 failed, 1 locked, 2 ok \(2 with changes\), 1 unreachable, in \d+\.\d s$/),
      '',
    ]);
  });
});

/** What the last run of a cluster did, by its journal there; nothing where there is none. */
function lastRun(directory: string): readonly string[] {
  const kept = join(directory, '.provision/journal');
  const last = existsSync(kept) ? readdirSync(kept).sort().at(-1) : undefined;
  if (last === undefined) return [];
  const lines = readFileSync(join(kept, last), 'utf8').split('\n');
  return performedChanges({
    events: lines.filter((line) => line !== '').map((line) => eventSchema.parse(JSON.parse(line))),
  });
}
