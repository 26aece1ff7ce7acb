import { describe, expect, test } from '@jest/globals';
import type { FileOrigin } from '../../../src/facts/file-origin.js';
import type { UnitState } from '../../../src/facts/unit-state.js';
import { describeCluster } from '../../../src/cluster/describe-cluster.js';
import { formerBalancerRole } from '../../../src/roles/former-balancer/role.js';
import type { Outcome, Resource } from '../../../src/model/change.js';
import { NOT_INSTALLED, RUNNING, STOPPED } from '../../support/etcd-answers.js';
import { ROLE_TOOLS } from '../../support/role-tools.js';
import { fakeProbe, type FakeAnswers } from '../../support/fake-probe.js';
import { shownChange } from '../../support/shown-change.js';
import { loadFiles } from '../../support/write-inventory.js';

const KEEPALIVED = '/etc/keepalived/keepalived.conf';
const HAPROXY = '/etc/haproxy/haproxy.cfg';
const OWN_NGINX = '/etc/nginx/provision/etcd.cfg';
const OWN_NGINX_UNIT = '/etc/systemd/system/provision-etcd-nginx.service';
const CHECK = '/usr/local/lib/provision/check-haproxy';
const BIND = '/etc/sysctl.d/60-provision-nonlocal-bind.conf';
const PEM = '/etc/haproxy/etcd-client.pem';
const HAPROXY_RUNS = ['/usr/sbin/haproxy', '-Ws', '-f', HAPROXY, '-p', '/run/haproxy.pid'];
const NGINX_RUNS = [`nginx: master process /usr/sbin/nginx -c ${OWN_NGINX}`];

/** What of a host is not as on one that never was a load balancer. */
interface Left {
  readonly files?: Readonly<Record<string, FileOrigin['kind']>>;
  readonly texts?: Readonly<Record<string, string>>;
  readonly units?: Readonly<Record<string, UnitState>>;
  readonly running?: Readonly<Record<string, readonly string[]>>;
  readonly holds?: readonly string[];
}

/** A table that has the same answer for all keys that it does not name. */
function answers<V>(given: Readonly<Record<string, V>>, other: V): Readonly<Record<string, V>> {
  return new Proxy(given, {
    get: (table, key) => (Object.hasOwn(table, key) ? table[String(key)] : other),
    getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true }),
  });
}

function host({ files = {}, texts = {}, units = {}, running = {}, holds = [] }: Left): FakeAnswers {
  const origins = Object.fromEntries(Object.entries(files).map(([path, kind]) => [path, { kind, lines: 1 }]));
  const commands = Object.fromEntries(
    Object.entries(running).map(([unit, argv]) => [
      unit,
      { files: [], environmentFiles: [], next: argv, running: units[unit]?.active === true ? argv : [] },
    ]),
  );
  return {
    'file-origins': answers<unknown>(origins, { kind: 'absent' }),
    'file-contents': answers<string | undefined>(texts, undefined),
    units: answers(units, NOT_INSTALLED),
    'unit-commands': answers<unknown>(commands, { files: [], environmentFiles: [], next: [], running: [] }),
    'host-addresses': { all: holds.map((address) => ({ interface: 'eth0', address, prefixLength: 32 })) },
  };
}

const INVENTORY = `
all:
  vars: { etcd_lb_ip: 10.0.0.100 }
etcd: { hosts: { etcd-1: { ansible_host: 10.0.0.1 } } }
etcd_lb: { hosts: { lb-1: { ansible_host: 10.0.0.21 } } }
etcd_lb_former: { hosts: { old: { ansible_host: 10.0.0.50 } } }
`;

async function resources(): Promise<readonly Resource[]> {
  const inventory = await loadFiles({ 'hosts.yaml': INVENTORY });
  const old = inventory.hosts.get('old');
  if (old === undefined) throw new Error('the inventory has that host');
  return formerBalancerRole('etcd', ROLE_TOOLS).resources(old, inventory, describeCluster(inventory));
}

async function planned(left: Left): Promise<Outcome> {
  const [resource] = await resources();
  if (resource === undefined) throw new Error('the role has one resource');
  return resource.plan(fakeProbe(host(left), {}, 'old'));
}

async function done(left: Left): Promise<readonly string[]> {
  const outcome = await planned(left);
  if (outcome.kind !== 'change') return [outcome.kind];
  return outcome.change.actions.map((action) =>
    action.kind === 'run' ? action.command.summary : action.kind === 'remove-file' ? action.path : action.kind,
  );
}

const VRRP = 'virtual_ipaddress {\n  10.0.0.100/32 dev eth0\n}\n';
const PROXY = 'backend etcd\n    server m1 10.0.0.1:2379 verifyhost m1\n';
const BALANCER: Left = {
  files: { [KEEPALIVED]: 'ours', [HAPROXY]: 'ours', [CHECK]: 'ours', [BIND]: 'ours', [PEM]: 'foreign' },
  texts: { [KEEPALIVED]: VRRP, [HAPROXY]: PROXY },
  units: { keepalived: RUNNING, haproxy: RUNNING },
  running: { keepalived: ['/usr/sbin/keepalived', '--dont-fork'], haproxy: HAPROXY_RUNS },
  holds: ['10.0.0.100'],
};
const REST = [CHECK, BIND, PEM];

describe('a former load balancer', () => {
  test('is freed: keepalived before the proxy, configurations last', async () => {
    expect(await done(BALANCER)).toEqual([
      'systemctl disable keepalived',
      'systemctl stop keepalived',
      'systemctl disable haproxy',
      'systemctl stop haproxy',
      ...REST,
      KEEPALIVED,
      HAPROXY,
    ]);
  });

  test('is shown all that goes, and whose connections end', async () => {
    const dropIn = '/etc/systemd/system/haproxy.service.d/60-provision-down.conf';
    const left = { ...BALANCER, units: { keepalived: RUNNING, haproxy: STOPPED }, holds: [] };
    expect(shownChange(await planned({ ...left, files: { ...BALANCER.files, [dropIn]: 'ours' } }))).toEqual([
      'free the host of the load balancer of etcd',
      ...['stop and disable keepalived: its connections end', 'stop and disable haproxy'],
      ...[dropIn, ...REST, KEEPALIVED, HAPROXY].map((path) => `- ${path}`),
      ...[`remove ${dropIn}`, expect.stringMatching(/^\$ systemctl daemon-reload && rm -f /)],
      'back: systemctl daemon-reload',
      ...['$ systemctl disable keepalived', 'back: systemctl enable keepalived'],
      ...['$ systemctl stop keepalived', 'back: systemctl start keepalived'],
      ...['$ systemctl disable haproxy', 'back: systemctl enable haproxy'],
      ...['$ systemctl stop haproxy', 'back: nothing'],
      ...[...REST, KEEPALIVED, HAPROXY].map((path) => `remove ${path}`),
      'clients notice',
    ]);
  });

  test('no longer marks its proxy as down when that is stopped', async () => {
    const dropIn = '/etc/systemd/system/haproxy.service.d/60-provision-down.conf';
    const actions = await done({ ...BALANCER, files: { ...BALANCER.files, [dropIn]: 'ours' } });
    expect(actions.slice(0, 3)).toEqual([dropIn, 'systemctl daemon-reload', 'systemctl disable keepalived']);
    // Of the instances that an inventory may have had, those that are there.
    expect(actions.filter((each) => each.includes('.service.d/'))).toEqual([dropIn]);
    const others = await done({ ...BALANCER, files: { ...BALANCER.files, [dropIn]: 'foreign' } });
    expect(others).not.toContain(dropIn);
  });

  test('no longer marks any other proxy that an earlier inventory may have had', async () => {
    const dropIns = ['haproxy', 'provision-etcd-haproxy', 'provision-etcd-nginx'].map(
      (unit) => `/etc/systemd/system/${unit}.service.d/60-provision-down.conf`,
    );
    const files = Object.fromEntries(dropIns.map((path) => [path, 'ours'] as const));
    const actions = await done({ ...BALANCER, files: { ...BALANCER.files, ...files } });
    expect(actions.filter((each) => each.includes('.service.d/'))).toEqual(dropIns);
  });

  test('is freed of nginx, whose unit is ours, and which systemd forgets', async () => {
    const unit = 'provision-etcd-nginx';
    const left: Left = {
      files: { [OWN_NGINX]: 'ours', [OWN_NGINX_UNIT]: 'ours' },
      texts: { [OWN_NGINX]: 'upstream etcd { server 10.0.0.1:2379 max_fails=1; }\n' },
      units: { [unit]: RUNNING },
      running: { [unit]: NGINX_RUNS },
    };
    expect(await done(left)).toEqual([
      `systemctl disable ${unit}`,
      `systemctl stop ${unit}`,
      OWN_NGINX_UNIT,
      'systemctl daemon-reload',
      OWN_NGINX,
    ]);
  });

  test('keeps an earlier virtual IP no longer, which the proxy beside it shows to be of this cluster', async () => {
    const texts = { [KEEPALIVED]: VRRP.replaceAll('.100', '.77'), [HAPROXY]: PROXY };
    expect(await done({ ...BALANCER, texts, holds: ['10.0.0.77'] })).toContain('systemctl stop keepalived');
  });

  const off = { ...STOPPED, enabled: false };
  test.each([
    [
      'after it was stopped',
      { ...BALANCER, units: { keepalived: off, haproxy: off }, holds: [] },
      [...REST, KEEPALIVED, HAPROXY],
    ],
    [
      'after all but the last file was removed',
      { files: { [HAPROXY]: 'ours' }, texts: { [HAPROXY]: PROXY }, units: { haproxy: off } },
      [HAPROXY],
    ],
    ['when it is freed', { units: { haproxy: off, keepalived: off } }, ['unchanged']],
    ['when it never was one', {}, ['unchanged']],
  ] satisfies [string, Left, readonly string[]][])('is looked at again %s', async (_, left, actions) => {
    expect(await done(left)).toEqual(actions);
  });

  test.each([
    ['its process, while that runs', RUNNING, true],
    ['what systemd would start, while none does', STOPPED, false],
    ['what systemd would start, while it tries', { ...STOPPED, starting: true }, false],
  ])('is known by %s', async (_, unit, byProcess) => {
    const [own, other] = [HAPROXY_RUNS, ['/usr/sbin/haproxy', '-f', '/etc/other.cfg']];
    const answered = host({ ...BALANCER, units: { ...BALANCER.units, haproxy: unit } });
    const command = {
      files: [],
      environmentFiles: [],
      ...(byProcess ? { next: other, running: own } : { next: own, running: other }),
    };
    const commands = {
      ...answered['unit-commands'],
      haproxy: command,
      keepalived: { ...command, next: ['/usr/sbin/keepalived'], running: ['/usr/sbin/keepalived'] },
    };
    const [resource] = await resources();
    const outcome = await resource?.plan(
      fakeProbe({ ...answered, 'unit-commands': answers<unknown>(commands, command) }, {}, 'old'),
    );
    const lines = shownChange(outcome ?? { kind: 'unchanged' });
    expect(lines.some((line) => line.startsWith('stop and disable haproxy'))).toBe(true);
  });

  test('is stopped while systemd tries to start it again and again', async () => {
    const units = { keepalived: off, haproxy: STOPPED };
    expect(await done({ ...BALANCER, units, holds: [] })).toContain('systemctl stop haproxy');
  });

  test.each([
    [
      'of another cluster of ours is left alone',
      {
        ...BALANCER,
        texts: {
          [KEEPALIVED]: VRRP.replaceAll('10.0.0.', '10.0.9.'),
          [HAPROXY]: PROXY.replaceAll('10.0.0.', '10.0.9.'),
        },
        holds: ['10.0.9.100'],
      },
    ],
    [
      'that others set up by now is left alone',
      { ...BALANCER, files: { [KEEPALIVED]: 'foreign', [HAPROXY]: 'foreign' }, texts: { [HAPROXY]: PROXY }, holds: [] },
    ],
  ] satisfies [string, Left][])('%s', async (_, left) => {
    expect(await done(left)).toEqual(['unchanged']);
  });

  test('whose package unit reads another file keeps that unit: the stale file alone goes', async () => {
    const running = { ...BALANCER.running, haproxy: ['/usr/sbin/haproxy', '-f', '/etc/haproxy/shop.cfg'] };
    const actions = await done({ ...BALANCER, running });
    expect(actions).toContain(HAPROXY);
    expect(actions).not.toContain('systemctl stop haproxy');
  });

  test('whose HAProxy serves others as well is refused', async () => {
    const haproxy = [...HAPROXY_RUNS, '-f', '/etc/haproxy/shop.cfg'];
    await expect(done({ ...BALANCER, running: { ...BALANCER.running, haproxy } })).rejects.toMatchObject({
      code: 'former-balancer',
      message: expect.stringContaining('haproxy reads /etc/haproxy/shop.cfg beside'),
    });
  });

  test.each([
    [
      'its HAProxy is stopped, and would serve others as well',
      'ours',
      STOPPED,
      'free the host of the load balancer of etcd',
    ],
    ['others wrote what its HAProxy reads', 'foreign', RUNNING, undefined],
  ] as const)('is not refused where %s', async (_, kind, haproxy, summary) => {
    const argv = [...HAPROXY_RUNS, '-f', '/etc/haproxy/shop.cfg'];
    const left: Left = {
      ...{ files: { [HAPROXY]: kind }, texts: { [HAPROXY]: PROXY }, units: { haproxy } },
      running: { haproxy: argv },
    };
    expect(shownChange(await planned(left))[0]).toBe(summary);
  });

  test.each([
    ['by hand', { holds: ['10.0.0.100'] }],
    ['while its own keepalived is stopped', { ...BALANCER, units: { keepalived: off, haproxy: off } }],
    ['by a keepalived that others wrote', { ...BALANCER, files: { [KEEPALIVED]: 'foreign' }, holds: [] }],
  ] satisfies [string, Left][])('that has the address %s is refused', async (_, left) => {
    await expect(done(left)).rejects.toMatchObject({
      code: 'former-balancer',
      message: expect.stringMatching(/^old (?:holds|runs keepalived).*and not by a keepalived of this program/),
      hint: expect.stringMatching(/ssh old sudo systemctl disable --now (?:provision-etcd-)?keepalived /),
    });
  });
});

test('what TLS was ended with goes where this cluster signed it, whatever others keep under these names', async () => {
  expect((await resources()).map(({ address }) => address)).toEqual([
    'freed-balancer:etcd',
    'unused-certificate:/etc/haproxy/etcd-server.pem',
    'unused-certificate:/etc/haproxy/etcd-proxy.pem',
  ]);
});
