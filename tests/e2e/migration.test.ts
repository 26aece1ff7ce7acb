import { beforeAll, expect, test } from '@jest/globals';
import type { CheckItem } from '../../src/checks/check.js';
import { waitUntil } from '../../src/lab/process.js';
import type { Way } from '../support/cluster-client.js';
import { adopt, createHandMadeCluster, memberctl, type HandMadeCluster } from '../support/hand-made-cluster.js';
import { describeOnLab, type TestLab } from '../support/lab.js';
import {
  endOf,
  ETCD_PEERS,
  inventoryWith,
  performedChanges,
  plannedChanges,
  READYZ,
  runVerb,
  vipOf,
  type JsonRun,
} from '../support/main-job.js';
import { overlaysOf, writtenBetween, type Overlays } from '../support/overlays.js';
import { longestGapMs, lostWrites, startWriters, tell, waysInto, type Written } from '../support/writers.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const CONTROL_PLANES = ['cp-1', 'cp-2'];
const HOSTS = [...MEMBERS, ...CONTROL_PLANES];

/** The aim is one second on an idle machine; this one has other work. */
const MOST_GAP_MS = 3_000;

/** What a load balancer beside a running cluster may change; everything else is the cluster's own. */
const FOR_THE_LOAD_BALANCER = [
  /^(Load balancer|Virtual IP) \/ etcd-\d \/ /,
  /^etcd members \/ etcd-\d \/ (certificate:\/etc\/ssl\/etcd\/certificate\/etcd-\d-dev_cert\.pem|etcd-member:\S+): /,
  /^[^/]+ \/ cp-\d \/ (static-pod:\S+|config-map:kube-system\/kubeadm-config): /,
];

/** What installing a package writes that is none of its files. */
const BY_PACKAGES =
  /^etcd-\d \/(etc\/((passwd|group|shadow|gshadow|subuid|subgid)-?$|rc\d\.d\/|ld\.so\.cache$|systemd\/system\/\S+\.wants\/)|usr\/|var\/(cache|lib|log)\/)/;

/** `host path` of all files of the packages that came with the load balancer. */
async function filesOfNewPackages(lab: TestLab): Promise<ReadonlySet<string>> {
  const listed = await Promise.all(
    MEMBERS.map(async (host) => {
      const { stdout } = await lab.ssh(host, 'cat /var/lib/dpkg/info/*.list');
      return stdout.split('\n').map((path) => `${host} ${path}`);
    }),
  );
  return new Set(listed.flat());
}

/** Runs an apply while all writers write, and lets those through the virtual IP write on a while after it. */
async function applyWhileWriting(
  lab: TestLab,
  run: string,
  ways: readonly Way[],
  inventory: string,
): Promise<{ readonly applied: JsonRun; readonly done: readonly Written[] }> {
  const writers = await startWriters(lab, run, ways);
  const applied = await runVerb(lab, 'apply', inventory);
  await waitUntil(async () => Promise.resolve(writers.count('vip') > 50), 120_000, 100);
  const done = await writers.stop();
  console.log([`${run}:`, ...done.map(tell)].join('\n  '));
  return { applied, done };
}

/**
 * A line of a kept copy as `HOST copy of PATH` (/var/backups/provision/PATH-ENCODED/TIME.N); nothing for a note that nothing
 * stood there before; any other line as it is.
 */
function keptCopy(line: string): readonly string[] {
  const [, host = '', path = '', note] =
    /^(\S+) \/var\/backups\/provision\/([^/]+)\/\d{8}T[\d.]+Z\.\d+(\.\w+)?$/.exec(line) ?? [];
  if (path === '') return [line];
  return note === undefined ? [`${host} copy of ${decodeURIComponent(path)}`] : [];
}

describeOnLab('an existing live cluster', 'migration', { etcd: 3, controlPlanes: 2, crashPauses: 'kubelet' }, (lab) => {
  let made: HandMadeCluster;
  let vip: string;
  let ways: readonly Way[];
  let before: Overlays;
  let afterPlan: Overlays;
  let afterApply: Overlays;
  let firstPlan: JsonRun;
  let migration: Awaited<ReturnType<typeof applyWhileWriting>>;
  let lost: readonly string[];

  beforeAll(async () => {
    made = await createHandMadeCluster(lab);
    await adopt(lab, made);
    vip = await vipOf(lab);
    ways = await waysInto(lab, made, CONTROL_PLANES);
    before = await overlaysOf(lab, HOSTS);
    firstPlan = await runVerb(lab, 'plan', '--detailed-exitcode');
    afterPlan = await overlaysOf(lab, HOSTS);
    migration = await applyWhileWriting(lab, 'migration', ways, lab.files.inventory);
    afterApply = await overlaysOf(lab, HOSTS);
    if (migration.applied.status !== 0) throw new Error(endOf(migration.applied));
    lost = await lostWrites(lab, 'migration', ways, migration.done);
  });

  function expectNobodyNoticed(done: readonly Written[], fewest: number): void {
    for (const written of done) {
      expect(written.failed).toEqual([]);
      expect(written.acknowledged.length).toBeGreaterThan(fewest);
      expect(longestGapMs(written)).toBeLessThan(MOST_GAP_MS);
    }
  }

  test('the plan shows only what the load balancer needs, and changes nothing', () => {
    expect(firstPlan.status).toBe(2);
    const planned = plannedChanges(firstPlan);
    expect(planned.filter((line) => !FOR_THE_LOAD_BALANCER.some((allowed) => allowed.test(line)))).toEqual([]);
    // One certificate and one restart a member; the rest is beside it.
    expect(planned.filter((line) => line.startsWith('etcd members'))).toHaveLength(6);
    expect(writtenBetween(before, afterPlan)).toEqual([]);
    // Balancers that nobody uses yet are set up at once: each host does what was planned for it, in that order.
    const byHost = (lines: readonly string[]): readonly string[] => {
      const hostOf = (line: string): string => line.split(' / ')[1] ?? '';
      return lines.toSorted((a, b) => hostOf(a).localeCompare(hostOf(b)));
    };
    expect(byHost(performedChanges(migration.applied))).toEqual(byHost(planned));
  });

  test('no client saw an error on any way in', () => {
    expectNobodyNoticed(migration.done, 50);
  });

  test('every acknowledged write is there, at each member and each API server', () => {
    expect(lost).toEqual([]);
  });

  test('a write that is lost is found, on every way', async () => {
    const keys = migration.done.map(({ acknowledged }) => acknowledged.at(-1)?.id ?? '');
    const [direct = '', through = '', object = ''] = keys;
    await lab.ssh('etcd-1', memberctl('etcd-1', `--endpoints=${made.endpoints.join(',')} del ${direct}`));
    await lab.ssh('etcd-1', memberctl('etcd-1', `--endpoints=${made.endpoints.join(',')} del ${through}`));
    await lab.ssh(
      'etcd-1',
      memberctl('etcd-1', `--endpoints=${made.endpoints.join(',')} del /registry/configmaps/default/${object}`),
    );
    const found = await lostWrites(lab, 'migration', ways, migration.done);
    const etcd = [...made.endpoints, `https://${vip}:2379`];
    const expected = [
      ...etcd.flatMap((endpoint) => keys.map((key) => `${key} is not at ${endpoint}`)),
      ...(ways[2]?.endpoints ?? []).map((endpoint) => `${object} is not at ${endpoint}`),
    ];
    expect([...found].sort()).toEqual(expected.sort());
  });

  test('exactly this was written, and nothing of the members but their server certificates', async () => {
    const written = writtenBetween(before, afterApply);
    // A directory changes with what is in it.
    const parents = new Set(written.map((line) => line.replace(/\/[^/]*$/, '')));
    const files = written.filter((line) => !parents.has(line));
    const packaged = await filesOfNewPackages(lab);
    const wanted = MEMBERS.flatMap((host) => [
      ...['etcd-ca.crt', 'etcd-client.pem', 'haproxy.cfg'].map((name) => `${host} /etc/haproxy/${name}`),
      `${host} /etc/keepalived/keepalived.conf`,
      `${host} /etc/ssl/etcd/certificate/${host}-dev_cert.pem`,
      `${host} /etc/systemd/system/haproxy.service.d/60-provision-down.conf`,
      `${host} /etc/sysctl.d/60-provision-nonlocal-bind.conf`,
      `${host} /usr/local/lib/provision/check-haproxy`,
      `${host} copy of /etc/haproxy/haproxy.cfg`,
      `${host} copy of /etc/ssl/etcd/certificate/${host}-dev_cert.pem`,
    ]);
    const manifest = '/etc/kubernetes/manifests/kube-apiserver.yaml';
    const repointed = CONTROL_PLANES.flatMap((host) => [`${host} ${manifest}`, `${host} copy of ${manifest}`]);
    const expected = new Set([...wanted, ...repointed]);
    const named = files.flatMap(keptCopy);
    const ours = named.filter((line) => expected.has(line) || !(packaged.has(line) || BY_PACKAGES.test(line)));
    expect(ours.sort()).toEqual([...expected].sort());
  });

  test('a second plan is empty, and the health check is green', async () => {
    const plan = await runVerb(lab, 'plan', '--detailed-exitcode');
    expect([plan.status, plannedChanges(plan)]).toEqual([0, []]);
    const verified = await lab.provision('verify', lab.files.inventory, '--format', 'json');
    const { items } = JSON.parse(verified.stdout) as { items: readonly CheckItem[] };
    expect(items.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
    expect(items.length).toBeGreaterThan(10);
  });

  test('the API servers use the virtual IP, and kubeadm-config says so', async () => {
    for (const host of CONTROL_PLANES) {
      expect((await lab.ssh(host, READYZ)).stdout).toBe('ok');
      expect((await lab.ssh(host, ETCD_PEERS)).stdout).toBe(`${vip}:2379\n`);
    }
    const config = await lab.ssh(
      'etcd-1',
      memberctl(
        'etcd-1',
        `--endpoints=${made.endpoints.join(',')} get --print-value-only /registry/configmaps/kube-system/kubeadm-config`,
      ),
    );
    expect(config.stdout).toContain(`https://${vip}:2379`);
    expect(made.endpoints.filter((endpoint) => config.stdout.includes(endpoint))).toEqual([]);
  });

  test('members go on working directly, with full verification', async () => {
    const health = await lab.ssh(
      'etcd-1',
      memberctl('etcd-1', `--endpoints=${made.endpoints.join(',')} endpoint health`),
    );
    expect(health.status).toBe(0);
  });

  test('a rolling change later: the same for all three ways', async () => {
    const inventory = await inventoryWith(lab, 'later', ['etcd_cert_alt_names: [etcd.later.example]']);
    const { applied, done } = await applyWhileWriting(lab, 'later', ways, inventory);
    expect(endOf(applied)).toMatch(/^status 0/);
    expect(performedChanges(applied).filter((line) => line.startsWith('etcd members'))).toHaveLength(6);
    expectNobodyNoticed(done, 50);
    expect(await lostWrites(lab, 'later', ways, done)).toEqual([]);
  });

  test('an outage shows as a gap to every writer', async () => {
    const writers = await startWriters(lab, 'gap', ways);
    expect(await waitUntil(async () => Promise.resolve(writers.count('vip') > 3), 120_000, 50)).toBe(true);
    const each = async (signal: string): Promise<unknown> =>
      Promise.all(MEMBERS.map(async (host) => lab.ssh(host, `systemctl kill -s ${signal} ${made.unitOf(host)}`)));
    await each('STOP');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await each('CONT');
    const counts = ways.map(({ name }) => writers.count(name));
    expect(
      await waitUntil(
        async () => Promise.resolve(ways.every(({ name }, index) => writers.count(name) > (counts[index] ?? 0) + 3)),
        120_000,
        50,
      ),
    ).toBe(true);
    const done = await writers.stop();
    console.log(['all members held still for 1.5 s:', ...done.map(tell)].join('\n  '));
    for (const written of done) expect(longestGapMs(written)).toBeGreaterThan(1_000);
  });
});
