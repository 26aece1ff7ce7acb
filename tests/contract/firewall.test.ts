// The rules as they are shipped, in the kernel's own nftables: in a network namespace that ends with the test.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { firewallTable, OUR_TABLE, type FirewallTable } from '../../src/facts/firewall-table.js';
import { letIn } from '../../src/facts/let-in.js';
import { openPorts, portKey } from '../../src/facts/open-ports.js';
import { vrrpInstance } from '../../src/facts/vrrp-instance.js';
import { waitUntil } from '../../src/lab/process.js';
import { plainContent } from '../../src/model/content.js';
import type { FirewallTrial } from '../../src/model/firewall-trial.js';
import type { Command } from '../../src/model/remote.js';
import {
  keepFirewall,
  loadKeptFirewall,
  removeFirewall,
  takeFirewallBack,
  tryFirewall,
} from '../../src/shell/firewall.js';
import { scratch } from '../support/scratch.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const RULES = readFileSync('fixtures/rendered/etcd-firewall.nft.default', 'utf8');
const NARROW = RULES.replace('10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.11', '10.0.0.1');
const TRIAL: FirewallTrial = { ports: [2379, 2380], keepalived: ['/etc/keepalived/keepalived.conf'] };

let directory: string;
let namespace: ChildProcess;

/** A systemd that notes its arguments, and whose timer is there while its file is. */
const SYSTEMD = `#!/bin/sh
echo "\${0##*/} $*" >>DIRECTORY/calls
case "\${0##*/} $*" in
*is-active*) [ -e DIRECTORY/timer ] && echo active ;;
systemd-run*) : >DIRECTORY/timer ;;
*'stop provision-etcd-firewall-back.timer'*) rm -f DIRECTORY/timer ;;
*'reload-or-restart provision-etcd-firewall.service') nft -f DIRECTORY/etc/provision-etcd-firewall.nft ;;
esac
`;

beforeEach(async () => {
  directory = temporaryDirectory('firewall');
  mkdirSync(join(directory, 'etc/systemd/system'), { recursive: true });
  mkdirSync(join(directory, 'run'));
  for (const name of ['systemctl', 'systemd-run'])
    writeFileSync(join(directory, name), SYSTEMD.replaceAll('DIRECTORY', directory), { mode: 0o755 });
  namespace = spawn('unshare', ['-n', 'sh', '-c', 'ip link set lo up; echo up; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => namespace.stdout?.once('data', resolve));
});

afterEach(() => {
  namespace.stdin?.end();
});

function inNamespace(script: string, input = ''): { status: number | null; stdout: string; stderr: string } {
  const here = script.replaceAll(/(?<![\w.])\/(run|etc)\//g, `${directory}/$1/`);
  const { status, stdout, stderr } = spawnSync('nsenter', ['-t', String(namespace.pid), '-n', 'sh', '-c', here], {
    cwd: scratch(),
    encoding: 'utf8',
    input,
    env: { PATH: `${directory}:/usr/sbin:/usr/bin:/sbin:/bin` },
  });
  return { status, stdout, stderr };
}

function run({ script, stdin = '' }: Command): { status: number | null; stderr: string } {
  const { status, stderr } = inNamespace(script, typeof stdin === 'string' ? stdin : '');
  return { status, stderr };
}

function look(): FirewallTable {
  const { stdout, stderr } = inNamespace(firewallTable.script([OUR_TABLE]));
  if (stderr !== '') throw new Error(stderr);
  const found = firewallTable.parse(stdout, [OUR_TABLE]).get(OUR_TABLE);
  if (found === undefined) throw new Error('nothing came back');
  return found;
}

/** What a change of the firewall does on its host, without the proof between. */
function keep(rules: string): void {
  expect(run(tryFirewall(plainContent(rules), TRIAL))).toEqual({ status: 0, stderr: '' });
  writeFileSync(join(directory, 'etc/provision-etcd-firewall.nft'), rules);
  expect(run(keepFirewall())).toEqual({ status: 0, stderr: '' });
}

const loaded = (): string => look().loaded ?? '';
const DONE = { status: 0, stderr: '' };

describe('our table', () => {
  test.each(['default', 'allowed'])('is taken by nft, and is as it is kept: %s', (variant) => {
    keep(readFileSync(`fixtures/rendered/etcd-firewall.nft.${variant}`, 'utf8'));
    const { loaded: has, kept, isOnTrial } = look();
    expect(has).toContain('10.0.0.11');
    expect(has).toBe(kept);
    expect(isOnTrial).toBe(false);
  });

  test('replaces itself and touches no other, also where it is removed', () => {
    const others = 'table ip others {\nchain input {\ntype filter hook input priority 0; policy drop;\n}\n}\n';
    expect(inNamespace('cat | nft -f -', others).status).toBe(0);
    const of = (): string => inNamespace('nft list table ip others').stdout;
    const before = of();
    keep(RULES);
    keep(NARROW);
    expect(loaded()).not.toContain('10.0.0.11');
    expect(run(removeFirewall())).toEqual(DONE);
    expect(inNamespace('nft list tables').stdout).toBe('table ip others\n');
    expect(of()).toBe(before);
    // Where it is gone already, too.
    expect(run(removeFirewall())).toEqual(DONE);
  });

  test('shows what someone has changed since', () => {
    keep(RULES);
    expect(inNamespace("nft add element inet provision_etcd clients4 '{ 192.0.2.66 }'").status).toBe(0);
    const { loaded: has = '', kept } = look();
    expect(has).not.toBe(kept);
    expect(has).toContain('192.0.2.66');
  });
});

describe('new rules on trial', () => {
  test('are loaded only with a timer that takes them back, and no file says so yet', () => {
    expect(run(tryFirewall(plainContent(RULES), TRIAL))).toEqual(DONE);
    expect(look()).toMatchObject({ isOnTrial: true, kept: undefined, loaded: expect.stringContaining('10.0.0.11') });
    const calls = readFileSync(join(directory, 'calls'), 'utf8');
    expect(calls).toMatch(/systemd-run .*--on-active=40s .*\/nft -f .*\/run\/provision-etcd-firewall\/before\n/);
    // What the timer runs.
    expect(inNamespace('nft -f /run/provision-etcd-firewall/before').status).toBe(0);
    expect(look().loaded).toBeUndefined();
  });

  test('are not loaded where the timer does not run', () => {
    writeFileSync(join(directory, 'systemd-run'), '#!/bin/sh\n', { mode: 0o755 });
    expect(run(tryFirewall(plainContent(RULES), TRIAL)).status).not.toBe(0);
    expect(look().loaded).toBeUndefined();
  });

  test('are not loaded where nft does not take them', () => {
    keep(RULES);
    const before = loaded();
    expect(run(tryFirewall(plainContent(`${RULES}nonsense\n`), TRIAL)).stderr).toContain('syntax error');
    expect(loaded()).toBe(before);
    expect(existsSync(join(directory, 'timer'))).toBe(false);
    // What the run before went out from: it let in fewer hosts.
    expect(run(takeFirewallBack())).toEqual(DONE);
    expect(loaded()).toBe(before);
  });

  test('give way to the old ones', () => {
    keep(RULES);
    const before = loaded();
    expect(run(tryFirewall(plainContent(NARROW), TRIAL))).toEqual(DONE);
    expect(loaded()).not.toBe(before);
    expect(run(takeFirewallBack())).toEqual(DONE);
    expect(loaded()).toBe(before);
    expect(look().isOnTrial).toBe(false);
  });

  test('that a killed run has left are not what the next one goes back to', () => {
    keep(RULES);
    const before = loaded();
    expect(run(tryFirewall(plainContent(NARROW), TRIAL))).toEqual(DONE);
    expect(run(tryFirewall(plainContent(NARROW.replace('10.0.0.1 ', '10.0.0.9 ')), TRIAL))).toEqual(DONE);
    expect(run(takeFirewallBack())).toEqual(DONE);
    expect(loaded()).toBe(before);
  });

  test('can’t be kept when they were taken back meanwhile', () => {
    expect(run(tryFirewall(plainContent(RULES), TRIAL))).toEqual(DONE);
    expect(inNamespace(`nft -f /run/provision-etcd-firewall/before; rm ${directory}/timer`).status).toBe(0);
    expect(run(keepFirewall())).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('taken the new rules back'),
    });
  });
});

describe('a roll-back of new rules that were never loaded', () => {
  // How they are taken back is recorded before they are sent: the host may be lost between.
  test.each<[string, () => void]>([
    [
      'kept others',
      () => {
        keep(RULES);
      },
    ],
    [
      'was taken back',
      () => {
        expect(run(tryFirewall(plainContent(NARROW), TRIAL))).toEqual(DONE);
        expect(run(takeFirewallBack())).toEqual(DONE);
        // Whatever comes to be loaded beside it.
        expect(inNamespace('cat | nft -f -', RULES).status).toBe(0);
      },
    ],
  ])('changes nothing where the run before %s', (_, before) => {
    keep(NARROW);
    before();
    const { loaded: has } = look();
    expect(run(takeFirewallBack())).toEqual(DONE);
    expect(look().loaded).toBe(has);
  });

  test('ends with a trial that is kept, or taken back, or removed', () => {
    const ends = [keepFirewall, takeFirewallBack, removeFirewall];
    for (const end of ends) {
      expect(run(tryFirewall(plainContent(RULES), TRIAL))).toEqual(DONE);
      writeFileSync(join(directory, 'etc/provision-etcd-firewall.nft'), RULES);
      expect(run(end())).toEqual(DONE);
      expect(existsSync(join(directory, 'run/provision-etcd-firewall/before'))).toBe(false);
      expect(look().isOnTrial).toBe(false);
    }
  });
});

test('a roll-back loads the file that is there again, or nothing', () => {
  keep(RULES);
  const before = loaded();
  expect(run(tryFirewall(plainContent(NARROW), TRIAL))).toEqual(DONE);
  expect(run(loadKeptFirewall())).toEqual(DONE);
  expect(loaded()).toBe(before);
  expect(inNamespace('rm /etc/provision-etcd-firewall.nft').status).toBe(0);
  expect(run(loadKeptFirewall())).toEqual(DONE);
  expect(look().loaded).toBeUndefined();
});

/** What a script says that runs beyond a link to the namespace, at an address of its own. @param listens a program that serves here meanwhile */
async function fromFar(source: string, script: string, listens?: string): Promise<string> {
  const pair = [
    'ip link add near type veth peer name far',
    'ip address add 10.0.0.1/24 dev near',
    'ip address add fd00::1/64 dev near nodad',
    'ip link set near up',
  ];
  expect(inNamespace(pair.join('; ')).status).toBe(0);
  const far = spawn('unshare', ['-n', 'sh', '-c', 'echo up; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  await new Promise((resolve) => far.stdout.once('data', resolve));
  expect(inNamespace(`ip link set far netns ${far.pid ?? 0}`).status).toBe(0);
  const server =
    listens === undefined
      ? undefined
      : spawn('nsenter', ['-t', String(namespace.pid), '-n', process.execPath, '-e', listens], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
  if (server !== undefined) await new Promise((resolve) => server.stdout.once('data', resolve));
  try {
    const there = `ip address add ${source}/24 dev far; ip address add fd00::66/64 dev far nodad; ip link set far up; ${script}`;
    return spawnSync('nsenter', ['-t', String(far.pid), '-n', 'sh', '-c', there], { encoding: 'utf8' }).stdout;
  } finally {
    server?.kill();
    far.stdin.end();
    expect(
      await waitUntil(async () => Promise.resolve(inNamespace('ip link show near').status !== 0), 20_000, 50),
    ).toBe(true);
  }
}

describe('what the kernel notes of new rules on trial', () => {
  const keys = ['advert 100', 'advert 200', 'advert 1', 'knock 2379', 'knock 2380'] as const;

  /** Sends an advert of VRRP for each of these virtual router ids (RFC 5798, section 5.1). */
  const adverts = (...ids: readonly number[]): string =>
    `perl -MSocket -e 'socket(S, PF_INET, SOCK_RAW, 112) or die; send(S, pack("C20", 0x21, $_, 100, 1), 0, sockaddr_in(0, inet_aton("10.0.0.1"))) or die for @ARGV' ${ids.join(' ')}`;

  /** The same with four bytes of options before it (IP_OPTIONS, ip(7)): another byte is where its id would be. */
  const withOptions = (id: number): string =>
    adverts(id).replace('or die; send', `or die; setsockopt(S, 0, 4, pack("C4", 1, 1, 1, 0)) or die; send`);

  /** The same over IPv6. @param options the number of a socket option that adds a header before it (IPV6_DSTOPTS, RFC 3542) */
  const adverts6 = (ids: readonly number[], options?: 59): string => {
    const header = options === undefined ? '' : `setsockopt(S, 41, ${options}, pack("C8", 0, 0, 1, 4)) or die; `;
    return `perl -MSocket=:all -e 'socket(S, PF_INET6, SOCK_RAW, 112) or die; ${header}send(S, pack("C20", 0x31, $_, 100, 1), 0, pack_sockaddr_in6(0, inet_pton(AF_INET6, "fd00::1"))) or die for @ARGV' ${ids.join(' ')}`;
  };

  const noted = (): Readonly<Record<string, readonly string[]>> => {
    const { stdout } = inNamespace(letIn.script(keys));
    return Object.fromEntries(letIn.parse(stdout, keys));
  };

  test('is who was let in, by the virtual router id of an advert and by the port, also where nobody listens', async () => {
    expect(run(tryFirewall(plainContent(RULES), TRIAL))).toEqual(DONE);
    const ask = openPorts.script([portKey('10.0.0.1', 2380)]);
    expect(await fromFar('10.0.0.2', `${adverts(100, 7)}; ${ask}`)).toContain('closed');
    expect(noted()).toEqual({
      'advert 100': ['10.0.0.2'],
      'advert 200': [],
      'advert 1': [],
      'knock 2379': [],
      'knock 2380': ['10.0.0.2'],
    });
    await fromFar('10.0.0.66', `${adverts(100)}; ${ask}; ${openPorts.script([portKey('10.0.0.1', 2379)])}`);
    expect(noted()).toMatchObject({ 'advert 100': ['10.0.0.2'], 'knock 2379': [], 'knock 2380': ['10.0.0.2'] });
  });

  test('is VRRP of others on the same host, whoever sends it', async () => {
    expect(run(tryFirewall(plainContent(RULES), TRIAL))).toEqual(DONE);
    await fromFar('10.0.0.66', `${adverts(200, 100)}; ${adverts6([200, 100])}`);
    expect(noted()).toMatchObject({ 'advert 100': [], 'advert 200': ['10.0.0.66', 'fd00::66'] });
  });

  test('is no advert of a stranger that hides its id behind options', async () => {
    const sent = `${withOptions(100)}; ${adverts6([100], 59)}`;
    expect(run(tryFirewall(plainContent(RULES), TRIAL))).toEqual(DONE);
    await fromFar('10.0.0.66', sent);
    const { stdout } = inNamespace('nft list table inet provision_etcd');
    expect(stdout).toMatch(/counter packets 2 bytes \d+ drop/);
    expect(stdout).not.toContain('elements = { 10.0.0.66');
    expect(stdout).not.toContain('elements = { fd00');
    expect(noted()).toMatchObject({ 'advert 100': [], 'advert 1': [] });
  });

  test('is gone when they are kept', async () => {
    keep(RULES);
    await fromFar('10.0.0.2', adverts(100));
    expect(noted()).toEqual({ 'advert 100': [], 'advert 200': [], 'advert 1': [], 'knock 2379': [], 'knock 2380': [] });
    expect(look().loaded).toBe(look().kept);
  });

  test.each([
    ['', 40],
    ['vrrp_instance etcd {\n    advert_int 3\n}\n', 40],
    ['vrrp_instance etcd {\n    advert_int 20\n}\n', 105],
    ['vrrp_instance etcd {\n    advert_int 020\n}\n', 105],
    ['vrrp_instance etcd {\n    advert_int 255\n}\n', 1045],
    ['vrrp_instance etcd {\n    advert_int 256\n}\n', 40],
    ['vrrp_instance etcd {\n    advert_int 999999999\n}\n', 40],
    ['vrrp_instance etcd {\n    advert_int nonsense; $(id)\n}\n', 40],
  ])('takes as long as adverts may: %j', (configuration, seconds) => {
    mkdirSync(join(directory, 'etc/keepalived'));
    writeFileSync(join(directory, 'etc/keepalived/keepalived.conf'), configuration);
    expect(run(tryFirewall(plainContent(RULES), TRIAL))).toEqual(DONE);
    expect(readFileSync(join(directory, 'calls'), 'utf8')).toContain(` --on-active=${seconds}s `);
  });
});

test.each([
  ['20', { routerId: 100, advertIntervalS: 20, addresses: ['10.0.0.100', '2001:db8::100'] }],
  ['020', { routerId: 100, advertIntervalS: 20, addresses: ['10.0.0.100', '2001:db8::100'] }],
  ['255', { routerId: 100, advertIntervalS: 255, addresses: ['10.0.0.100', '2001:db8::100'] }],
  ['0.3', { routerId: 100, advertIntervalS: 0.3, addresses: ['10.0.0.100', '2001:db8::100'] }],
  [
    '0.3\n    version 3',
    { routerId: 100, advertIntervalS: 0.3, addresses: ['10.0.0.100', '2001:db8::100'], version: 3 },
  ],
  ['1\n    version 2', { routerId: 100, advertIntervalS: 1, addresses: ['10.0.0.100', '2001:db8::100'], version: 2 }],
  ['1\n    version 4', { routerId: 100, advertIntervalS: 1, addresses: ['10.0.0.100', '2001:db8::100'] }],
  ['0.0', undefined],
  ['0', undefined],
  ['1.5', undefined],
  ['256', undefined],
  // A run would wait for it for 127 000 years.
  ['999999999', undefined],
])('what keepalived runs with is read from its file, as we write it: advert_int %s', (interval, expected) => {
  mkdirSync(join(directory, 'etc/keepalived'));
  const file = '/etc/keepalived/keepalived.conf';
  const text = `vrrp_instance etcd {\n    virtual_router_id 100\n    priority 99\n    advert_int ${interval}\n    auth_pass secret\n    virtual_ipaddress {\n        10.0.0.100/32 dev eth0\n        2001:db8::100/128 dev eth0\n    }\n}\n`;
  writeFileSync(join(directory, file), text);
  const keys = ['/etc/keepalived/none.conf', file];
  const { stdout } = inNamespace(vrrpInstance.script(keys));
  expect(stdout).not.toContain('secret');
  expect([...vrrpInstance.parse(stdout, keys).values()]).toEqual([undefined, expected]);
});

describe('who comes in', () => {
  /** Whether a port of the namespace answers, asked from an address of it over a link of its own. */
  async function isOpen(port: number, source: string): Promise<boolean> {
    const key = portKey('10.0.0.1', port);
    return openPorts.parse(await fromFar(source, openPorts.script([key]), LISTEN), [key]).get(key) ?? false;
  }

  const LISTEN = `const net = require('node:net'); let left = 3;
for (const port of [2379, 2380, 8080]) net.createServer((socket) => socket.destroy()).listen(port, () => { if (!--left) console.log('up'); });`;

  test.each([
    ['another member, as a client', 2379, '10.0.0.2', true],
    ['another member', 2380, '10.0.0.3', true],
    ['a control plane, as a client', 2379, '10.0.0.11', true],
    ['a control plane, as a member', 2380, '10.0.0.11', false],
    ['a stranger, as a client', 2379, '10.0.0.66', false],
    ['a stranger, as a member', 2380, '10.0.0.66', false],
    ['a stranger, to whatever else is there', 8080, '10.0.0.66', true],
  ])('%s (port %d, from %s): %s', async (_, port, source, expected) => {
    keep(RULES);
    expect(await isOpen(port, source)).toBe(expected);
  });
});
