import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { fleetSchema, type ClusterResult } from '../../src/fleet/fleet-schema.js';
import { waitUntil } from '../../src/lab/process.js';
import { EXIT } from '../../src/model/errors.js';
import { provision } from '../support/lab.js';
import { ended, startRealHosts, type RealHosts } from '../support/real-run.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const HOSTS = ['one', 'two', 'three'] as const;

let hosts: RealHosts;
/** Where the hosts, which are all this machine, write. */
let work: string;
/** The fleet's directory. */
let fleet: string;

beforeAll(async () => {
  hosts = await startRealHosts(...HOSTS);
});
afterAll(async () => hosts.remove());
beforeEach(() => {
  work = temporaryDirectory('fleet-work');
  fleet = temporaryDirectory('fleet');
  hosts.write([`copy: { dest: "${work}/{{ inventory_hostname }}.conf", content: new }`]);
});

/** An inventory of one of the hosts. */
function inventoryOf(host: string): string {
  const others = HOSTS.filter((name) => name !== host).map((name) => new RegExp(`^ {4}${name}:.*\n`, 'm'));
  return others.reduce((text, other) => text.replace(other, ''), readFileSync(hosts.inventory, 'utf8'));
}

function addCluster(path: string, text: string): void {
  mkdirSync(dirname(join(fleet, path)), { recursive: true });
  writeFileSync(join(fleet, path), text);
}

interface FleetEnd {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly clusters: readonly ClusterResult[];
}

const words = (verb: string, more: readonly string[]): readonly string[] =>
  provision('fleet', verb, fleet, '--playbook', hosts.playbook, ...more);

async function run(verb: string, ...more: readonly string[]): Promise<FleetEnd> {
  const end = await ended(hosts.start(words(verb, [...more, '--format', 'json'])));
  const { data } = fleetSchema.safeParse(end.stdout.startsWith('{') ? JSON.parse(end.stdout) : undefined);
  return { ...end, clusters: data?.clusters ?? [] };
}

const outcomes = ({ clusters }: FleetEnd): readonly string[] =>
  clusters.map(({ cluster, outcome }) => `${cluster} ${outcome}`);
const written = (): readonly string[] => readdirSync(work).sort();

describe('a fleet with a broken, an unreachable and two healthy clusters', () => {
  beforeEach(() => {
    addCluster('one.yaml', inventoryOf('one'));
    addCluster('eu/two/hosts.yaml', inventoryOf('two'));
    addCluster('broken/inventory.yaml', 'all:\n  hosts: [one]\n');
    addCluster('gone/inventory.yaml', inventoryOf('three').replace(/ansible_port: \d+/, 'ansible_port: 1'));
  });

  test('is planned in one go: one bad cluster stops no other, and nothing is changed', async () => {
    const plan = await run('plan', '--jobs', '2');
    expect(outcomes(plan)).toEqual(['broken failed', 'eu/two ok', 'gone unreachable', 'one ok']);
    expect(plan.status).toBe(EXIT.failed);
    const [broken, two, gone] = plan.clusters;
    expect(broken?.summary).toMatch(/broken\/inventory\.yaml:2:10: /);
    expect(two).toMatchObject({ changes: 1, summary: '1 change on 1 host', hint: null });
    expect(gone?.summary).toMatch(/^three: can't connect to .*port 1/);
    expect(gone?.hint).toBe('check that sshd runs there, and ansible_port (1)');
    expect(written()).toEqual([]);
  });

  test('is reported in files, which are looked at before anything runs', async () => {
    const [comment, junit, other] = ['fleet.md', 'fleet.xml', 'other.md'].map((name) => join(work, name));
    writeFileSync(other ?? '', 'mine');
    const refused = await run('plan', '--report', other ?? '');
    expect([refused.status, refused.stdout]).toEqual([EXIT.failed, expect.stringContaining('report-in-the-way')]);
    const plan = await run('plan', '--report', comment ?? '', '--report', junit ?? '');
    expect(plan.status).toBe(EXIT.failed);
    const text = readFileSync(comment ?? '', 'utf8');
    expect(text).toContain('fleet plan: 4 clusters: 2 ok (2 with changes), 2 failed');
    for (const name of ['broken', 'eu/two', 'gone', 'one']) expect(text).toContain(`<code>${name}</code>`);
    expect(readFileSync(junit ?? '', 'utf8')).toMatch(/<testsuite [^>]*name="gone"[^>]* tests="1" failures="1"/);
  });

  test('is checked in one go: each has its worst finding and its next command, and nothing is changed', async () => {
    const checked = await run('verify');
    expect(outcomes(checked)).toEqual(['broken failed', 'eu/two failed', 'gone failed', 'one failed']);
    expect(checked.status).toBe(EXIT.failed);
    const [broken, two] = checked.clusters;
    expect(broken?.summary).toMatch(/broken\/inventory\.yaml:2:10: /);
    expect(two).toMatchObject({ changes: null, summary: expect.stringMatching(/^etcd-cluster: no member answers/) });
    expect(two?.hint).toBe(`provision doctor etcd ${fleet}/eu/two/hosts.yaml`);
    expect(written()).toEqual([]);
  });

  test('is applied as far as it can be; the table names each cluster, and what to do next', async () => {
    const end = await ended(hosts.start(words('apply', ['--yes'])));
    expect(end.status).toBe(EXIT.failed);
    expect(end.stdout).toMatch(/^✖ broken {2}failed: .*\n/m);
    expect(end.stdout).toMatch(/^✖ gone {4}unreachable: .*\n {4}→ check that sshd runs there/m);
    expect(end.stdout).toMatch(/^✔ eu\/two {2}1 change performed {2}\d+\.\d s$/m);
    expect(end.stdout).toMatch(/\n4 clusters: 1 failed, 2 ok \(2 with changes\), 1 unreachable, in \d+\.\d s\n$/);
    // As each ended.
    expect(end.stderr.match(/^[✔✖] /gm)).toHaveLength(4);
    expect(written()).toEqual(['one.conf', 'two.conf']);
    const again = await run('apply', '--yes');
    expect(again.clusters.flatMap(({ outcome, summary }) => (outcome === 'ok' ? [summary] : []))).toEqual([
      'no changes',
      'no changes',
    ]);
  });

  test('stops after the failures that are allowed: the others are not started', async () => {
    const plan = await run('plan', '--jobs', '1', '--stop-after', '1');
    expect(outcomes(plan)).toEqual(['broken failed', 'eu/two not-started', 'gone not-started', 'one not-started']);
  });

  test('whose only failures may be tried again says so', async () => {
    rmSync(join(fleet, 'broken'), { recursive: true });
    expect((await run('plan')).status).toBe(EXIT.unreachable);
  });
});

describe('saved plans of a fleet', () => {
  let plans: string;
  beforeEach(() => {
    plans = join(temporaryDirectory('fleet-plans'), 'plans');
    addCluster('one.yaml', inventoryOf('one'));
    addCluster('eu/two/inventory.yaml', inventoryOf('two'));
  });

  test('are applied exactly; where a host has drifted it is refused, the others are applied', async () => {
    const planned = await run('plan', '-o', plans, '--detailed-exitcode');
    expect(planned.status).toBe(EXIT.changesPending);
    writeFileSync(join(work, 'one.conf'), 'by hand');
    const applied = await run('apply', '--plans', plans);
    expect(outcomes(applied)).toEqual(['eu/two ok', 'one stale']);
    expect(applied.status).toBe(EXIT.stale);
    expect([written(), readFileSync(join(work, 'one.conf'), 'utf8')]).toEqual([['one.conf', 'two.conf'], 'by hand']);
  });

  test('that were not made are no reason to plan anew', async () => {
    await run('plan', '-o', plans, '--shard', '1/2');
    const applied = await run('apply', '--plans', plans);
    expect(outcomes(applied)).toEqual(['eu/two ok', 'one failed']);
    expect(applied.clusters[1]).toMatchObject({ summary: expect.stringContaining('one.plan is not there') });
    expect(written()).toEqual(['two.conf']);
  });

  test('or --yes: a fleet is never applied without one of them', async () => {
    const { status, stdout, stderr } = await ended(hosts.start(words('apply', [])));
    expect([status, stdout]).toEqual([EXIT.failed, '']);
    expect(stderr).toContain(`provision fleet plan ${fleet} -o plans`);
    expect(written()).toEqual([]);
  });
});

describe('runs of the same clusters', () => {
  const LONG = (): string => {
    const wait = `touch ${work}/began; until [ -e ${work}/go ]; do sleep 0.05; done; touch ${work}/done`;
    return `command: { cmd: "sh -c '${wait}'", creates: "${work}/done" }`;
  };
  const begun = async (): Promise<void> => {
    if (!(await waitUntil(() => Promise.resolve(existsSync(join(work, 'began'))), 60_000, 50)))
      throw new Error('not begun');
  };
  beforeEach(() => {
    hosts.write([LONG(), `copy: { dest: "${work}/{{ inventory_hostname }}.conf", content: new }`]);
    addCluster('one.yaml', inventoryOf('one'));
  });

  test('at the same time: exactly one applies, the other may be tried again', async () => {
    const first = run('apply', '--yes');
    await begun();
    const second = await run('apply', '--yes');
    expect([second.status, outcomes(second)]).toEqual([EXIT.locked, ['one locked']]);
    writeFileSync(join(work, 'go'), '');
    expect([(await first).status, outcomes(await first)]).toEqual([EXIT.done, ['one ok']]);
    expect((await run('apply', '--yes')).clusters).toMatchObject([{ outcome: 'ok', changes: 0 }]);
  });

  test('with the same saved plans: the second is locked, also in the middle of what the first changes', async () => {
    hosts.write([`copy: { dest: "${work}/{{ inventory_hostname }}.conf", content: new }`, LONG()]);
    const plans = join(temporaryDirectory('fleet-plans'), 'plans');
    await run('plan', '-o', plans);
    const first = run('apply', '--plans', plans);
    await begun();
    expect(written()).toContain('one.conf');
    const second = await run('apply', '--plans', plans);
    expect([second.status, outcomes(second)]).toEqual([EXIT.locked, ['one locked']]);
    writeFileSync(join(work, 'go'), '');
    expect(outcomes(await first)).toEqual(['one ok']);
    // Tried again, as a machine would: what was planned is done, and is not done twice.
    expect(outcomes(await run('apply', '--plans', plans))).toEqual(['one stale']);
  });

  test('are stopped in order by one Ctrl-C: the change in progress is finished, no other cluster is started', async () => {
    addCluster('two.yaml', inventoryOf('two'));
    const child = hosts.start(words('apply', ['--yes', '--jobs', '1', '--format', 'json']));
    const end = ended(child);
    await begun();
    child.kill('SIGINT');
    writeFileSync(join(work, 'go'), '');
    const { status, stdout } = await end;
    expect(status).toBe(EXIT.stopped);
    expect(fleetSchema.parse(JSON.parse(stdout)).clusters).toMatchObject([
      { cluster: 'one', outcome: 'stopped', summary: expect.stringContaining('stopped on request') },
      { cluster: 'two', outcome: 'not-started' },
    ]);
    expect(written()).toEqual(['began', 'done', 'go']);
    expect((await hosts.onHosts('ls -A /run/provision')).stdout).toBe('');
  });
});

describe('the list of a fleet', () => {
  const list = async (...more: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await ended(hosts.start(provision('fleet', 'list', fleet, ...more)));
    expect([status, stderr]).toEqual([EXIT.done, '']);
    return stdout;
  };
  beforeEach(() => {
    for (const name of ['a', 'b', 'c']) addCluster(`${name}/inventory.yaml`, 'all: {}\n');
    addCluster('shared/site.yaml', '[]\n');
  });

  test('is a matrix for GitHub, on one line', async () => {
    const text = await list('--format', 'github-matrix');
    expect(text.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(text)).toMatchObject({ include: ['a', 'b', 'c'].map((cluster) => ({ cluster, id: cluster })) });
  });

  test('has the clusters that differ from a revision: changed, new, and all for what they share', async () => {
    const git = (...args: readonly string[]): void => {
      const who = ['-c', 'user.name=test', '-c', 'user.email=test@localhost', '-c', 'commit.gpgsign=false'];
      execFileSync('git', ['-C', fleet, ...who, ...args], { stdio: 'pipe' });
    };
    const changed = async (): Promise<readonly string[]> => {
      const lines = (await list('--changed-since', 'HEAD')).trim().split('\n');
      return lines.slice(0, -1).map((line) => line.slice(fleet.length + 1));
    };
    git('init', '-q');
    git('add', '-A');
    git('commit', '-qm', 'all');
    expect(await changed()).toEqual([]);
    mkdirSync(join(fleet, 'b/group_vars'));
    writeFileSync(join(fleet, 'b/group_vars/etcd.yaml'), '{}\n');
    expect(await changed()).toEqual(['b/inventory.yaml']);
    addCluster('d.yaml', 'all: {}\n');
    expect(await changed()).toEqual(['b/inventory.yaml', 'd.yaml']);
    writeFileSync(join(fleet, 'shared/site.yaml'), '# other\n[]\n');
    expect(await changed()).toHaveLength(4);
    const wrong = await ended(hosts.start(provision('fleet', 'list', fleet, '--changed-since', '--output=x')));
    expect([wrong.status, existsSync('x')]).toEqual([EXIT.failed, false]);
    expect(wrong.stderr).toContain('what changed in');
  });
});
