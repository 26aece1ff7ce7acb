import { describe, expect, test } from '@jest/globals';
import { unitCommand } from '../../../src/facts/unit-command.js';
import type { Resource } from '../../../src/model/change.js';
import { proxyOf } from '../../../src/proxies/table.js';
import { roleTable } from '../../../src/roles/table.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { ROLE_TOOLS } from '../../support/role-tools.js';
import { SAMPLE_CLUSTER, SAMPLE_SERVICE } from '../../support/sample-cluster.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';

const INVENTORY = templateInventory(['etcd-1', 'etcd-2', 'etcd-3', 'cp-1']);

function unitOf(role: string, address: string): Resource {
  const resources = roleTable(ROLE_TOOLS).get(role)?.resources(namedHost('etcd-1'), INVENTORY, SAMPLE_CLUSTER) ?? [];
  const found = resources.find((resource) => resource.address === address);
  if (found === undefined) throw new Error(`${role} has no ${address}`);
  return found;
}

interface Started {
  readonly next?: readonly string[];
  readonly running?: readonly string[];
  readonly environmentFiles?: readonly string[];
}

function plan(role: string, unit: string, started: Started): Promise<unknown> {
  const command = { files: ['/lib/systemd/system/x.service'], environmentFiles: [], next: [], running: [], ...started };
  return unitOf(role, `unit:${unit}`).plan(fakeProbe({ 'unit-commands': { [unit]: command } }));
}

const words = (text: string): readonly string[] => text.split(' ');

describe('a unit that reads another file is refused', () => {
  test.each([
    [
      'etcd-proxy',
      'haproxy',
      { next: words('haproxy -Ws -f /etc/haproxy/old.cfg -p /run/x') },
      /reads \/etc\/haproxy\/old/,
    ],
    [
      'etcd-proxy',
      'haproxy',
      { running: words('haproxy -Ws -f /etc/haproxy/old.cfg') },
      /was started so that it reads/,
    ],
    ['etcd-proxy', 'haproxy', { next: words('haproxy -Ws') }, /reads no file/],
    ['etcd-virtual-ip', 'keepalived', { next: words('keepalived --dont-fork -f /etc/k.conf') }, /reads \/etc\/k\.conf/],
    ['etcd-virtual-ip', 'keepalived', { next: words('keepalived --use-file=/etc/k.conf') }, /reads \/etc\/k\.conf/],
    ['etcd-virtual-ip', 'keepalived', { next: words('keepalived -f/etc/k.conf') }, /reads \/etc\/k\.conf/],
    ['etcd', 'etcd', { next: words('etcd --name=a --data-dir b') }, /is given --name, --data-dir/],
    ['etcd', 'etcd', { next: words('etcd --config-file /etc/etcd.yml') }, /is given --config-file/],
    ['etcd', 'etcd', { next: ['etcd'], environmentFiles: ['/etc/etcd.old'] }, /reads \/etc\/etcd\.old, not/],
    ['etcd', 'etcd', { next: ['etcd'], environmentFiles: ['/a', '/b'] }, /reads \/a, \/b, not/],
    [
      'etcd',
      'etcd',
      { next: ['etcd'], environmentFiles: ['/etc/default/etcd', '/etc/etcd.old'] },
      /reads \/etc\/etcd\.old after/,
    ],
    [
      'etcd',
      'etcd',
      { next: ['etcd'], environmentFiles: ['/etc/default/etcd', '/a', '/b'] },
      /etcd reads \/a, \/b after \/etc\/default\/etcd, which wins/,
    ],
    ['etcd', 'etcd', { next: ['etcd'] }, /etcd reads no environment file, not \/etc\/default\/etcd/],
    ['etcd-virtual-ip', 'keepalived', { next: words('keepalived -f') }, /keepalived reads no file, not/],
    ['etcd-virtual-ip', 'keepalived', { next: words('keepalived --use-file /etc/k.conf') }, /reads \/etc\/k\.conf/],
    [
      'etcd-proxy',
      'haproxy',
      { next: words('haproxy -f /a -f /etc/haproxy/haproxy.cfg.old') },
      /reads \/a, \/etc\/haproxy\/haproxy\.cfg\.old, not/,
    ],
  ] as const)('%s: %s %j', async (role, unit, started, message) => {
    await expect(plan(role, unit, started)).rejects.toMatchObject({
      code: 'unit-reads-another-file',
      message: expect.stringMatching(message) as unknown,
    });
  });
});

describe('a unit that reads our file is as it should be', () => {
  const env = '/etc/default/etcd';
  const first = '/etc/systemd/system/etcd.service.d/provision-bootstrap.env';
  test.each([
    ['etcd-proxy', 'haproxy', {}],
    ['etcd-proxy', 'haproxy', { next: words('haproxy -Ws -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/more') }],
    ['etcd-proxy', 'haproxy', { next: words('haproxy -Ws -- /etc/haproxy/haproxy.cfg') }],
    ['etcd-proxy', 'haproxy', { next: words('haproxy -Ws -f /etc/haproxy/more -f /etc/haproxy/haproxy.cfg') }],
    ['etcd-proxy', 'haproxy', { running: words('haproxy -sf 12 -Ws -f /etc/haproxy') }],
    ['etcd-virtual-ip', 'keepalived', { next: words('keepalived --dont-fork') }],
    ['etcd-virtual-ip', 'keepalived', { next: words('keepalived -P -f /etc/keepalived/keepalived.conf') }],
    ['etcd-virtual-ip', 'keepalived', { next: words('keepalived --pid=/run/no-f -P') }],
    ['etcd', 'etcd', { next: ['etcd'], environmentFiles: ['/etc/etcd.old', env] }],
    ['etcd', 'etcd', { next: words('etcd --logger=zap'), environmentFiles: [env, first] }],
    ['etcd', 'etcd', { next: words('etcd --discovery-srv-name=x'), environmentFiles: [env] }],
  ] as const)('%s: %s %j', async (role, unit, started) => {
    expect(await plan(role, unit, started)).toEqual({ kind: 'unchanged' });
  });
});

test('the words of a unit are read as systemd fills them in', () => {
  const shown = [
    'N',
    'EnvironmentFiles=/etc/default/haproxy (ignore_errors=yes)',
    'ExecStart={ path=/usr/sbin/haproxy ; argv[]=/usr/sbin/haproxy -Ws -f $CONFIG -p ${PIDFILE} $EXTRAOPTS ; ignore_errors=no ; start_time=[n/a] }',
    'FragmentPath=/lib/systemd/system/haproxy.service',
    'DropInPaths=/etc/systemd/system/haproxy.service.d/a.conf',
    'MainPID=0',
    'CONFIG=/etc/haproxy/haproxy.cfg',
    'PIDFILE=/run/haproxy.pid',
    '"EXTRAOPTS=-S /run/haproxy-master.sock"',
    'CONFIG="/etc/haproxy/old.cfg"',
    `A ${Buffer.from('haproxy\0-f\0/etc/haproxy/a b.cfg\0').toString('base64')}`,
    '',
  ].join('\n');
  const found = unitCommand.parse(shown, ['haproxy']).get('haproxy');
  expect(found).toEqual({
    files: ['/lib/systemd/system/haproxy.service', '/etc/systemd/system/haproxy.service.d/a.conf'],
    environmentFiles: ['/etc/default/haproxy'],
    next: words('/usr/sbin/haproxy -Ws -f /etc/haproxy/old.cfg -p /run/haproxy.pid -S /run/haproxy-master.sock'),
    running: ['haproxy', '-f', '/etc/haproxy/a b.cfg'],
  });
  expect(proxyOf(SAMPLE_SERVICE).reads(found?.running ?? [])).toEqual(['/etc/haproxy/a b.cfg']);
});
