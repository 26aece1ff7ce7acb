import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from '@jest/globals';
import type { CheckItem } from '../../src/checks/check.js';
import { cutNetwork, restoreNetwork } from '../../src/lab/faults.js';
import type { Latency } from '../../src/model/latency.js';
import { waitUntil } from '../../src/lab/process.js';
import { partOfThisCommit } from '../support/kill-points.js';
import { describeOnLab, type TestLab } from '../support/lab.js';
import { endOf, holdersOf, runVerb } from '../support/main-job.js';

/**
 * What is repaired may take longer to be healthy: connections of a kube-apiserver to an address that has moved end by keep-alive
 * (30 s, and 10 s for its answer), and gRPC waits before it connects again.
 */
const PATIENCE_MS = 150_000;

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const PKI = '/etc/etcd/pki';

interface CheckUp {
  readonly status: number;
  readonly items: readonly CheckItem[];
}

async function verify(lab: TestLab): Promise<CheckUp> {
  const ended = await lab.provision('verify', lab.files.inventory, '--format', 'json');
  if (!ended.stdout.startsWith('{')) throw new Error(endOf(ended));
  return { status: ended.status, items: (JSON.parse(ended.stdout) as CheckUp).items };
}

/** `verdict check host subject` of what is not ok. */
function notOk({ items }: CheckUp): readonly string[] {
  return items
    .filter(({ verdict }) => verdict !== 'ok')
    .map(({ verdict, check, host = '-', subject = '-' }) => `${verdict} ${check} ${host} ${subject}`);
}

/** A script on a host, which must succeed. */
async function must(lab: TestLab, host: string, script: string): Promise<void> {
  const ended = await lab.ssh(host, `set -e\n${script}`);
  if (ended.status !== 0) throw new Error(`${host}: ${script}\n${endOf(ended)}`);
}

/** A self-signed certificate and its key, of nobody that the cluster knows. */
const FOREIGN = `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=stranger -days 30 -keyout /root/x.key -out /root/x.crt 2>/dev/null`;

interface Breakage {
  readonly what: string;
  readonly host: string;
  readonly breakIt: string;
  readonly mend: string;
  /** The items that must be red; more may be, for one fault is seen from several sides. */
  readonly red: readonly string[];
}

/** Each takes up to half a minute, to be found and to be healthy again. */
const BREAKAGES_A_RUN = 8;

const partOf = partOfThisCommit(11);

const BREAKAGES: readonly Breakage[] = [
  {
    what: 'etcd stopped on a member',
    host: 'etcd-2',
    breakIt: 'systemctl stop etcd',
    mend: 'systemctl start etcd',
    red: ['fail etcd-member etcd-2 -', 'fail service etcd-2 etcd'],
  },
  {
    what: 'HAProxy stopped on a host, the first holder of the virtual IP',
    host: 'etcd-1',
    breakIt: 'systemctl stop haproxy',
    mend: 'systemctl start haproxy',
    red: ['fail haproxy etcd-1 etcd', 'fail service etcd-1 haproxy'],
  },
  {
    what: 'keepalived will not start at boot',
    host: 'etcd-3',
    breakIt: 'systemctl disable -q keepalived',
    mend: 'systemctl enable -q keepalived',
    red: ['fail service etcd-3 keepalived'],
  },
  {
    what: 'ip_nonlocal_bind switched off',
    host: 'etcd-1',
    breakIt: 'sysctl -q -w net.ipv4.ip_nonlocal_bind=0',
    mend: 'sysctl -q -w net.ipv4.ip_nonlocal_bind=1',
    red: ['fail nonlocal-bind etcd-1 now'],
  },
  {
    what: 'ip_nonlocal_bind gone after a reboot',
    host: 'etcd-2',
    breakIt: 'mv /etc/sysctl.d/60-provision-nonlocal-bind.conf /root/',
    mend: 'mv /root/60-provision-nonlocal-bind.conf /etc/sysctl.d/',
    red: ['fail nonlocal-bind etcd-2 after a reboot'],
  },
  {
    what: 'ip_nonlocal_bind rolled back by a later file',
    host: 'etcd-2',
    breakIt: 'echo net.ipv4.ip_nonlocal_bind=0 > /etc/sysctl.d/99-zz.conf',
    mend: 'rm /etc/sysctl.d/99-zz.conf',
    red: ['fail nonlocal-bind etcd-2 after a reboot'],
  },
  {
    what: 'a foreign server certificate',
    host: 'etcd-1',
    breakIt: `${FOREIGN}; cp -p ${PKI}/server.crt /root/; cat /root/x.crt > ${PKI}/server.crt`,
    mend: `cat /root/server.crt > ${PKI}/server.crt`,
    red: [`fail certificate etcd-1 ${PKI}/server.crt`],
  },
  {
    what: 'a key that is not of its certificate',
    host: 'etcd-3',
    breakIt: `${FOREIGN}; cp -p ${PKI}/server.key /root/; cat /root/x.key > ${PKI}/server.key`,
    mend: `cat /root/server.key > ${PKI}/server.key`,
    red: [`fail certificate etcd-3 ${PKI}/server.crt`],
  },
  {
    what: 'a server certificate without the virtual IP: the peer one in its place',
    host: 'etcd-2',
    breakIt: `cp -p ${PKI}/server.crt /root/; cat ${PKI}/peer.crt > ${PKI}/server.crt`,
    mend: `cat /root/server.crt > ${PKI}/server.crt`,
    red: [`fail certificate etcd-2 ${PKI}/server.crt`],
  },
  {
    what: 'another authority trusted by HAProxy',
    host: 'etcd-2',
    breakIt: `${FOREIGN}; cp -p /etc/haproxy/etcd-ca.crt /root/; cat /root/x.crt > /etc/haproxy/etcd-ca.crt`,
    mend: 'cat /root/etcd-ca.crt > /etc/haproxy/etcd-ca.crt; systemctl reload haproxy',
    red: ['fail trust etcd-2 /etc/haproxy/etcd-ca.crt'],
  },
  {
    what: 'a manifest that names a member (src/lab/topology.ts: .11), and its process',
    host: 'cp-1',
    breakIt: `cp -p ${MANIFEST} /root/; sed "s|\\(--etcd-servers=.*\\)[.]100:2379|\\1.11:2379|" /root/kube-apiserver.yaml > /root/new.yaml; cat /root/new.yaml > ${MANIFEST}`,
    mend: `cat /root/kube-apiserver.yaml > ${MANIFEST}`,
    red: [`fail apiserver-manifest cp-1 ${MANIFEST}`, 'fail apiserver-process cp-1 -'],
  },
  {
    what: 'no apiserver',
    host: 'cp-2',
    breakIt: `mv ${MANIFEST} /root/kube-apiserver.yaml`,
    mend: `mv /root/kube-apiserver.yaml ${MANIFEST}`,
    red: [`fail apiserver-manifest cp-2 ${MANIFEST}`, 'fail apiserver-process cp-2 -', 'fail apiserver-ready cp-2 -'],
  },
  {
    what: 'haproxy.cfg edited by hand',
    host: 'etcd-1',
    breakIt: 'cp -p /etc/haproxy/haproxy.cfg /root/; echo "# by hand" >> /etc/haproxy/haproxy.cfg',
    mend: 'cp -p /root/haproxy.cfg /etc/haproxy/haproxy.cfg; systemctl reload haproxy',
    red: ['warn drift etcd-1 -'],
  },
];

describeOnLab('verify', 'verify', { etcd: 3, controlPlanes: 2 }, (lab) => {
  beforeAll(async () => {
    const applied = await runVerb(lab, 'apply');
    if (applied.status !== 0) throw new Error(endOf(applied));
  });

  /** Waits until a health check shows these items, or nothing but ok. */
  async function until(shows: (found: readonly string[]) => boolean, what: string): Promise<CheckUp> {
    let last: CheckUp | undefined;
    const isShown = await waitUntil(
      async () => {
        last = await verify(lab);
        return shows(notOk(last));
      },
      PATIENCE_MS,
      500,
    );
    const rest = last?.items.filter(({ verdict }) => verdict !== 'ok');
    if (last === undefined || !isShown) throw new Error(`not ${what}: ${JSON.stringify(rest, null, 1)}`);
    return last;
  }

  test('a healthy cluster is all ok', async () => {
    const healthy = await until((found) => found.length === 0, 'all ok');
    expect(healthy.status).toBe(0);
    expect(healthy.items.length).toBeGreaterThan(60);
  });

  test.each(partOf(BREAKAGES, BREAKAGES_A_RUN))('finds $what', async ({ host, breakIt, mend, red }) => {
    try {
      await must(lab, host, breakIt);
      const broken = await until((found) => red.every((item) => found.includes(item)), 'broken');
      expect(broken.status).toBe(red.some((item) => item.startsWith('fail')) ? 1 : 0);
      expect(broken.items.filter(({ verdict, next }) => verdict !== 'ok' && next === undefined)).toEqual([]);
    } finally {
      await must(lab, host, mend);
    }
    await until((found) => found.length === 0, 'repaired');
  });

  test('finds the virtual IP on two hosts', async () => {
    const [, vip = ''] = /etcd_lb_ip: (\S+)/.exec(await readFile(lab.files.inventory, 'utf8')) ?? [];
    const holders = await holdersOf(lab, MEMBERS, vip);
    const other = MEMBERS.find((host) => !holders.includes(host)) ?? '';
    await must(lab, other, `ip address add ${vip}/32 dev lo`);
    try {
      await until((found) => found.includes(`fail virtual-ip - ${vip}`), 'two holders');
    } finally {
      await must(lab, other, `ip address delete ${vip}/32 dev lo`);
    }
    await until((found) => found.length === 0, 'repaired');
  });

  test('measures how fast etcd answers, by each way, where a client has curl', async () => {
    const latency = async (): Promise<{ readonly latency: Latency | null; readonly items: readonly CheckItem[] }> => {
      const ended = await lab.provision('verify', lab.files.inventory, '--latency', '--format', 'json');
      return JSON.parse(ended.stdout) as { latency: Latency | null; items: readonly CheckItem[] };
    };
    const without = await latency();
    expect(without.latency).toBeNull();
    const item = without.items.find(({ check }) => check === 'latency');
    expect(item).toMatchObject({ verdict: 'warn', next: 'ssh cp-1 sudo apt-get install curl' });
    // What it says to type.
    await must(lab, 'cp-1', `apt-get -q update; DEBIAN_FRONTEND=noninteractive apt-get -qy install curl`);
    const shown = await lab.provision('verify', lab.files.inventory, '--latency');
    console.log(shown.stdout.slice(shown.stdout.indexOf('way to etcd')));
    expect(shown.stdout).toMatch(/^virtual IP \S+:2379( +\d+\.\d\d ms){4}$/m);
    expect(shown.stdout).toMatch(/^virtual IP of etcd +\S+:2379: held by etcd-\d$/m);
    const { host, ways } = (await latency()).latency ?? { host: '', ways: [] };
    expect(host).toBe('cp-1');
    expect(ways.map(({ way, problem }) => [way, problem])).toEqual(
      ['virtual IP', ...MEMBERS].map((way) => [way, undefined]),
    );
    for (const { reads, connections } of ways) {
      expect(reads?.p50Ms).toBeGreaterThan(0);
      expect(connections?.p50Ms).toBeGreaterThan(0);
      expect(reads?.p99Ms).toBeGreaterThanOrEqual(reads?.p50Ms ?? 0);
    }
    await must(lab, 'cp-1', 'DEBIAN_FRONTEND=noninteractive apt-get -qy remove curl');
  });

  test('a host that cannot be reached does not hide the others', async () => {
    const host = await lab.host('etcd-2');
    await cutNetwork(host);
    const found = await verify(lab).finally(async () => restoreNetwork(host));
    expect(notOk(found)).toContain('fail host etcd-2 -');
    expect(found.items).toContainEqual(
      expect.objectContaining({ check: 'etcd-member', host: 'etcd-1', verdict: 'ok' }),
    );
    expect(found.items).toContainEqual(
      expect.objectContaining({ check: 'apiserver-manifest', host: 'cp-1', verdict: 'ok' }),
    );
    await until((all) => all.length === 0, 'repaired');
  });
});
