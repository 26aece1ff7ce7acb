import { beforeAll, describe, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import { describeOnLab } from '../support/lab.js';
import {
  endOf,
  etcdctl,
  holdersOf,
  inventoryWith,
  longestGap,
  passphraseFile,
  plannedChanges,
  runVerb,
  vipOf,
  writer,
  type JsonRun,
} from '../support/main-job.js';
import { ownWays, startWriters, tell } from '../support/writers.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'] as const;

const SITE = `
server {
    listen 8081;
    location / { return 200 "another site"; }
}
`;

describeOnLab('nginx in place of HAProxy', 'nginx', { etcd: 3 }, (lab) => {
  let vip: string;
  let nginx: string;
  let applied: JsonRun;

  const site = async (): Promise<string> =>
    (await lab.ssh('etcd-1', 'curl -s http://127.0.0.1:8081/; systemctl show -P MainPID nginx')).stdout;
  const units = async (names: string): Promise<string> =>
    (await lab.ssh('etcd-2', `systemctl is-active ${names} | tr '\\n' ' '`)).stdout.trim();

  beforeAll(async () => {
    vip = await vipOf(lab);
    nginx = await inventoryWith(lab, 'nginx', ['etcd_lb_proxy: nginx']);
    const made = await lab.ssh(
      'etcd-1',
      `apt-get -q update; DEBIAN_FRONTEND=noninteractive apt-get -qy install nginx curl && rm -f /etc/nginx/sites-enabled/default && cat >/etc/nginx/sites-enabled/other <<'END'\n${SITE}END\nsystemctl restart nginx`,
    );
    if (made.status !== 0) throw new Error(endOf(made));
    const before = await site();
    applied = await runVerb(lab, 'apply', nginx);
    if (applied.status !== 0) throw new Error(endOf(applied));
    expect(await site()).toBe(before);
  });

  /** Whatever the tests before have left; nothing is changed where nginx is in place. */
  async function putNginxInPlace(): Promise<void> {
    const run = await runVerb(lab, 'apply', nginx);
    expect(run.status === 0 ? '' : endOf(run)).toBe('');
  }

  /** The units that mark themselves as down when they end: as systemd has them, and none is marked. */
  async function marked(): Promise<string> {
    const script = `for unit in haproxy provision-etcd-nginx; do systemctl show -p DropInPaths $unit | grep -q provision-down && echo $unit; done; ls /run/provision-down.* 2>/dev/null`;
    return (await lab.ssh('etcd-1', script)).stdout.trim();
  }

  test('says what is weaker, and leaves another site alone', async () => {
    await putNginxInPlace();
    expect(applied.stdout).toContain('not at all one that hangs or has lost its quorum');
    expect(await site()).toMatch(/^another site\d+\n$/);
    expect(await units('nginx')).toBe('inactive');
  });

  test('is verified, and a second plan is empty', async () => {
    await putNginxInPlace();
    const health = await lab.ssh('etcd-3', etcdctl(`https://${vip}:2379`, 'endpoint health'));
    expect(health.status).toBe(0);
    expect(plannedChanges(await runVerb(lab, 'plan', nginx))).toEqual([]);
    const verified = await lab.provision('verify', nginx);
    expect(verified.status === 0 ? '' : endOf(verified)).toBe('');
  });

  test('a member that is down is seen by the gate, though nginx itself looks at none', async () => {
    await putNginxInPlace();
    await lab.ssh('etcd-3', 'systemctl stop etcd');
    const verified = await lab.provision('verify', nginx);
    await lab.ssh('etcd-3', 'systemctl start etcd');
    expect(verified.stdout).toMatch(/nginx on etcd-\d would find etcd-3 down/);
  });

  test('fails over in a drill', async () => {
    await putNginxInPlace();
    const drill = await lab.provision('drill', nginx, '--yes');
    expect(drill.status === 0 ? '' : endOf(drill)).toBe('');
    expect(await holdersOf(lab, MEMBERS, vip)).toHaveLength(1);
  });

  test('HAProxy ends TLS, and passes it through again, on the live cluster: no write fails', async () => {
    const passes = await inventoryWith(lab, 'passes', []);
    const ends = await inventoryWith(lab, 'ends', ['etcd_lb_mode: terminate']);
    const begun = await runVerb(lab, 'apply', passes);
    expect(begun.status === 0 ? '' : endOf(begun)).toBe('');
    const ways = await ownWays(lab, [11, 12, 13], []);
    const writers = await startWriters(lab, 'ends', ways);
    const planned = await runVerb(lab, 'plan', ends);
    const there = await runVerb(lab, 'apply', ends);
    const again = await runVerb(lab, 'plan', ends);
    const verified = await lab.provision('verify', ends);
    const listed = await lab.provision('certs', 'list', ends);
    const serials = `for f in server proxy; do openssl x509 -noout -serial -in /etc/haproxy/etcd-$f.pem; done; echo | openssl s_client -connect ${vip}:2379 2>/dev/null | openssl x509 -noout -serial`;
    const read = async (): Promise<readonly string[]> =>
      Promise.all(MEMBERS.map(async (host) => (await lab.ssh(host, serials)).stdout));
    const old = await read();
    const acting = ['--yes', '--passphrase-file', await passphraseFile(lab)];
    const renewed = await lab.provision('certs', 'renew', ends, 'haproxy-server', 'haproxy-client', ...acting);
    const fresh = await read();
    // A client of HTTP/1.1, one of HTTP/2, and one that shows nothing.
    const ask = (words: string): string =>
      `curl -sS -m 10 --cacert /etc/etcd/pki/ca.crt ${words} https://${vip}:2379/health 2>&1`;
    const own = '--cert /etc/etcd/pki/client.crt --key /etc/etcd/pki/client.key';
    const shown = await lab.ssh('etcd-1', `${ask(`--http1.1 ${own}`)}; ${ask(`--http2 ${own}`)}; ${ask('')}`);
    const issuedFor = `echo | openssl s_client -connect ${vip}:2379 2>/dev/null | openssl x509 -noout -subject`;
    const subject = (await lab.ssh('etcd-3', issuedFor)).stdout;
    const health = await lab.ssh('etcd-3', etcdctl(`https://${vip}:2379`, 'endpoint health'));
    // All clients would be one user: with RBAC that is refused.
    const users = (words: string): string => etcdctl('https://127.0.0.1:2379', words);
    const back = await runVerb(lab, 'apply', passes);
    const done = await writers.stop();
    await lab.ssh(
      'etcd-1',
      `${users('user add root:secret')}; ${users('user grant-role root root')}; ${users('auth enable')}`,
    );
    const refused = await runVerb(lab, 'plan', ends);
    await lab.ssh('etcd-1', users('--user root:secret auth disable'));
    console.log(['TLS ended, and passed through again:', ...done.map(tell)].join('\n  '));
    expect(planned.stdout).toContain('members see all clients of the load balancer as one');
    expect(there.status === 0 ? '' : endOf(there)).toBe('');
    expect(plannedChanges(again)).toEqual([]);
    expect(verified.status === 0 ? '' : endOf(verified)).toBe('');
    expect(listed.stdout).toMatch(/haproxy-server[\s\S]*haproxy-client|haproxy-client[\s\S]*haproxy-server/);
    expect(subject).toContain(`etcd.${lab.name}.example`);
    // Both certificates of each host, and what is served through the address.
    expect(renewed.status === 0 ? '' : endOf(renewed)).toBe('');
    for (const [index, before] of old.entries()) {
      const [was, is] = [before, fresh[index] ?? ''].map((text) => text.trim().split('\n'));
      expect([was?.length, is?.length, is?.filter((serial) => was?.includes(serial))]).toEqual([3, 3, []]);
      // The new one of the holder, wherever it is asked.
      expect(new Set(fresh.map((text) => text.trim().split('\n')[2])).size).toBe(1);
    }
    // How curl words that it was refused depends on what it was doing just then.
    expect(shown.stdout).toMatch(/^\{"health":"true"[^}]*\}\{"health":"true"[^}]*\}curl: \(\d+\)/);
    expect(health.status).toBe(0);
    expect(back.status === 0 ? '' : endOf(back)).toBe('');
    expect(done.flatMap(({ failed }) => failed)).toEqual([]);
    expect(refused.status).toBe(EXIT.unsafe);
    expect(refused.stdout).toContain('auth is enabled');
  });

  describe('and back, and again, on the live cluster', () => {
    test.each([
      ['to HAProxy', 'haproxy', 'haproxy provision-etcd-nginx', 'active inactive'],
      ['to nginx', 'nginx', 'haproxy provision-etcd-nginx', 'inactive active'],
    ])('%s: a writer goes on, and nothing is left to do', async (_, proxy, names, states) => {
      const inventory = await inventoryWith(lab, `switched-${proxy}`, [`etcd_lb_proxy: ${proxy}`]);
      // From the other side, whatever the tests before have left.
      const other = proxy === 'nginx' ? 'haproxy' : 'nginx';
      const from = await inventoryWith(lab, `switched-from-${other}`, [`etcd_lb_proxy: ${other}`]);
      const begun = await runVerb(lab, 'apply', from);
      expect(begun.status === 0 ? '' : endOf(begun)).toBe('');
      const writing = lab.ssh('etcd-3', `rm -f /tmp/${proxy}.stop; ${writer(vip, proxy)}`);
      const run = await runVerb(lab, 'apply', inventory);
      await lab.ssh('etcd-3', `touch /tmp/${proxy}.stop`);
      const gap = longestGap((await writing).stdout);
      console.log(`switched to ${proxy}: the longest pause of a writer was ${gap.toFixed(1)} s`);
      expect(run.status === 0 ? '' : endOf(run)).toBe('');
      // That it goes on: it runs beside other labs, and how long it waits is measured by main-job.
      expect(gap).toBeLessThan(60);
      expect(await units(names)).toBe(states);
      expect(await marked()).toBe(proxy === 'nginx' ? 'provision-etcd-nginx' : 'haproxy');
      expect(await holdersOf(lab, MEMBERS, vip)).toHaveLength(1);
      expect(plannedChanges(await runVerb(lab, 'plan', inventory))).toEqual([]);
    });
  });
});
