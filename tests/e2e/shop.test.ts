import { beforeAll, describe, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import { waitUntil } from '../../src/lab/process.js';
import { describeOnLab } from '../support/lab.js';
import {
  endOf,
  etcdctl,
  holdersOf,
  inventoryWith,
  plannedChanges,
  runVerb,
  vipOf,
  type JsonRun,
} from '../support/main-job.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'] as const;
/** The hosts that serve something else already, by HAProxy and keepalived of their own. */
const SHOPS = ['etcd-1', 'etcd-2'] as const;

const SHOP_HAPROXY = `
global
    stats socket /run/haproxy/admin.sock mode 660 level admin
defaults
    mode http
    timeout connect 5s
    timeout client 50s
    timeout server 50s
frontend shop
    bind *:8080
    http-request return status 200 content-type text/plain string "shop is open"
`;

/** In the words of the usual guides. @param vip of the shop */
function shopKeepalived(vip: string, priority: number): string {
  return `
vrrp_instance SHOP {
    state BACKUP
    interface INTERFACE
    virtual_router_id 77
    priority ${priority}
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass sh0pp4ss
    }
    virtual_ipaddress {
        ${vip}/24
    }
}
`;
}

/** Asks the shop over and over until told to stop; prints the time of each answer, and every failure. */
function customer(vip: string): string {
  const ask = `curl -sf --max-time 1 http://${vip}:8080/`;
  return `rm -f /tmp/stop; while [ ! -e /tmp/stop ]; do ${ask} >/dev/null && echo ok || echo failed; sleep 0.05; done`;
}

describeOnLab('balancers that already serve a shop', 'shop', { etcd: 3 }, (lab) => {
  let vip: string;
  let shop: string;
  let before: string;
  let beside: string;

  const onShops = async (script: string): Promise<string> =>
    (await Promise.all(SHOPS.map(async (host) => (await lab.ssh(host, script)).stdout))).join('\n');
  const theirs = async (): Promise<string> =>
    onShops(
      'sha256sum /etc/haproxy/haproxy.cfg /etc/keepalived/keepalived.conf; systemctl show -P MainPID haproxy keepalived',
    );

  beforeAll(async () => {
    vip = await vipOf(lab);
    shop = vip.replace(/\d+$/, '77');
    beside = await inventoryWith(lab, 'beside', ['etcd_lb_own_instance: true']);
    await Promise.all(
      SHOPS.map(async (host, index) => {
        const install = 'DEBIAN_FRONTEND=noninteractive apt-get -qy install haproxy keepalived curl';
        const put = (path: string, text: string): string => `cat >${path} <<'END'\n${text}END\n`;
        const script = [
          `set -e; apt-get -q update; ${install}`,
          put('/etc/haproxy/haproxy.cfg', SHOP_HAPROXY),
          put('/etc/keepalived/keepalived.conf', shopKeepalived(shop, 150 - index)),
          `sed -i "s/INTERFACE/$(ip -o route get ${shop} | sed 's/.* dev \\([^ ]*\\) .*/\\1/')/" /etc/keepalived/keepalived.conf`,
          'systemctl restart haproxy keepalived || { journalctl --no-pager -o cat -n 30 -u keepalived -u haproxy >&2; exit 1; }',
        ].join('\n');
        const made = await lab.ssh(host, script);
        if (made.status !== 0) throw new Error(endOf(made));
      }),
    );
    await lab.ssh('etcd-3', 'apt-get -q update; DEBIAN_FRONTEND=noninteractive apt-get -qy install curl');
    await waitUntil(async () => (await lab.ssh('etcd-3', `curl -sf http://${shop}:8080/`)).status === 0, 120_000, 500);
    before = await theirs();
  });

  test('are refused with the ways to proceed, and left alone', async () => {
    const refused = await runVerb(lab, 'apply');
    expect(refused.status).toBe(EXIT.unsafe);
    expect(refused.stdout).toContain('/etc/haproxy/haproxy.cfg');
    expect(refused.stdout).toContain('etcd_lb_own_instance: true');
    expect(refused.stdout).toContain('was written neither by this program nor by its package');
    expect(await theirs()).toBe(before);
  });

  test('are given up only by name, and then the plan says that it is disruptive', async () => {
    const given = await inventoryWith(lab, 'given-up', [
      "provision_replace_files: ['/etc/haproxy/haproxy.cfg', '/etc/keepalived/keepalived.conf']",
    ]);
    const plan = await runVerb(lab, 'plan', given);
    expect(plannedChanges(plan)).toContain(
      'Load balancer / etcd-1 / file:/etc/haproxy/haproxy.cfg: replace /etc/haproxy/haproxy.cfg, which provision did not write (root:root 0644)',
    );
    const planned = plan.events.find((event) => event.type === 'planned');
    expect(planned?.plan.summary.disruptive).toBeGreaterThanOrEqual(4);
  });

  describe('with an instance of our own beside', () => {
    let applied: JsonRun;
    let answers: readonly string[];

    beforeAll(async () => {
      const asking = lab.ssh('etcd-3', customer(shop));
      applied = await runVerb(lab, 'apply', beside);
      await lab.ssh('etcd-3', 'touch /tmp/stop');
      answers = (await asking).stdout.trim().split('\n');
    });

    test('serve both, without a customer of the shop noticing', async () => {
      expect(applied.status === 0 ? '' : endOf(applied)).toBe('');
      expect(answers.length).toBeGreaterThan(20);
      expect(answers.filter((line) => line !== 'ok')).toEqual([]);
      expect(await theirs()).toBe(before);
      expect(await holdersOf(lab, MEMBERS, shop)).toEqual(['etcd-1']);
      const health = await lab.ssh('etcd-3', etcdctl(`https://${vip}:2379`, 'endpoint health'));
      expect(health.status).toBe(0);
      const verified = await lab.provision('verify', beside);
      expect(verified.status === 0 ? '' : endOf(verified)).toBe('');
      const second = await runVerb(lab, 'plan', beside);
      expect(plannedChanges(second)).toEqual([]);
    });

    test.each([
      [
        'an old unit of etcd hides the package’s',
        'etcd-3',
        "sed 's|^ExecStart=.*|ExecStart=/usr/bin/etcd --name old --data-dir /var/lib/etcd/old|' /lib/systemd/system/etcd.service >/etc/systemd/system/etcd.service",
        'rm /etc/systemd/system/etcd.service',
        /etcd is given --name, --data-dir/,
      ],
      [
        'a drop-in starts our HAProxy with another file',
        'etcd-3',
        'mkdir -p /etc/systemd/system/provision-etcd-haproxy.service.d; printf "[Service]\\nExecStart=\\nExecStart=/usr/sbin/haproxy -Ws -f /etc/haproxy/haproxy.cfg\\n" >/etc/systemd/system/provision-etcd-haproxy.service.d/old.conf',
        'rm /etc/systemd/system/provision-etcd-haproxy.service.d/old.conf',
        /provision-etcd-haproxy reads \/etc\/haproxy\/haproxy\.cfg, not /,
      ],
      [
        'a further environment file wins over etcd’s',
        'etcd-3',
        'mkdir -p /etc/systemd/system/etcd.service.d; printf "[Service]\\nEnvironmentFile=-/etc/etcd.old\\n" >/etc/systemd/system/etcd.service.d/old.conf',
        'rm /etc/systemd/system/etcd.service.d/old.conf',
        /etcd reads \/etc\/etcd\.old after \/etc\/default\/etcd/,
      ],
    ])('are not called done where %s', async (_, host, breakIt, undo, expected) => {
      await lab.ssh(host, `${breakIt}; systemctl daemon-reload`);
      const plan = await runVerb(lab, 'plan', beside);
      await lab.ssh(host, `${undo}; systemctl daemon-reload`);
      expect(plan.status).toBe(1);
      expect(plan.stdout).toMatch(expected);
      expect(plannedChanges(await runVerb(lab, 'plan', beside))).toEqual([]);
    });

    test('are not called done where CONFIG= names another file than ours', async () => {
      // etcd-3 has no shop: there the package's own unit could be ours.
      const single = await inventoryWith(lab, 'packaged', [
        'etcd_lb_own_instance: false',
        "provision_replace_files: ['/etc/haproxy/haproxy.cfg', '/etc/keepalived/keepalived.conf']",
      ]);
      await lab.ssh('etcd-3', 'echo CONFIG=/etc/haproxy/old.cfg >>/etc/default/haproxy');
      const plan = await runVerb(lab, 'plan', single, '--playbook', 'etcd-lb');
      await lab.ssh('etcd-3', "sed -i '/^CONFIG=/d' /etc/default/haproxy");
      expect(plan.status).toBe(1);
      expect(plan.stdout).toMatch(/haproxy reads \/etc\/haproxy\/old\.cfg, not \/etc\/haproxy\/haproxy\.cfg/);
    });
  });
});
