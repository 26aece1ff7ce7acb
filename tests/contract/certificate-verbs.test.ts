import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import { provision, run } from '../support/lab.js';
import { ended, startRealHostsWith, type RealHosts } from '../support/real-run.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

// The whole program against three hosts without etcd: nothing here gets as far as to change a cluster.

jest.setTimeout(300_000);

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const CERTIFICATES = ['etcd-server', 'etcd-peer', 'etcdctl-client'];

/** Writes the clipboard, moves the cursor, and poses as a line of ours: in C0, in C1 and in plain text. */
const LIE = '\u001b]52;c;cm0=\u0007\u009d52;c;x\u009c\u001b[2A\u202etxt\r\nAll are signed. Next: sh x';
const HARM = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/;

/** There is no systemd on this machine: no unit is installed. */
const SYSTEMCTL = `for unit; do case $unit in *.service)
printf 'Id=%s\\nNames=%s\\nLoadState=not-found\\nActiveState=inactive\\nUnitFileState=\\nNeedDaemonReload=no\\n\\n' "$unit" "$unit" ;;
esac; done`;

/** openssl that notes who has locked its host when it makes a key or a request; or that lies in its place. */
const openssl = (notes: string): string => `case $1 in genpkey | req)
  { readlink /run/provision/lock || echo nobody; } >>${notes}/locks
  [ ! -e ${notes}/lie ] || { cat ${notes}/lie; cat ${notes}/lie >&2; exit "$(cat ${notes}/status)"; } ;;
esac
exec /usr/bin/openssl "$@"`;

let hosts: RealHosts;
let notes: string;
/** Stores of one authority: without its key, and with it. */
let stores: { readonly external: string; readonly own: string };
let passphrase: readonly string[];
/** An inventory directory of one test. */
let directory: string;
let inventory: string;

beforeAll(async () => {
  notes = temporaryDirectory('certificate-verbs');
  const programs = { systemctl: SYSTEMCTL, openssl: openssl(notes) };
  hosts = await startRealHostsWith({ copies: ['/etc', '/var/lib'], programs }, MEMBERS);
  const made = join(hosts.lab.directory, 'made');
  mkdirSync(made);
  const file = join(made, 'passphrase');
  writeFileSync(file, 'correct horse battery staple\n', { mode: 0o600 });
  passphrase = ['--passphrase-file', file];
  stores = { external: join(made, 'external'), own: join(made, 'own') };
  const { certificate, key } = await makeAuthority(made);
  for (const words of [
    [stores.external, ...certificate],
    [stores.own, ...certificate, ...key, ...passphrase],
  ])
    expect(await type('ca', 'import', ...words)).toMatchObject({ status: 0, stderr: '' });
});
afterAll(() => hosts.remove());

beforeEach(async () => {
  directory = temporaryDirectory('inventory');
  inventory = join(directory, 'inventory.yaml');
  const group = `etcd:\n  hosts:\n${MEMBERS.map((name, index) => `    ${name}: { ip: 192.0.2.1${index} }\n`).join('')}`;
  writeFileSync(inventory, readFileSync(hosts.inventory, 'utf8') + group);
  for (const name of readdirSync(notes)) rmSync(join(notes, name));
  await Promise.all(MEMBERS.map((host) => hosts.onHosts('rm -rf /run/provision /var/lib/provision', host)));
});

async function type(...words: readonly string[]) {
  return ended(hosts.start(provision(...words)));
}

/** An authority made by somebody else. @returns the options that name its certificate and its key */
async function makeAuthority(
  place: string,
): Promise<{ readonly certificate: readonly string[]; readonly key: readonly string[] }> {
  const [key, certificate] = [join(place, 'ca.key'), join(place, 'ca.crt')];
  const words = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '3650'];
  const usage = ['-subj', '/CN=company', '-addext', 'keyUsage=critical,keyCertSign'];
  const made = await run(['openssl', 'req', ...words, ...usage, '-keyout', key, '-out', certificate]);
  expect([made.status, made.stderr]).toEqual([0, expect.any(String)]);
  return { certificate: ['--certificate', certificate], key: ['--key', key] };
}

/** All that is on a host and could have come from a run. */
async function leftOn(host: string): Promise<string> {
  const places = '/run/provision /var/backups /var/lib/provision /run/copies/*/upper /run/copies/*/*/upper';
  return (await hosts.onHosts(`find ${places} -mindepth 1 2>/dev/null | sort`, host)).stdout;
}

/** The files beside the inventory. */
const beside = (): readonly string[] => readdirSync(directory, { recursive: true }).map(String).sort();

describe('ca request', () => {
  beforeEach(() => {
    cpSync(stores.external, join(directory, 'pki'), { recursive: true });
  });

  const request = () => type('ca', 'request', inventory, '--playbook', 'etcd', '--yes');
  const requests = (): readonly string[] => beside().filter((path) => path.endsWith('.csr'));

  test('makes every key and request while their host is locked for it, and unlocks all', async () => {
    const { status, stdout, stderr } = await request();
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Have them signed');
    expect(requests()).toHaveLength(MEMBERS.length * CERTIFICATES.length);
    const locks = readFileSync(join(notes, 'locks'), 'utf8').trim().split('\n');
    expect(locks).toHaveLength(MEMBERS.length * CERTIFICATES.length * 2);
    for (const lock of locks) expect(JSON.parse(lock)).toMatchObject({ inventory });
    for (const host of MEMBERS) expect((await hosts.onHosts('ls -A /run/provision', host)).stdout).toBe('');
  });

  test.each([
    [
      'another run of this version',
      JSON.stringify({
        user: 'anna',
        machine: 'far',
        pid: 1,
        process: 'x 1 2',
        since: '2026-11-26',
        inventory: '/srv',
      }),
    ],
    ['somebody unknown, with escapes in the lock', LIE],
  ])('makes nothing where %s has locked one host', async (_, text) => {
    const plant = `mkdir -m 0700 /run/provision && ln -s "$(cat ${notes}/lock)" /run/provision/lock`;
    writeFileSync(join(notes, 'lock'), text);
    expect((await hosts.onHosts(plant, 'etcd-3')).status).toBe(0);
    const { status, stdout, stderr } = await request();
    // It is said before anything is shown, or asked.
    expect([status, stdout]).toEqual([EXIT.locked, '']);
    expect(stderr).toMatch(/^error: etcd-3: locked by /);
    expect(stderr).not.toMatch(HARM);
    expect(requests()).toEqual([]);
    expect(await leftOn('etcd-1')).toBe('');
    expect(await leftOn('etcd-3')).toBe('/run/provision/lock\n');
  });

  test.each([
    ['its key is here, too', () => stores.own, 'certificates are signed here, while they are installed'],
    ['there is none', () => undefined, 'there is no external CA to ask'],
  ])('is refused where an authority is not that of somebody else: %s', async (_, storeOf, told) => {
    rmSync(join(directory, 'pki'), { recursive: true });
    const store = storeOf();
    if (store !== undefined) cpSync(store, join(directory, 'pki'), { recursive: true });
    const { status, stderr } = await request();
    expect([status, stderr]).toEqual([EXIT.failed, expect.stringContaining(told)]);
    expect(existsSync(join(notes, 'locks'))).toBe(false);
    expect(requests()).toEqual([]);
  });

  test.each([
    ['fails and says', 1],
    ['gives as its request', 0],
  ])('shows what a host %s without its escapes, and unlocks all', async (_, status) => {
    writeFileSync(join(notes, 'lie'), LIE);
    writeFileSync(join(notes, 'status'), String(status));
    expect(LIE).toMatch(HARM);
    const shown = await request();
    expect(shown.status).toBe(1);
    expect(shown.stderr).toContain('etcd-1');
    expect(shown.stdout + shown.stderr).not.toMatch(HARM);
    expect(shown.stdout + shown.stderr).not.toMatch(/^All are signed/m);
    expect(requests()).toEqual([]);
    for (const host of MEMBERS) expect((await hosts.onHosts('ls -A /run/provision', host)).stdout).toBe('');
  });
});

describe('certs renew', () => {
  beforeEach(() => {
    cpSync(stores.own, join(directory, 'pki'), { recursive: true });
  });

  const renew = (...words: readonly string[]) => type('certs', 'renew', inventory, ...words);

  test('as a dry run shows the plan, keeps no journal, and leaves nothing anywhere; a run that fails does leave traces', async () => {
    const before = beside();
    const shown = await renew('--all', '--dry-run');
    expect([shown.status, shown.stderr]).toEqual([0, '']);
    expect(shown.stdout).toContain('Plan: 9 changes on 3 hosts');
    expect(beside()).toEqual(before);
    for (const host of MEMBERS) expect(await leftOn(host)).toBe('');
    // The same looks find what the same run leaves that is none: it meets a lock, which is one of them.
    await hosts.onHosts('mkdir /run/provision && ln -s planted /run/provision/lock', 'etcd-2');
    expect(await leftOn('etcd-2')).toBe('/run/provision/lock\n');
    expect((await renew('--all', '--yes', ...passphrase)).status).toBe(EXIT.locked);
    expect(beside().filter((path) => path.endsWith('.ndjson'))).toHaveLength(1);
    await hosts.onHosts('touch /etc/planted', 'etcd-2');
    expect(await leftOn('etcd-2')).toContain('/planted\n');
    await hosts.onHosts('rm /etc/planted', 'etcd-2');
  });

  test.each<[string, readonly string[], number]>([
    ['of all', ['--all'], 3],
    ['of what is named', ['etcd-server', 'etcd-2/etcd-peer'], 1],
  ])('changes, %s, only hosts within --limit', async (_, names, changes) => {
    const { status, stdout } = await renew(...names, '--dry-run', '--limit', 'all:!etcd-2:!etcd-3');
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`Plan: ${changes} changes? on 1 host,`));
    expect(stdout).not.toMatch(/^ {2}etcd-[23]/m);
  });
});

test('certs renew is refused where an external CA signs: what it has signed again cannot be told from what is there', async () => {
  cpSync(stores.external, join(directory, 'pki'), { recursive: true });
  const { status, stdout, stderr } = await type('certs', 'renew', inventory, '--all', '--dry-run');
  expect([status, stdout + stderr]).toEqual([EXIT.failed, expect.stringContaining('signed by an external CA')]);
  expect(stdout + stderr).toContain(`provision ca request ${inventory}`);
});

describe('ca rotate', () => {
  const rotate = (...words: readonly string[]) => type('ca', 'rotate', inventory, '--yes', ...passphrase, ...words);
  const keep = (store: string): void => {
    cpSync(store, join(directory, 'pki'), { recursive: true });
  };

  test.each<[string, () => void, readonly string[], string]>([
    [
      'an external CA',
      () => {
        keep(stores.external);
      },
      [],
      'the key of the authority is with an external CA',
    ],
    ['no authority', () => undefined, [], 'nothing can be rotated'],
    [
      'an adopted etcd',
      () => {
        keep(stores.own);
        const files = ['cert', 'key', 'trusted_ca', 'client_cert', 'client_key'].map((name) => `etcd_${name}_file: /x`);
        const text = readFileSync(inventory, 'utf8');
        writeFileSync(inventory, `${text}  vars: { etcd_managed: false, ${files.join(', ')} }\n`);
      },
      [],
      'etcd is adopted',
    ],
    [
      'a part of the hosts',
      () => {
        keep(stores.own);
      },
      ['--limit', 'etcd-1'],
      'it takes no --limit',
    ],
    // Nothing is set up there: that is for `apply`.
    [
      'hosts that are not settled',
      () => {
        keep(stores.own);
      },
      [],
      'while hosts are not as the inventory wants them',
    ],
  ])('refuses %s, and leaves store and hosts as they are', async (_, prepare, words, told) => {
    prepare();
    const files = beside().filter((path) => path.startsWith('pki'));
    const { status, stdout, stderr } = await rotate(...words);
    expect([status === 0, stdout + stderr]).toEqual([false, expect.stringContaining(told)]);
    expect(beside().filter((path) => path.startsWith('pki'))).toEqual(files);
    for (const host of MEMBERS) expect(await leftOn(host)).toBe('');
  });
});
