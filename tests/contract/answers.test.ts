import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { groupExists, userState } from '../../src/facts/accounts.js';
import { createLook } from '../../src/facts/batched-probe.js';
import { askText, fileContent } from '../../src/facts/file-content.js';
import { fileNames } from '../../src/facts/file-names.js';
import { fileState } from '../../src/facts/file-state.js';
import { addressInUse } from '../../src/facts/address-in-use.js';
import { hardwareAddresses } from '../../src/facts/hardware-addresses.js';
import { ALL_ADDRESSES, hostAddresses } from '../../src/facts/host-addresses.js';
import { listeners } from '../../src/facts/listeners.js';
import { nameAddresses } from '../../src/facts/name-addresses.js';
import { operatingSystem, SYSTEM } from '../../src/facts/operating-system.js';
import { packageState } from '../../src/facts/packages.js';
import { sourceAddress } from '../../src/facts/source-address.js';
import { unitState } from '../../src/facts/unit-state.js';
import { pathExists } from '../../src/facts/path-exists.js';
import { sysctlValue } from '../../src/facts/sysctl.js';
import type { Fact, Probe } from '../../src/model/remote.js';
import { quote } from '../../src/shell/quote.js';
import { createLocalTransport } from '../support/local-transport.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

// Each try starts programs. The first counterexample is reported, not a smaller one that the test's time-out would hide; a slow
// machine tries fewer.
fc.configureGlobal({ endOnFailure: true });
fc.installGlobalPlugin(fc.interruptAfterTimeLimit(40_000));

let directory: string;

beforeEach(async () => {
  directory = temporaryDirectory('answers');
});

const transport = createLocalTransport('here');

/** A look at this machine; `wrap` may change the whole script. */
function look(wrap = (script: string): string => script): Probe {
  const send = (_: string, script: string) => transport.run({ summary: 'look', script: wrap(script) });
  return createLook({ send, token: () => 'a1b2c3d4e5f6' }).probe('here');
}

async function askAll<V>(fact: Fact<V>, keys: readonly string[]): Promise<V[]> {
  const probe = look();
  return Promise.all(keys.map((key) => probe.ask(fact, key)));
}

/** Names of files that a stranger may choose: all but NUL and `/`. */
const fileName = fc
  .string({
    unit: fc.constantFrom(
      'a',
      '.',
      ' ',
      '\n',
      '\\',
      "'",
      '"',
      '$',
      '`',
      '*',
      '?',
      '[',
      ';',
      '-',
      '%',
      '\t',
      'é',
      '\u{1F600}',
    ),
    minLength: 1,
    maxLength: 12,
  })
  .filter((name) => name !== '.' && name !== '..');

interface Entry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'link' | 'absent';
  readonly text: string;
}

const entries = fc.uniqueArray(
  fc.record({
    name: fileName,
    kind: fc.constantFrom<Entry['kind']>('file', 'directory', 'link', 'absent'),
    text: fc.string({ unit: 'binary', maxLength: 40 }),
  }),
  { selector: ({ name }) => name, maxLength: 6 },
);

/** What chance seldom makes: a shell's patterns find these names one by one. */
const DOTTED = ['.a', '..a', '...', 'a.'].map((name) => ({ name, kind: 'file', text: name }) as const);

async function make(root: string, { name, kind, text }: Entry): Promise<void> {
  const path = join(root, name);
  if (kind === 'file') await writeFile(path, text);
  if (kind === 'directory') await mkdir(path);
  if (kind === 'link') await symlink(`to ${text.replaceAll('\0', '')}`, path);
}

describe('answers about files with any names', () => {
  test('are about the files that were asked for', async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(entries, async (all) => {
        round += 1;
        const root = join(directory, String(round));
        await mkdir(root);
        for (const entry of all) await make(root, entry);
        const paths = all.map(({ name }) => `${root}/${name}`);
        const [states, contents, present] = await Promise.all([
          askAll(fileState, paths),
          askAll(fileContent, paths),
          askAll(pathExists, paths),
        ]);
        for (const [index, { kind, text }] of all.entries()) {
          const state = states[index];
          expect(state?.kind).toBe(kind === 'link' ? 'absent' : kind);
          expect(state?.link?.target).toBe(kind === 'link' ? `to ${text.replaceAll('\0', '')}` : undefined);
          if (state?.kind === 'file') expect(state.sha256).toBe(createHash('sha256').update(text).digest('hex'));
          expect(contents[index]).toBe(kind === 'file' ? text : undefined);
          expect(present[index]).toBe(kind === 'file' || kind === 'directory');
        }
        const there = all.filter(({ kind }) => kind !== 'absent').map(({ name }) => name);
        const [names] = await askAll(fileNames, [root]);
        expect([...(names ?? [])].sort()).toEqual(there.sort());
      }),
      { numRuns: 25, examples: [[DOTTED]] },
    );
  });

  test('keep the bytes, or say that they cannot be kept', async () => {
    const path = join(directory, 'hosts');
    await writeFile(path, '\uFEFF127.0.0.1 localhost');
    expect(await askText(look(), path)).toBe('\uFEFF127.0.0.1 localhost');
    await writeFile(path, Buffer.from([0x31, 0xe9, 0x0a]));
    await expect(askText(look(), path)).rejects.toThrow(/is not UTF-8 text: it is left as it is/);
    await writeFile(path, 'x'.repeat(1024 * 1024));
    expect(await askText(look(), path)).toHaveLength(1024 * 1024);
    await writeFile(path, 'x'.repeat(1024 * 1024 + 1));
    await expect(askText(look(), path)).rejects.toThrow(/has 1048577 bytes/);
  });

  test('tell the number of an owner without a name', async () => {
    const [state] = await askAll(fileState, ['/proc/self']);
    expect(state).toMatchObject({ link: { target: expect.stringMatching(/^\d+$/), owner: 'root' } });
  });
});

const ACCOUNTS = {
  passwd: [
    'root:x:0:0:root:/root:/bin/sh',
    'ann:x:61001:61001:Ann, B:/home/ann b:/bin/sh',
    'bob:x:61002:61999::/home/bob:/bin/bash',
    'cyd:x:61003:61003::/home/cyd:/bin/sh',
  ],
  group: ['root:x:0:', 'domain users:x:61001:cyd', 'cyd:x:61003:', 'adm:x:4:cyd,ann'],
};

const canUnshare =
  userInfo().uid === 0 && (await transport.run({ summary: 'try', script: 'unshare -m true' })).status === 0;
if (!canUnshare)
  console.warn('skipped: accounts, because /etc/passwd is replaced in a mount namespace, which needs root');

(canUnshare ? describe : describe.skip)('answers about accounts', () => {
  /** In a mount namespace of its own, with these accounts. */
  async function withAccounts(): Promise<Probe> {
    for (const [name, lines] of Object.entries(ACCOUNTS)) {
      await writeFile(join(directory, name), `${lines.join('\n')}\n`);
      await chmod(join(directory, name), 0o644);
    }
    const mounts = Object.keys(ACCOUNTS).map((name) => `mount --bind ${quote(join(directory, name))} /etc/${name}`);
    return look((script) => `unshare -m sh -c ${quote([...mounts, script].join('\n'))}`);
  }

  test('do not shift: groups with blanks, groups without a name, users that are not there', async () => {
    const probe = await withAccounts();
    const names = ['bob', 'nobody-such', 'ann', '61002', 'cyd'];
    const found = await Promise.all(names.map((name) => probe.ask(userState, name)));
    expect(found).toEqual([
      { home: '/home/bob', shell: '/bin/bash', groups: ['61999'] },
      undefined,
      { home: '/home/ann b', shell: '/bin/sh', groups: ['domain users', 'adm'] },
      undefined,
      { home: '/home/cyd', shell: '/bin/sh', groups: ['cyd', 'domain users', 'adm'] },
    ]);
    const groups = ['61003', 'domain users', 'none', 'adm'];
    expect(await Promise.all(groups.map((name) => probe.ask(groupExists, name)))).toEqual([false, true, false, true]);
  });

  test('name the owner of a file, whose group has a blank or no name', async () => {
    const path = join(directory, 'owned');
    await writeFile(path, '');
    const probe = await withAccounts();
    await transport.run({ summary: 'own', script: `chown 61001:61001 ${quote(path)}` });
    expect(await probe.ask(fileState, path)).toMatchObject({ owner: 'ann', group: 'domain users' });
    await transport.run({ summary: 'own', script: `chown 61777:61999 ${quote(path)}` });
    const later = await withAccounts();
    expect(await later.ask(fileState, path)).toMatchObject({ owner: '61777', group: '61999' });
  });
});

describe('answers about kernel settings', () => {
  test('do not shift: values of several lines, settings that are not there', async () => {
    const keys = ['kernel.none', 'kernel.ostype', 'net/ipv4/none.x', 'kernel/ostype', 'net.ipv4.tcp_rmem'];
    const [none, type, other, again, words] = await askAll(sysctlValue, keys);
    expect([none, type, other, again]).toEqual([undefined, 'Linux', undefined, 'Linux']);
    expect(words).toMatch(/^\d+ \d+ \d+$/);
  });
});

/** Words that a play or an inventory may name: of the kind, and what would be a pattern, an option or a command. */
const word = fc.oneof(
  fc.constantFrom('*', '?*', '[a-z]*', '-f', '--help', '-oDir=/', ';id', '$(id)', 'a b', "it's", '\\', 'x\ny', ''),
  fc.string({ unit: fc.constantFrom('a', 'z', '0', '-', '+', '.', ':', '*', ' ', "'", '\n'), maxLength: 8 }),
);

if (!existsSync('/usr/bin/dpkg-query')) console.warn('skipped: packages, because this machine has no dpkg');

(existsSync('/usr/bin/dpkg-query') ? describe : describe.skip)('answers about packages', () => {
  test('are about the package that was asked for, whatever is asked beside it', async () => {
    const [coreutils] = await askAll(packageState, ['coreutils']);
    expect(coreutils).toMatchObject({ installed: expect.stringMatching(/^\d/), candidate: undefined });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(word, { maxLength: 5 }), fc.nat(5), async (others, at) => {
        const names = others.filter((name) => !/^(?:core|[a-z0-9]{2,}$)/.test(name));
        const found = await askAll(packageState, names.toSpliced(at, 0, 'coreutils'));
        const index = Math.min(at, names.length);
        expect(found[index]).toEqual(coreutils);
        for (const state of found.toSpliced(index, 1))
          expect(state).toEqual({ installed: undefined, held: false, candidate: undefined });
      }),
      { numRuns: 25 },
    );
  });

  test('know a package by its name with the architecture, too', async () => {
    const { stdout } = await transport.run({ summary: 'ask', script: 'dpkg --print-architecture' });
    const [plain, full] = await askAll(packageState, ['coreutils', `coreutils:${stdout.trim()}`]);
    expect(full).toEqual(plain);
  });
});

(canUnshare ? describe : describe.skip)('answers from a file of the system', () => {
  /** With another file in the place of one below /etc. */
  async function withFile(path: string, text: string): Promise<Probe> {
    const file = join(directory, 'file');
    await writeFile(file, text);
    await chmod(file, 0o644);
    return look((script) => `unshare -m sh -c ${quote(`mount --bind ${quote(file)} ${path}\n${script}`)}`);
  }

  test('have its last line, also where that has no end', async () => {
    const probe = await withFile('/etc/os-release', 'PRETTY_NAME="Own $(id)"\nID_LIKE="debian other"\nID=own');
    expect(await probe.ask(operatingSystem, SYSTEM)).toEqual({
      id: 'own',
      version: '',
      like: ['debian', 'other'],
      name: 'Own $(id)',
    });
  });

  test('have all addresses of a name, not only those of the newer family', async () => {
    const lines = ['192.0.2.1', '2001:db8::1', '192.0.2.2'].map((address) => `${address} etcd.example\n`);
    const probe = await withFile('/etc/hosts', lines.join(''));
    // A machine without IPv6 is not given such an address.
    expect(await probe.ask(nameAddresses, 'etcd.example')).toEqual(expect.arrayContaining(['192.0.2.1', '192.0.2.2']));
  });
});

/** A unit as systemd knows it; other names are aliases. */
const systemdUnit = fc.record({
  name: fc.string({ unit: fc.constantFrom('a', 'b', '-', '@', '.', '_', '1'), minLength: 1, maxLength: 8 }),
  alias: fc.option(fc.string({ unit: fc.constantFrom('x', 'y', '-'), minLength: 1, maxLength: 6 }), { nil: undefined }),
  active: fc.boolean(),
  enabled: fc.boolean(),
  loaded: fc.boolean(),
});

test('the system of this machine is what os-release says, which is read and not executed', async () => {
  const expected = await transport.run({
    summary: 'os-release',
    script: `. /etc/os-release; printf '%s\\n' "$ID" "\${VERSION_ID-}" "$PRETTY_NAME"`,
  });
  const [system] = await askAll(operatingSystem, [SYSTEM]);
  expect([system?.id, system?.version, system?.name]).toEqual(expected.stdout.split('\n').slice(0, 3));
});

describe('answers about units', () => {
  test('are about the unit that was asked for, in whatever order systemd gives them, by alias, beside patterns', async () => {
    const bin = join(directory, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'systemctl'), '#!/bin/sh\ncat "${0%/*}/shown"\n', { mode: 0o755 });
    const unique = fc.uniqueArray(systemdUnit, { selector: ({ name }) => name, minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(unique, fc.array(fc.nat(100), { minLength: 5, maxLength: 5 }), async (units, order) => {
        const blocks = units.map(({ name, alias, active, enabled, loaded }, index) =>
          [
            `Id=${name}.service`,
            `Names=${[name, ...(alias === undefined ? [] : [`${alias}${index}`])].map((each) => `${each}.service`).join(' ')}`,
            `LoadState=${loaded ? 'loaded' : 'not-found'}`,
            `ActiveState=${active ? 'active' : 'inactive'}`,
            `UnitFileState=${enabled ? 'enabled' : ''}`,
            'ExecMainStartTimestamp=',
            'StateChangeTimestamp=',
            'ReloadResult=success',
            'NeedDaemonReload=no',
          ].join('\n'),
        );
        const shuffled = blocks.map((block, index) => ({ block, at: order[index] ?? 0 })).sort((a, b) => a.at - b.at);
        await writeFile(join(bin, 'shown'), shuffled.map(({ block }) => `${block}\n`).join('\n'));
        const asked = units.map(({ name, alias }, index) => (alias === undefined ? name : `${alias}${index}`));
        const probe = look((script) => `PATH=${quote(bin)}:$PATH\n${script}`);
        const found = await Promise.all(asked.map((name) => probe.ask(unitState, name)));
        expect(found).toMatchObject(
          units.map(({ active, enabled, loaded }) => ({ active, enabled, load: loaded ? 'loaded' : 'not-found' })),
        );
        await expect(look((script) => `PATH=${quote(bin)}:$PATH\n${script}`).ask(unitState, 'none*')).rejects.toThrow(
          "the answer can't be read",
        );
      }),
      { numRuns: 25 },
    );
  });
});

/** What the kernel takes for the name of an interface (dev_valid_name), but for `%`, which it counts up. */
const interfaceName = fc
  .string({
    unit: fc.constantFrom('a', 'B', '0', '@', '{', '}', '"', "'", '$', '\\', '-', '.', '#', ';', '*'),
    minLength: 1,
    maxLength: 13,
  })
  .filter((name) => name !== '.' && name !== '..' && !name.startsWith('-'));

const network = fc.uniqueArray(
  fc.record({ name: interfaceName, host: fc.integer({ min: 1, max: 250 }), prefix: fc.integer({ min: 8, max: 32 }) }),
  { selector: ({ name }) => name, minLength: 1, maxLength: 4 },
);

(canUnshare ? describe : describe.skip)('answers about the network', () => {
  test('name each interface as it is, and its addresses, routes and listeners', async () => {
    await fc.assert(
      fc.asyncProperty(network, async (interfaces) => {
        const addresses = interfaces.map(({ host }, index) => `10.${index + 1}.0.${host}`);
        const made = interfaces.flatMap(({ name, prefix }, index) => [
          `ip link add name ${quote(name)} type bridge`,
          `ip addr add ${addresses[index] ?? ''}/${prefix} dev ${quote(name)}`,
          `ip link set dev ${quote(name)} up`,
          `ip route add 192.0.${index + 1}.0/24 dev ${quote(name)}`,
        ]);
        // A route may lead to where this machine's name server is: without one, no name is waited for.
        const surroundings = [
          ...['set -e', 'mount -t sysfs none /sys', 'mount --bind /dev/null /etc/resolv.conf', 'ip link set lo up'],
        ];
        const wrap = (script: string): string =>
          `unshare -n -m sh -c ${quote([...surroundings, ...made, 'set +e', script].join('\n'))}`;
        const probe = look(wrap);
        const [all, sources, names, ports, strangers] = await Promise.all([
          probe.ask(hostAddresses, ALL_ADDRESSES),
          Promise.all(
            [...addresses.map((_, index) => `192.0.${index + 1}.7`), '198.51.100.1'].map((target) =>
              probe.ask(sourceAddress, target),
            ),
          ),
          Promise.all(['localhost', '-h', 'R 1', 'none.invalid'].map((name) => probe.ask(nameAddresses, name))),
          probe.ask(listeners, '2379'),
          probe.ask(addressInUse, '10.1.0.251'),
        ]);
        expect((await probe.ask(hardwareAddresses, 'all')).length).toBeGreaterThan(interfaces.length);
        expect(all.filter(({ address }) => address.startsWith('10.'))).toEqual(
          interfaces.map(({ name, prefix }, index) => ({
            interface: name,
            address: addresses[index],
            prefixLength: prefix,
          })),
        );
        expect(sources).toEqual([...addresses, undefined]);
        expect(names).toEqual([expect.arrayContaining(['127.0.0.1']), [], [], []]);
        expect([ports, strangers]).toEqual([[], undefined]);
      }),
      { numRuns: 8, examples: [[[{ name: '..a@b', host: 7, prefix: 24 }]]] },
    );
  });
});
