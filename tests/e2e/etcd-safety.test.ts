import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import { waitUntil } from '../../src/lab/process.js';
import { plainContent } from '../../src/model/content.js';
import { quote } from '../../src/shell/quote.js';
import { tryFirewall } from '../../src/shell/firewall.js';
import { describeOnLab } from '../support/lab.js';
import {
  endOf,
  etcdctl,
  holdersOf,
  inventoryWith,
  longestGap,
  performedChanges,
  plannedChanges,
  runVerb,
  vipOf,
  type JsonRun,
} from '../support/main-job.js';
import { prometheusProgram } from '../support/promtool.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'] as const;
const DATA = '/var/lib/etcd/default';

/** Puts a new key over and over until told to stop; prints the time of each acknowledged one, and keeps its name. */
function numberedWriter(endpoints: string, name: string): string {
  const put = etcdctl(endpoints, `--dial-timeout=1s --command-timeout=2s put ${name}/$n $n`);
  const done = `echo ${name}/$n >>/tmp/${name}.acknowledged; date +%s.%N`;
  return `n=0; while [ ! -e /tmp/${name}.stop ]; do n=$((n + 1)); ${put} >/dev/null 2>&1 && { ${done}; }; done`;
}

/** What Prometheus answers about alerts. */
interface AlertsAnswer {
  readonly data?: {
    readonly alerts: readonly { readonly state: string; readonly labels: Readonly<Record<string, string>> }[];
  };
}

/** A mail server that appends what it is given to a file. */
const SINK = `const { appendFileSync } = require('node:fs');
require('node:net').createServer((socket) => {
  let [isData, rest] = [false, ''];
  const answer = (line) => {
    if (isData) { appendFileSync(process.argv[1], line + '\\n'); if (line === '.') { isData = false; socket.write('250 ok\\r\\n'); } }
    else if (line === 'STOP') process.exit(0);
    else if (/^DATA/i.test(line)) { isData = true; socket.write('354 go on\\r\\n'); }
    else if (/^QUIT/i.test(line)) socket.end('221 bye\\r\\n');
    else socket.write('250 ok\\r\\n');
  };
  socket.write('220 sink\\r\\n');
  socket.on('error', () => undefined);
  socket.on('data', (bytes) => {
    const lines = (rest + bytes).split('\\r\\n');
    rest = lines.pop();
    lines.forEach(answer);
  });
}).listen(2525);`;

describeOnLab('etcd is never harmed', 'safety', { etcd: 3 }, (lab) => {
  let vip: string;
  let direct: string;
  let stranger: JsonRun;
  let otherSystem: JsonRun;
  let applied: JsonRun;

  async function isHealthy(): Promise<boolean> {
    return (await lab.ssh('etcd-1', etcdctl(`https://${vip}:2379`, 'endpoint health --cluster'))).status === 0;
  }

  async function processOf(unit: string): Promise<readonly string[]> {
    const found = await Promise.all(MEMBERS.map(async (host) => lab.ssh(host, `systemctl show -P MainPID ${unit}`)));
    return found.map(({ stdout }) => stdout.trim());
  }

  async function leader(): Promise<string | undefined> {
    const status = etcdctl('https://127.0.0.1:2379', 'endpoint status -w simple');
    const found = await Promise.all(MEMBERS.map(async (host) => lab.ssh(host, status)));
    return MEMBERS[found.findIndex(({ stdout }) => stdout.split(', ')[4] === 'true')];
  }

  beforeAll(async () => {
    vip = await vipOf(lab);
    direct = MEMBERS.map((_, index) => `https://${vip.replace(/\d+$/, String(11 + index))}:2379`).join(',');
    const device = await lab.onControlSide(['sh', '-c', `ip -o route get ${vip} | sed 's/.* dev \\([^ ]*\\) .*/\\1/'`]);
    const address = [`${vip}/24`, 'dev', device.stdout.trim()];
    await lab.onControlSide(['ip', 'address', 'add', ...address]);
    // What a host remembers of an earlier look must not hide the stranger.
    const link = await lab.onControlSide(['cat', `/sys/class/net/${device.stdout.trim()}/address`]);
    const remember = `ip neigh replace ${vip} lladdr ${link.stdout.trim()} dev host0 nud stale`;
    await Promise.all(MEMBERS.map(async (host) => lab.ssh(host, remember)));
    stranger = await runVerb(lab, 'plan');
    await lab.onControlSide(['ip', 'address', 'del', ...address]);
    await lab.ssh(
      'etcd-3',
      'rm /etc/os-release && printf "ID=ubuntu\\nID_LIKE=debian\\nPRETTY_NAME=Ubuntu\\n" >/etc/os-release',
    );
    otherSystem = await runVerb(lab, 'plan');
    await lab.ssh('etcd-3', 'ln -sf ../usr/lib/os-release /etc/os-release');
    // Installed by hand, and started by their package alone: one without etcdctl, one with it.
    const install = (names: string): string =>
      `apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy install ${names} && systemctl is-active etcd`;
    const installed = await Promise.all([
      lab.ssh('etcd-1', install('etcd-server')),
      lab.ssh('etcd-2', install('etcd-server etcd-client')),
    ]);
    expect(installed.map(({ stdout }) => stdout.trim().split('\n').at(-1))).toEqual(['active', 'active']);
    const begun = Date.now();
    applied = await runVerb(lab, 'apply');
    if (applied.status !== 0) throw new Error(endOf(applied));
    console.log(`etcd and its load balancer on three hosts: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  });

  test('a stranger that holds the virtual IP is refused while planning', () => {
    expect(stranger.status).toBe(EXIT.unsafe);
    expect(stranger.stdout).toContain(`the virtual IP ${vip} is in use`);
    expect(stranger.events.filter(({ type }) => type === 'planned')).toEqual([]);
  });

  test('a host with a system that roles were not tried on is refused while planning, by name', () => {
    expect(otherSystem.status).toBe(EXIT.failed);
    const failures = otherSystem.events.flatMap((event) => (event.type === 'run-failed' ? event.failures : []));
    expect(new Set(failures.map(({ host, code }) => `${host ?? ''} ${code}`))).toEqual(
      new Set(['etcd-3 system-unsupported']),
    );
    expect(otherSystem.events.filter(({ type }) => type === 'planned')).toEqual([]);
  });

  test("the package's own lone member is recognised, and its data moved aside", async () => {
    const moved = performedChanges(applied).filter((line) => line.includes('etcd-leftover'));
    expect(moved.map((line) => line.split(' / ')[1]).sort()).toEqual(['etcd-1', 'etcd-2']);
    const kept = await lab.ssh('etcd-1', `ls -d ${DATA}.untouched-*/member`);
    expect(kept.status).toBe(0);
    const members = await lab.ssh('etcd-1', etcdctl(direct, 'member list'));
    expect(members.stdout.trim().split('\n')).toHaveLength(3);
  });

  test('a rolling change restarts one member at a time, the leader last, and no acknowledged write is lost', async () => {
    const inventory = await inventoryWith(lab, 'rolling', ['etcd_snapshot_count: 50000']);
    const before = await processOf('etcd');
    const lastOne = await leader();
    const names = ['through-vip', 'direct'] as const;
    const writing = [
      lab.ssh('etcd-1', numberedWriter(`https://${vip}:2379`, names[0])),
      lab.ssh('etcd-2', numberedWriter(direct, names[1])),
    ];
    const rolled = await runVerb(lab, 'apply', inventory);
    const counting = 'wc -l </tmp/direct.acknowledged';
    const after = Number((await lab.ssh('etcd-2', counting)).stdout);
    expect(await waitUntil(async () => Number((await lab.ssh('etcd-2', counting)).stdout) > after, 120_000, 100)).toBe(
      true,
    );
    await Promise.all([lab.ssh('etcd-1', 'touch /tmp/through-vip.stop'), lab.ssh('etcd-2', 'touch /tmp/direct.stop')]);
    const written = await Promise.all(writing);
    expect(endOf(rolled)).toMatch(/^status 0/);
    const restarted = performedChanges(rolled).filter((line) => line.includes('etcd-member:'));
    expect(restarted).toHaveLength(3);
    expect(restarted.at(-1)).toContain(`/ ${lastOne ?? 'no leader'} /`);
    const batches = rolled.events.flatMap((event) => (event.type === 'batch-started' ? [event.hosts.length] : []));
    expect(batches).toEqual([1, 1, 1]);
    expect((await processOf('etcd')).filter((pid) => before.includes(pid))).toEqual([]);
    for (const [index, name] of names.entries()) {
      const host = index === 0 ? 'etcd-1' : 'etcd-2';
      const acknowledged = (await lab.ssh(host, `cat /tmp/${name}.acknowledged`)).stdout.trim().split('\n');
      const present = (await lab.ssh('etcd-3', etcdctl(direct, `get ${name}/ --prefix --keys-only`))).stdout.split(
        '\n',
      );
      const gap = longestGap(written[index]?.stdout ?? '');
      console.log(`rolling restart, ${name}: ${acknowledged.length} writes, longest gap ${gap.toFixed(1)} s`);
      expect(acknowledged.length).toBeGreaterThan(20);
      expect(acknowledged.filter((key) => !present.includes(key))).toEqual([]);
      expect(gap).toBeLessThan(10);
    }
  });

  test('while a member is down no other is restarted; the whole apply starts it first, and then goes on', async () => {
    const inventory = await inventoryWith(lab, 'down', ['etcd_snapshot_count: 60000']);
    await lab.ssh('etcd-1', 'systemctl stop etcd');
    const before = await processOf('etcd');
    const refused = await runVerb(lab, 'apply', inventory, '--limit', 'etcd-2', '-p', 'etcd', '--gate-timeout', '3');
    expect(refused.status).toBe(1);
    expect(refused.stdout).toMatch(/gate etcd-can-spare-batch did not open within [3-9] s: .*etcd-1 does not answer/);
    expect(performedChanges(refused)).toEqual([]);
    expect(await processOf('etcd')).toEqual(before);
    const healed = await runVerb(lab, 'apply', inventory, '-p', 'etcd');
    expect(endOf(healed)).toMatch(/^status 0/);
    const started = performedChanges(healed).filter((line) => line.includes('etcd-member:'));
    expect(started[0]).toContain('etcd-1');
    expect(started).toHaveLength(3);
    expect(await isHealthy()).toBe(true);
  });

  test('a lost data directory is refused while planning, not bootstrapped again', async () => {
    await lab.ssh('etcd-3', `systemctl stop etcd && mv ${DATA}/member /root/member`);
    for (const verb of ['plan', 'apply'] as const) {
      const refused = await runVerb(lab, verb, '-p', 'etcd');
      expect(refused.status).toBe(EXIT.unsafe);
      expect(refused.stdout).toContain(`etcd-3 has no etcd data in ${DATA}`);
      expect(refused.events.filter(({ type }) => type === 'change-started')).toEqual([]);
    }
    expect((await lab.ssh('etcd-3', `ls ${DATA}; systemctl is-active etcd`)).stdout).toBe('inactive\n');
    await lab.ssh('etcd-3', `mv /root/member ${DATA}/member && systemctl start etcd`);
    expect(await waitUntil(isHealthy, 60_000, 500)).toBe(true);
  });

  test('an invalid HAProxy configuration never lands, and HAProxy goes on serving', async () => {
    const block = ['haproxy_extra_config: |', '  frontend planted', '    no-such-keyword'];
    const inventory = await inventoryWith(lab, 'invalid', block);
    const look = async (): Promise<readonly string[]> =>
      Promise.all(
        MEMBERS.map(async (host) => (await lab.ssh(host, 'ls -lA --time-style=full-iso /etc/haproxy')).stdout),
      );
    const [files, processes] = [await look(), await processOf('haproxy')];
    const refused = await runVerb(lab, 'apply', inventory, '-p', 'etcd-lb');
    expect(plannedChanges(refused).filter((line) => line.includes('file:/etc/haproxy/haproxy.cfg'))).toHaveLength(3);
    expect(refused.status).toBe(1);
    expect(refused.stdout).toMatch(/etcd-\d: write \/etc\/haproxy\/haproxy\.cfg/);
    expect(refused.stdout).toContain("unknown keyword 'no-such-keyword'");
    expect(performedChanges(refused)).toEqual([]);
    expect([await look(), await processOf('haproxy')]).toEqual([files, processes]);
    expect(await isHealthy()).toBe(true);
  });

  test('Prometheus asks members, HAProxy and hosts: one member stopped is one alert; keepalived sends a mail', async () => {
    const own = await lab.onControlSide(['sh', '-c', `ip -o route get ${vip} | sed 's/.* src \\([^ ]*\\).*/\\1/'`]);
    const watched = await inventoryWith(lab, 'watched', [
      'etcd_metrics_port: 2381',
      'haproxy_metrics_port: 8405',
      'etcd_host_metrics_port: 9380',
      'keepalived_mail_to: [ops@example.com]',
      `keepalived_smtp_server: ${own.stdout.trim()}`,
      'keepalived_smtp_port: 2525',
    ]);
    const directory = temporaryDirectory('watched');
    const [rules, targets, mails] = ['rules.yaml', 'targets.yaml', 'mails'].map((name) => join(directory, name));
    const sink = lab.onControlSide(['timeout', '600', process.execPath, '-e', SINK, mails ?? '']);
    const applied = await runVerb(lab, 'apply', watched);
    expect(applied.status === 0 ? '' : endOf(applied)).toBe('');
    expect(plannedChanges(await runVerb(lab, 'plan', watched))).toEqual([]);
    const written = await lab.provision('alerts', watched, '-o', rules ?? '', '--targets', targets ?? '');
    expect(written.status === 0 ? '' : endOf(written)).toBe('');
    // The rules as they are, but for the time that those that a test waits for would wait.
    const quick = readFileSync(rules ?? '', 'utf8')
      .replaceAll('for: "1m"', 'for: "5s"')
      .replaceAll(/(alert: "?EtcdCertificate(?:Expires|Ends)"?\n(?:.*\n)*?.*for: )"\w+"/g, '$1"5s"');
    expect(quick.match(/for: "5s"/g)?.length).toBeGreaterThan(6);
    writeFileSync(rules ?? '', quick);
    const config = join(directory, 'prometheus.yml');
    const times = 'global: { scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 1s }';
    const scrape = `scrape_configs: [{ job_name: etcd, file_sd_configs: [{ files: [${targets ?? ''}] }] }]`;
    writeFileSync(config, [times, `rule_files: [${rules ?? ''}]`, scrape, ''].join('\n'));
    const at = '127.0.0.1:9090';
    const server = lab.onControlSide([
      ...['timeout', '600', prometheusProgram('prometheus'), `--config.file=${config}`, '--web.enable-lifecycle'],
      ...[`--storage.tsdb.path=${directory}/data`, `--web.listen-address=${at}`, '--log.level=error'],
    ]);
    const ask = async (path: string): Promise<string> =>
      (await lab.onControlSide(['curl', '-sS', '-m', '10', `http://${at}${path}`])).stdout;
    const firing = async (): Promise<readonly string[]> => {
      const answer = JSON.parse((await ask('/api/v1/alerts')) || '{}') as AlertsAnswer;
      return (answer.data?.alerts ?? []).flatMap(({ labels, state }) =>
        state === 'firing' ? [`${labels['alertname'] ?? ''} ${labels['host'] ?? ''}`] : [],
      );
    };
    const countOf = async (query: string): Promise<string> => ask(`/api/v1/query?query=${encodeURIComponent(query)}`);

    const areUp = async (): Promise<boolean> => (await countOf('count(up == 1)')).includes('"9"');
    expect(await waitUntil(areUp, 120_000, 500)).toBe(true);
    expect(await countOf('sum(provision_virtual_ip_held)')).toContain('"1"');
    expect(await waitUntil(async () => (await firing()).length === 0, 120_000, 500)).toBe(true);

    const lead = await leader();
    const follower = MEMBERS.find((host) => host !== lead) ?? 'etcd-1';
    await lab.ssh(follower, 'systemctl stop etcd');
    const isTold = async (): Promise<boolean> => (await firing()).includes(`EtcdMemberDown ${follower}`);
    expect(await waitUntil(isTold, 120_000, 500)).toBe(true);
    const isSeen = async (): Promise<boolean> => (await countOf('sum(haproxy_backend_active_servers)')).includes('"6"');
    expect(await waitUntil(isSeen, 120_000, 500)).toBe(true);
    expect(await firing()).toEqual([`EtcdMemberDown ${follower}`]);
    await lab.ssh(follower, 'systemctl start etcd');
    expect(await waitUntil(async () => (await firing()).length === 0, 120_000, 500)).toBe(true);

    /** Breaks something, waits for these alerts and no others, and repairs it. */
    async function raises(expected: readonly string[], host: string, wrong: string, right: string): Promise<void> {
      expect((await lab.ssh(host, wrong)).status).toBe(0);
      const isRaised = async (): Promise<boolean> => (await firing()).toSorted().join() === expected.join();
      const raised = await waitUntil(isRaised, 60_000, 500);
      expect(raised ? expected : await firing()).toEqual(expected);
      expect((await lab.ssh(host, right)).status).toBe(0);
      expect(await waitUntil(async () => (await firing()).length === 0, 60_000, 500)).toBe(true);
    }
    const [holder = ''] = await holdersOf(lab, MEMBERS, vip);
    const other = MEMBERS.find((host) => host !== holder) ?? 'etcd-1';
    const twice = (verb: string): string => `ip address ${verb} ${vip}/32 dev lo`;
    await raises(['EtcdVirtualIpHolders '], other, twice('add'), twice('del'));
    const client = '/etc/etcd/pki/client.crt';
    const ends = `cp -p ${client} /root/kept && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=x -days 2 2>/dev/null >/root/ends && cat /root/ends >${client}`;
    await raises(
      [`EtcdCertificateEnds ${follower}`, `EtcdCertificateExpires ${follower}`],
      ...([follower, ends, `cat /root/kept >${client}; rm /root/kept /root/ends`] as const),
    );

    // All at once: nobody holds it. The first that comes back does.
    const onAll = (verb: string): string => `systemctl ${verb} keepalived`;
    await Promise.all(MEMBERS.map(async (host) => lab.ssh(host, onAll('stop'))));
    const isNobody = async (): Promise<boolean> => (await firing()).join() === 'EtcdVirtualIpHolders ';
    expect(await waitUntil(isNobody, 60_000, 500)).toBe(true);
    await Promise.all(MEMBERS.map(async (host) => lab.ssh(host, onAll('start'))));
    expect(await waitUntil(async () => (await firing()).length === 0, 120_000, 500)).toBe(true);

    const [holds = ''] = await holdersOf(lab, MEMBERS, vip);
    writeFileSync(mails ?? '', '');
    await lab.ssh(holds, 'systemctl stop keepalived');
    const isMailed = async (): Promise<boolean> =>
      Promise.resolve(existsSync(mails ?? '') && /Subject: .*etcd.*MASTER/.test(readFileSync(mails ?? '', 'utf8')));
    expect(await waitUntil(isMailed, 120_000, 500)).toBe(true);
    await lab.ssh(holds, 'systemctl start keepalived');

    await lab.onControlSide(['curl', '-sS', '-X', 'POST', `http://${at}/-/quit`]);
    await lab.onControlSide(['bash', '-c', `printf 'STOP\\r\\n' >/dev/tcp/${own.stdout.trim()}/2525`]);
    await Promise.all([server, sink]);
    expect(await waitUntil(isHealthy, 120_000, 500)).toBe(true);
    const back = await runVerb(lab, 'apply', await inventoryWith(lab, 'unwatched', []));
    expect(back.status === 0 ? '' : endOf(back)).toBe('');
    const left = await lab.ssh(
      'etcd-1',
      'ls /etc/systemd/system/provision-etcd-metrics* /usr/local/lib/provision/host-metrics; ss -Hltn',
    );
    expect(left.stdout).not.toMatch(/provision-etcd-metrics|host-metrics|:2381|:8405|:9380/);
  });

  describe('a firewall', () => {
    const KEPT = '/etc/provision-etcd-firewall.nft';
    const listed = async (host: string): Promise<string> =>
      (await lab.ssh(host, 'nft -s list table inet provision_etcd 2>&1')).stdout;

    /** From a machine that has no part in the cluster. */
    async function isOpenOutside(address: string, port: number): Promise<boolean> {
      const open = await lab.onControlSide(['timeout', '5', 'bash', '-c', `</dev/tcp/${address}/${port}`]);
      return open.status === 0;
    }

    const openOutside = async (): Promise<readonly boolean[]> => {
      const member = vip.replace(/\d+$/, '12');
      return Promise.all([isOpenOutside(vip, 2379), isOpenOutside(member, 2379), isOpenOutside(member, 2380)]);
    };

    test('lets in the cluster and nobody else, heals by itself, and goes with its variable', async () => {
      const guarded = await inventoryWith(lab, 'guarded', ['etcd_firewall: true']);
      const wider = await inventoryWith(lab, 'wider', [
        'etcd_firewall: true',
        'etcd_firewall_allow: [198.51.100.0/24]',
      ]);
      const bare = await inventoryWith(lab, 'bare', []);
      // Whatever the tests before have left.
      expect(endOf(await runVerb(lab, 'apply', bare))).toMatch(/^status 0/);
      expect(await openOutside()).toEqual([true, true, true]);

      const set = await runVerb(lab, 'apply', guarded, '-p', 'firewall');
      expect(endOf(set)).toMatch(/^status 0/);
      expect(await openOutside()).toEqual([false, false, false]);
      expect(await isHealthy()).toBe(true);
      expect(plannedChanges(await runVerb(lab, 'plan', guarded))).toEqual([]);
      const verified = await lab.provision('verify', guarded);
      expect(verified.status === 0 ? '' : endOf(verified)).toBe('');

      // A wrong rule, by someone who is gone by now: the host takes it back. Meanwhile, what others do to other hosts.
      const right = await listed('etcd-3');
      const wrong = (await lab.ssh('etcd-3', `cat ${KEPT}`)).stdout.replaceAll(/elements = .*/g, '');
      const trial = tryFirewall(plainContent(wrong), { ports: [], keepalived: [] }).script;
      const tried = await lab.ssh(
        'etcd-3',
        `echo ${Buffer.from(wrong).toString('base64')} | base64 -d | sh -c ${quote(trial)}`,
      );
      expect(tried.status === 0 ? '' : endOf(tried)).toBe('');
      expect(await listed('etcd-3')).not.toBe(right);

      const change = `nft add table ip others && nft add element inet provision_etcd clients4 '{ 192.0.2.66 }'`;
      expect((await lab.ssh('etcd-2', change)).status).toBe(0);
      const found = await lab.provision('verify', guarded);
      expect(found.status).toBe(1);
      expect(found.stdout).toMatch(/firewall.*etcd-2.*changed by hand: .*192\.0\.2\.66/);
      expect(found.stdout).toMatch(/firewall.*etcd-3.*takes them back/);
      const isBack = async (): Promise<boolean> => (await listed('etcd-3')) === right;
      expect(await waitUntil(isBack, 120_000, 500)).toBe(true);
      expect(await waitUntil(isHealthy, 120_000, 500)).toBe(true);
      const healed = await runVerb(lab, 'apply', guarded, '-p', 'firewall', '--limit', 'etcd-2');
      expect(endOf(healed)).toMatch(/^status 0/);
      expect(await listed('etcd-2')).not.toContain('192.0.2.66');
      expect((await lab.ssh('etcd-2', 'nft list table ip others')).status).toBe(0);

      // New rules that the cluster does not get through, for others keep a member out: they are taken back.
      const block = `printf 'table ip others {\\nchain input {\\ntype filter hook input priority 0;\\nip saddr ${vip.replace(/\d+$/, '13')} tcp dport 2380 drop\\n}\\n}\\n' | nft -f -`;
      expect((await lab.ssh('etcd-1', block)).status).toBe(0);
      const refused = await runVerb(lab, 'apply', wider, '-p', 'firewall', '--limit', 'etcd-1', '--gate-timeout', '2');
      expect((await lab.ssh('etcd-1', 'nft delete table ip others')).status).toBe(0);
      expect(refused.status).toBe(1);
      expect(refused.stdout).toContain("etcd-3 can't connect to etcd-1 on port 2380");
      expect(await listed('etcd-1')).not.toContain('198.51.100.0');
      expect((await lab.ssh('etcd-1', `cat ${KEPT}`)).stdout).not.toContain('198.51.100.0');

      // Of a member that is stopped, too: who would come in is let in, where nobody listens.
      await lab.ssh('etcd-3', 'systemctl stop etcd');
      const meanwhile = await runVerb(lab, 'apply', wider, '-p', 'firewall');
      expect(endOf(meanwhile)).toMatch(/^status 0/);
      expect(await listed('etcd-3')).toContain('198.51.100.0');
      await lab.ssh('etcd-3', 'systemctl start etcd');
      expect(await waitUntil(isHealthy, 60_000, 500)).toBe(true);

      // Adverts so rare that the usual proof would hear none.
      const rare = await inventoryWith(lab, 'rare', ['etcd_firewall: true', 'keepalived_advert_int: 16']);
      expect(endOf(await runVerb(lab, 'apply', rare))).toMatch(/^status 0/);
      expect(await listed('etcd-1')).not.toContain('198.51.100.0');
      expect(endOf(await runVerb(lab, 'apply', guarded))).toMatch(/^status 0/);

      // It is there after a reboot, with what was kept.
      const before = await listed('etcd-1');
      await lab.ssh('etcd-1', 'systemctl reboot --force');
      const isAgain = async (): Promise<boolean> => (await listed('etcd-1')) === before;
      expect(await waitUntil(isAgain, 120_000, 500)).toBe(true);
      expect(await waitUntil(isHealthy, 120_000, 500)).toBe(true);

      const gone = await runVerb(lab, 'apply', bare, '-p', 'firewall');
      expect(endOf(gone)).toMatch(/^status 0/);
      const left = await lab.ssh(
        'etcd-2',
        `nft list tables; ls ${KEPT} /etc/systemd/system/provision-etcd-firewall.service; true`,
      );
      expect(left.stdout).toBe('table ip others\n');
      expect(await openOutside()).toEqual([true, true, true]);
    });
  });
});
