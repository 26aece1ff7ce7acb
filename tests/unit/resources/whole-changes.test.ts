import { describe, expect, test } from '@jest/globals';
import type { PackageState } from '../../../src/facts/packages.js';
import type { Resource } from '../../../src/model/change.js';
import { plainContent } from '../../../src/model/content.js';
import { absent } from '../../../src/resources/absent.js';
import { group, user } from '../../../src/resources/accounts.js';
import { command } from '../../../src/resources/command.js';
import { crictlConfiguration } from '../../../src/resources/crictl-configuration.js';
import { directory } from '../../../src/resources/directory.js';
import { downMark } from '../../../src/resources/down-mark.js';
import { file } from '../../../src/resources/file.js';
import { authPassResource } from '../../../src/resources/generated-secret.js';
import { heldPackages } from '../../../src/resources/held-packages.js';
import { hostsEntries } from '../../../src/resources/hosts-entries.js';
import { loadedModules } from '../../../src/resources/loaded-modules.js';
import { packages } from '../../../src/resources/packages.js';
import { retiredUnit } from '../../../src/resources/retired-unit.js';
import { service } from '../../../src/resources/service.js';
import { snapshotDirectory } from '../../../src/resources/snapshot-directory.js';
import { swapOff } from '../../../src/resources/swap-off.js';
import { sysctl } from '../../../src/resources/sysctl.js';
import { directoryOf, expectChange, fileOf, GONE, planned, ROOT, type ChangeCase } from '../../support/change-cases.js';
import { fakeProbe, type FakeAnswers } from '../../support/fake-probe.js';

// All that a change is: what a plan shows of it, what is done in which order, and how each of it is taken back.

describe('accounts', () => {
  const etcd = user({
    ...{ name: 'etcd', system: true, home: '/var/lib/etcd', shell: '/bin/false' },
    ...{ ownGroup: 'etcd', groups: ['ssl-cert', 'adm'] },
  });
  const person = user({ name: 'ann', system: false });
  const found = (home: string, shell: string, groups: readonly string[]): FakeAnswers => ({
    users: { etcd: { home, shell, groups } },
  });

  test.each<ChangeCase>([
    [
      'a system account',
      etcd,
      { users: { etcd: undefined } },
      [
        'create user etcd',
        '$ useradd --system --home-dir /var/lib/etcd --shell /bin/false --gid etcd --groups ssl-cert,adm etcd',
        'back: userdel etcd',
      ],
    ],
    [
      'a person whose home is made with the account',
      person,
      { users: { ann: undefined }, paths: { '/home/ann': false } },
      ['create user ann', '$ useradd --create-home ann', 'back: userdel --remove ann'],
    ],
    [
      'a person whose home was there before',
      person,
      { users: { ann: undefined }, paths: { '/home/ann': true } },
      ['create user ann', '$ useradd --create-home ann', 'back: userdel ann'],
    ],
    [
      'an account of which all differs',
      etcd,
      found('/', '/bin/sh', ['etcd', 'games']),
      [
        'change user etcd',
        '+ --home /var/lib/etcd --shell /bin/false --append --groups ssl-cert,adm',
        '$ usermod --home /var/lib/etcd --shell /bin/false --append --groups ssl-cert,adm etcd',
        'back: usermod --home / --shell /bin/sh etcd && gpasswd --delete etcd ssl-cert && gpasswd --delete etcd adm',
      ],
    ],
    [
      'an account that is in one of its groups',
      etcd,
      found('/var/lib/etcd', '/bin/false', ['ssl-cert']),
      [
        'change user etcd',
        '+ --append --groups adm',
        '$ usermod --append --groups adm etcd',
        'back: gpasswd --delete etcd adm',
      ],
    ],
    ['an account as it should be', etcd, found('/var/lib/etcd', '/bin/false', ['adm', 'ssl-cert', 'x']), []],
    ['an account of which nothing is said', person, { users: { ann: { home: '/a', shell: '/b', groups: [] } } }, []],
    [
      'a group',
      group({ name: 'shared', system: false }),
      { groups: { shared: false } },
      [
        'create group shared',
        '$ groupadd shared',
        `back: sh -c '! getent group "$1" >/dev/null || groupdel "$1"' sh shared`,
      ],
    ],
  ])('%s', async (...given) => expectChange(given));
});

describe('files', () => {
  const wanted = { ...ROOT, path: '/etc/x', content: plainContent('a\n'), mode: '0644' };
  const link = { owner: 'root', target: '/y' };

  test.each<ChangeCase>([
    [
      'one that is a link to another',
      file(wanted),
      { 'file-states': { '/etc/x': fileOf('a\n', { mode: '0600', link }) } },
      [
        'set owner and mode of /etc/x (root:root 0644)',
        '- a symbolic link to /y',
        '+ a file',
        '- root:root 0600',
        '+ root:root 0644',
        'write /etc/x root:root 0644',
      ],
    ],
    [
      'one that is a link to another, with another text',
      file(wanted),
      { 'file-states': { '/etc/x': fileOf('b\n', { link }) }, 'file-contents': { '/etc/x': 'b\n' } },
      [
        'update /etc/x (root:root 0644)',
        ...['- a symbolic link to /y', '+ a file', '--- /etc/x', '+++ /etc/x', '@@ -1 +1 @@', '-b', '+a'],
        'write /etc/x root:root 0644',
      ],
    ],
    [
      'one that is a link to nothing',
      file(wanted),
      { 'file-states': { '/etc/x': { kind: 'absent', link } } },
      [
        'create /etc/x (root:root 0644)',
        ...['- a symbolic link to /y', '+ a file', '--- /dev/null', '+++ /etc/x', '@@ -0,0 +1 @@', '+a'],
        'write /etc/x root:root 0644',
      ],
    ],
    [
      'one of another owner and group',
      file(wanted),
      { 'file-states': { '/etc/x': fileOf('a\n', { owner: 'u', group: 'g' }) } },
      [
        'set owner and mode of /etc/x (root:root 0644)',
        '- u:g 0644',
        '+ root:root 0644',
        'write /etc/x root:root 0644',
      ],
    ],
    [
      'one that is no text',
      file(wanted),
      {
        'file-states': { '/etc/x': fileOf('b') },
        'file-contents': { '/etc/x': { kind: 'not-text', bytes: 7 } },
      },
      ['update /etc/x (root:root 0644)', 'binary file differs (7 → 2 bytes)', 'write /etc/x root:root 0644'],
    ],
    [
      'one that is too large',
      file(wanted),
      {
        'file-states': { '/etc/x': fileOf('b') },
        'file-contents': { '/etc/x': { kind: 'too-large', bytes: 5_000_000 } },
      },
      ['update /etc/x (root:root 0644)', 'large file differs (5000000 → 2 bytes)', 'write /etc/x root:root 0644'],
    ],
    [
      'one of crictl that is not there',
      crictlConfiguration(wanted),
      { 'file-states': { '/etc/x': GONE } },
      [
        'create /etc/x (root:root 0644)',
        '--- /dev/null',
        '+++ /etc/x',
        '@@ -0,0 +1 @@',
        '+a',
        'write /etc/x root:root 0644',
      ],
    ],
    [
      'one of crictl that we wrote before',
      crictlConfiguration(wanted),
      {
        'file-states': { '/etc/x': fileOf('b\n') },
        'file-contents': { '/etc/x': 'b\n' },
        'file-origins': { '/etc/x': { kind: 'ours' } },
      },
      [
        ...['update /etc/x (root:root 0644)', '--- /etc/x', '+++ /etc/x', '@@ -1 +1 @@', '-b', '+a'],
        'write /etc/x root:root 0644',
      ],
    ],
    [
      'one of crictl that another tool wrote, which stays',
      crictlConfiguration(wanted),
      {
        'file-states': { '/etc/x': fileOf('b\n') },
        'file-contents': { '/etc/x': 'b\n' },
        'file-origins': { '/etc/x': { kind: 'foreign', lines: 1 } },
      },
      [],
    ],
    ['one of crictl as it should be', crictlConfiguration(wanted), { 'file-states': { '/etc/x': fileOf('a\n') } }, []],
    ['one to be removed', absent({ path: '/f' }), { 'file-states': { '/f': fileOf('') } }, ['remove /f', 'remove /f']],
    [
      'a link to a directory, to be removed',
      absent({ path: '/f' }),
      { 'file-states': { '/f': directoryOf('0755', { link }) } },
      ['remove /f', '- a symbolic link to /y', 'remove /f'],
    ],
  ])('%s', async (...given) => expectChange(given));

  test('that are directories, links of others or special are left alone', async () => {
    const refusal = async (resource: Resource, state: object): Promise<unknown> =>
      resource.plan(fakeProbe({ 'file-states': { '/etc/x': state } })).catch((error: unknown) => error);
    const [gone, place] = [absent({ path: '/etc/x' }), directory({ ...ROOT, path: '/etc/x', mode: '0755' })];
    expect(await refusal(gone, directoryOf('0755'))).toMatchObject({ code: 'not-a-file' });
    expect(await refusal(file(wanted), { ...fileOf(''), kind: 'other' })).toMatchObject({
      code: 'not-a-file',
      message: '/etc/x is a special file; a file was expected',
    });
    expect(await refusal(place, fileOf(''))).toMatchObject({ code: 'not-a-directory' });
    expect(await refusal(place, { ...GONE, link })).toMatchObject({ code: 'not-a-directory' });
    const planted = { link: { owner: 'mallory', target: '/etc/shadow' } };
    for (const resource of [file(wanted), place])
      expect(await refusal(resource, directoryOf('0755', planted))).toMatchObject({ code: 'foreign-link' });
  });
});

describe('directories', () => {
  const place = directory({ path: '/d', owner: 'etcd', group: 'etcd', mode: '0700' });
  const snapshots = snapshotDirectory('/s');
  const state = (given: object, names: readonly string[]): FakeAnswers => ({
    'file-states': { '/s': given },
    'file-names': { '/s': names },
  });

  test.each<ChangeCase>([
    [
      'one that is missing',
      place,
      { 'file-states': { '/d': GONE } },
      ['create directory /d (etcd:etcd 0700)', 'make /d etcd:etcd 0700'],
    ],
    [
      'one by way of a link',
      place,
      { 'file-states': { '/d': directoryOf('0755', { link: { owner: 'root', target: '/e' } }) } },
      [
        'set owner and mode of /d',
        '/d is a symbolic link to /e',
        '- root:root 0755',
        '+ etcd:etcd 0700',
        '$ set owner and mode of /d (at /d)',
        'back: restore owner and mode of /d',
      ],
    ],
    [
      'one for snapshots',
      snapshots,
      state(GONE, []),
      ['create directory /s (root:root 0700)', 'make /s root:root 0700'],
    ],
    ['one for snapshots that is there, whatever is in it', snapshots, state(directoryOf('0700'), ['x']), []],
  ])('%s', async (...given) => expectChange(given));

  test('that others use are not closed to them', async () => {
    const plan = snapshots.plan(fakeProbe(state(directoryOf('0755'), ['etcd-1.db', 'notes.txt'])));
    await expect(plan).rejects.toMatchObject({
      code: 'directory-in-use',
      message: expect.stringContaining('(root:root 0755) holds "'),
    });
  });
});

describe('commands and settings', () => {
  const both = command({ name: 'move', script: 'mv a b\ntrue', creates: '/b', removes: '/a' });
  const KEPT = '# Kept by provision.\nkernel.x = 1 2\n';
  const setting = sysctl({ key: 'kernel.x', value: '1 2', file: '/etc/sysctl.d/x.conf' });
  const kept = { '/etc/sysctl.d/x.conf': fileOf(KEPT) };
  const modules = loadedModules({ modules: ['a', 'b'], file: '/m.conf' });
  const keptModules = fileOf('# Kept by provision.\na\nb\n');

  test.each<ChangeCase>([
    [
      'a command that makes and removes',
      both,
      { paths: { '/a': true, '/b': false } },
      [
        ...['run move', '$ mv a b', '$ true', 'creates /b', 'removes /a'],
        ...['$ move', 'stays: what a command did stays'],
      ],
    ],
    [
      'a command that only makes',
      command({ name: 'make', script: 'touch b', creates: '/b' }),
      { paths: { '/b': false } },
      ['run make', '$ touch b', 'creates /b', '$ touch b', 'stays: what a command did stays'],
    ],
    [
      'a command that only removes',
      command({ name: 'clean', script: 'rm a', removes: '/a' }),
      { paths: { '/a': true } },
      ['run clean', '$ rm a', 'removes /a', '$ rm a', 'stays: what a command did stays'],
    ],
    ['a command that has made what it makes', both, { paths: { '/a': true, '/b': true } }, []],
    ['a command that has removed what it removes', both, { paths: { '/a': false, '/b': false } }, []],
    [
      'a kernel setting',
      setting,
      { sysctls: { 'kernel.x': '0' }, 'file-states': kept },
      ['set kernel.x = 1 2 (now: 0)', "$ sysctl -q -w 'kernel.x=1 2'", "back: sysctl -q -w 'kernel.x=0'"],
    ],
    [
      'a kernel setting that the kernel does not know',
      setting,
      { sysctls: { 'kernel.x': undefined }, 'file-states': kept },
      ['set kernel.x = 1 2 (now: unknown to the kernel)', "$ sysctl -q -w 'kernel.x=1 2'", 'back: nothing'],
    ],
    [
      'a kernel setting that is lost at the next boot',
      setting,
      { sysctls: { 'kernel.x': '1 2' }, 'file-states': { '/etc/sysctl.d/x.conf': GONE } },
      [
        'set kernel.x = 1 2 (now: 1 2)',
        ...['--- /dev/null', '+++ /etc/sysctl.d/x.conf', '@@ -0,0 +1,2 @@'],
        ...['+# Kept by provision.', '+kernel.x = 1 2', 'write /etc/sysctl.d/x.conf root:root 0644'],
      ],
    ],
    [
      'kernel modules',
      modules,
      { 'kernel-modules': { a: 'there', b: 'loadable' }, 'file-states': { '/m.conf': keptModules } },
      [
        'load the kernel modules b, now and after a reboot',
        '$ modprobe -a -- b',
        'stays: the modules b stay loaded until a reboot',
      ],
    ],
    [
      'kernel modules of which none is loaded',
      modules,
      { 'kernel-modules': { a: 'loadable', b: 'loadable' }, 'file-states': { '/m.conf': keptModules } },
      [
        'load the kernel modules a, b, now and after a reboot',
        '$ modprobe -a -- a b',
        'stays: the modules a, b stay loaded until a reboot',
      ],
    ],
    [
      'kernel modules that are lost at the next boot',
      modules,
      {
        'kernel-modules': { a: 'there', b: 'there' },
        'file-states': { '/m.conf': fileOf('old') },
        'file-contents': { '/m.conf': 'old' },
      },
      [
        'have the kernel modules a, b loaded after a reboot',
        ...['--- /m.conf', '+++ /m.conf', '@@ -1 +1,3 @@', '-old', '\\ No newline at end of file'],
        ...['+# Kept by provision.', '+a', '+b', 'write /m.conf root:root 0644'],
      ],
    ],
    [
      'lines of /etc/hosts',
      hostsEntries({ entries: [{ address: '192.0.2.1', names: ['a', 'b'] }] }),
      { 'file-contents': { '/etc/hosts': undefined }, 'file-states': { '/etc/hosts': GONE } },
      [
        'create /etc/hosts (root:root 0644)',
        ...['--- /dev/null', '+++ /etc/hosts', '@@ -0,0 +1,3 @@'],
        ...['+# BEGIN provision', '+192.0.2.1\ta b', '+# END provision', 'write /etc/hosts root:root 0644'],
      ],
    ],
  ])('%s', async (...given) => expectChange(given));
});

describe('secrets', () => {
  const password = (isKept: boolean): Resource => authPassResource({ isKept: () => isKept }, '/store');

  test.each<ChangeCase>([
    [
      'a password that is not kept yet',
      password(false),
      {},
      [
        'keep a generated keepalived password in /store, on this machine',
        ...['+ 8 random letters and digits', 'keep-secret'],
      ],
    ],
    ['a password that is kept', password(true), {}, []],
  ])('%s', async (...given) => expectChange(given));
});

describe('packages', () => {
  const missing: PackageState = { installed: undefined, candidate: '1.1', held: false };
  const there: PackageState = { installed: '1.0', candidate: undefined, held: false };

  test.each<ChangeCase>([
    [
      'those that are missing or of another version',
      packages({ names: ['x', 'y=2.*', 'z'], keepStopped: ['x'] }),
      { packages: { x: missing, y: there, z: there } },
      [
        ...['install x, y', '+ x 1.1', '~ y 1.0 → 2.*', 'wait for apt-unlocked {}'],
        ...['$ apt-get install x=1.1 y=2.*', 'stays: packages stay installed'],
      ],
    ],
    [
      'one that apt does not know yet',
      packages({ names: ['x'] }),
      { packages: { x: { ...missing, candidate: undefined } } },
      [
        ...['install x', '+ x (version known after apt-get update)', 'wait for apt-unlocked {}'],
        ...['$ apt-get install x', 'stays: packages stay installed'],
      ],
    ],
    [
      'those to be held',
      heldPackages(['x', 'y', 'z']),
      { packages: { x: there, y: { ...there, installed: '3' }, z: { ...there, held: true } } },
      [
        ...['hold x, y: no upgrade but on demand', '+ hold x 1.0', '+ hold y 3'],
        ...['$ apt-mark hold x y >/dev/null', 'back: apt-mark unhold x y >/dev/null'],
      ],
    ],
    [
      'one to be held that this run installs',
      heldPackages(['x'], { resource: planned('change'), names: ['x'] }),
      { packages: { x: missing } },
      [
        ...['hold x: no upgrade but on demand', '+ hold x'],
        ...['$ apt-mark hold x >/dev/null', 'back: apt-mark unhold x >/dev/null'],
      ],
    ],
  ])('%s', async (...given) => expectChange(given));

  test('have the time to wait for the lock, and as long again', async () => {
    const outcome = await packages({ names: ['x'] }).plan(fakeProbe({ packages: { x: missing } }));
    const [, action] = outcome.kind === 'change' ? outcome.change.actions : [];
    expect(action).toMatchObject({ command: { timeoutMs: 1_200_000 } });
  });
});

test('each is known by its address in a saved plan, and a service by the files that it runs with', () => {
  const own = { ...ROOT, path: '/p', mode: '0644' };
  const all: readonly Resource[] = [
    absent(own),
    user({ name: 'u', system: true }),
    group({ name: 'g', system: true }),
    command({ name: 'c', script: '' }),
    directory(own),
    file({ ...own, content: plainContent('') }),
    hostsEntries({ entries: [] }),
    heldPackages(['a', 'b']),
    loadedModules({ modules: ['m'], file: '/p' }),
    packages({ names: ['a', 'b=1'] }),
    service({ unit: 'x', onChange: 'restart', runsWith: [] }),
    snapshotDirectory('/p'),
    sysctl({ key: 'k', value: '1', file: '/p' }),
    swapOff(),
    downMark({ unit: 'x', mark: '/m', dropIn: '/p', file: { ...own, content: plainContent('') } }),
    retiredUnit({ unit: 'x', configFile: '/c', successor: 'y' }),
  ];
  expect(all.map(({ address, paths }) => [address, ...paths].join(' '))).toEqual([
    ...['absent:/p /p', 'user:u', 'group:g', 'command:c', 'directory:/p', 'file:/p /p'],
    ...['hosts-entries:/etc/hosts /etc/hosts', 'held-packages:a,b', 'modules:/p /p', 'packages:a,b=1', 'service:x'],
    ...['directory:/p', 'sysctl:k /p', 'swap-off /etc/fstab', 'drop-in:/p /p', 'retired:x'],
  ]);
});
