// Answers of few lines: each state that the code tells apart, and what is almost one.
import { describe, expect, test } from '@jest/globals';
import { appliedObjects, liveObject, NETWORK_OBJECTS, objectKey } from '../../../src/facts/applied-objects.js';
import { aptSourceKey, aptSources } from '../../../src/facts/apt-sources.js';
import { createLook } from '../../../src/facts/batched-probe.js';
import { directoryWay } from '../../../src/facts/directory-way.js';
import { etcdCondition, etcdConditionKey } from '../../../src/facts/etcd-condition.js';
import { etcdIdentity, etcdIdentityKey, readIdentity } from '../../../src/facts/etcd-identity.js';
import { ETCD_SETTINGS, etcdVariable } from '../../../src/facts/etcd-process.js';
import { clusterIdIn } from '../../../src/facts/etcd-remains.js';
import { fileOrigin } from '../../../src/facts/file-origin.js';
import { fileState } from '../../../src/facts/file-state.js';
import { hasContent } from '../../../src/facts/has-content.js';
import { hostOutline } from '../../../src/facts/host-outline.js';
import { httpsKey, httpsAnswer, readTool } from '../../../src/facts/https-answer.js';
import { kernelModules } from '../../../src/facts/kernel-modules.js';
import { kubeadmOutline } from '../../../src/facts/kubeadm-outline.js';
import { letIn } from '../../../src/facts/let-in.js';
import { manifestDocument } from '../../../src/facts/manifest-document.js';
import { seenNodeRelease } from '../../../src/facts/node-release.js';
import { openPorts } from '../../../src/facts/open-ports.js';
import { operatingSystem, SYSTEM } from '../../../src/facts/operating-system.js';
import { packageState } from '../../../src/facts/packages.js';
import { argumentOf, readStaticPodManifest } from '../../../src/facts/static-pod-manifest.js';
import { isInUse, unitState } from '../../../src/facts/unit-state.js';
import { outputOf, type Fact } from '../../../src/model/remote.js';
import { sampleMember } from '../../support/sample-cluster.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('what was applied', () => {
  const POOL = { apiVersion: 'net.example/v1', kind: 'Pool', namespace: '', name: 'a' };
  const AGENT = { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: 'net', name: 'agent' };
  const listed = (text: string) => appliedObjects.parse(`0 ${base64(text)} \n`, [NETWORK_OBJECTS]).get(NETWORK_OBJECTS);

  test('is what the list has, and nothing that is no name of Kubernetes', () => {
    expect(NETWORK_OBJECTS).toBe('network');
    expect(listed('net.example/v1 Pool - a\napps/v1 DaemonSet net agent\n')).toEqual([POOL, AGENT]);
    for (const line of [
      'v1 Pool -',
      'v1 Pool - a b',
      'v1 Pool $(id) a',
      'v1 Pool -net a',
      'v1 Pool - -a',
      '-v1 Pool - a',
      'v1 Pool  a',
      'v1 Pool net a;b',
    ])
      expect(listed(line)).toEqual([]);
  });

  test('is asked for each, in its namespace or in none', () => {
    const scripts = [POOL, AGENT].map((object) => liveObject.script([objectKey(object)]));
    expect(scripts[0]).toContain('get Pool.v1.net.example a -n default ');
    expect(scripts[1]).toContain('get DaemonSet.v1.apps agent -n net ');
  });
});

test('a source of packages has its own line, and names what it names', () => {
  const key = aptSourceKey({ uri: 'https://a.example/v1/', suite: 'x' });
  const file = (path: string, text: string): string => `S ${path} ${base64(text)}\n`;
  const parse = (text: string) => aptSources.parse(text, [key]).get(key);
  expect(parse('')).toEqual([]);
  const own = file('/etc/apt/sources.list', 'deb https://a.example/v1 x main\n');
  expect(parse(own)).toEqual([{ path: '/etc/apt/sources.list', namesOthers: false }]);
  expect(parse(`${file('/etc/apt/sources.list', 'deb https://a.example/v1 x main\n').trimEnd()}!\n`)).toEqual([]);
  expect(() => parse(file('/etc/apt/sources.list.d/$(id).list', ''))).toThrow('a file of another name came back');
});

describe('an answer that can not be read is shown', () => {
  const shown = async (bytes: number): Promise<string> => {
    const fact: Fact<string> = {
      name: 'bad',
      script: () => '',
      parse: () => {
        throw new Error('bad');
      },
    };
    const send = () => Promise.resolve(outputOf(0, `${'x'.repeat(bytes)}\ntoken 0\n`));
    const error: unknown = await createLook({ send, token: () => 'token' })
      .probe('one')
      .ask(fact, 'key')
      .catch((caught: unknown) => caught);
    return (error as Error).message.replace(/^.*can't be read: /, '');
  };

  test('whole where it is short, else its beginning', async () => {
    expect(await shown(79)).toContain(`"${'x'.repeat(79)}`);
    expect(await shown(79)).not.toContain('…');
    expect(await shown(81)).toMatch(/^"x{80}"… \(8\d bytes\)$/);
  });
});

test('the way to a directory: those with links, and what is not yet there is no refusal', () => {
  const text = ['/a', '/real', '', '/b', '/x', 'there is no directory /x', '/c', '/y', 'others', ''].join('\0');
  expect([...directoryWay.parse(text, ['/a', '/b', '/c', '/d']).values()]).toEqual([
    { leadsTo: '/real', refused: undefined },
    { leadsTo: '/x', refused: undefined },
    { leadsTo: '/y', refused: 'others' },
    undefined,
  ]);
  for (const cut of ['/a\0/real', '/a']) expect([...directoryWay.parse(cut, ['/a']).values()]).toEqual([undefined]);
  // What stands last need not have its end.
  expect(directoryWay.parse('/a\0/real\0', ['/a']).get('/a')).toEqual({ leadsTo: '/real', refused: undefined });
  const suffix = ['/a', '/x', 'x there is no directory ', ''].join('\0');
  expect(directoryWay.parse(suffix, ['/a']).get('/a')?.refused).toBe('x there is no directory ');
});

describe('the condition of a member', () => {
  const key = etcdConditionKey(sampleMember(1), [sampleMember(1), sampleMember(2)]);
  const read = (...lines: readonly string[]) => etcdCondition.parse(`E\n${lines.join('\n')}\n`, [key]).get(key);

  test('is empty where nothing was said', () => {
    expect(read('T 1700000000')).toEqual({
      at: 1_700_000_000,
      unit: { load: '', active: '', sub: '', result: '', restarts: 0 },
      hasData: false,
      disk: undefined,
      peers: [],
      hasLeader: undefined,
      fsync: undefined,
      journal: [],
    });
    expect(() => etcdCondition.parse('', [key])).toThrow('nothing came back');
  });

  test('is what each line says, and nothing of others', () => {
    const found = read(
      ...['T 1', 'U LoadState=loaded', 'U ActiveState=failed', 'U SubState=dead', 'U Result=timeout', 'U NRestarts=3'],
      ...['M yes', 'D 100 -5 7 - /var/lib etcd', 'R ro', 'P 1 refused', 'P 0 open', 'P 2 other'],
      ...['X etcd_server_has_leader 1', 'X etcd_disk_wal_fsync_duration_seconds_count 9'],
      ...[
        'X etcd_disk_wal_fsync_duration_seconds_bucket{le="0.5"} 9',
        'X etcd_disk_wal_fsync_duration_seconds_bucket{le="0.001"} 2e+00',
      ],
      'X etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"} 9',
      ...['J 1700000000.25 a b', 'J 1700000001 c', 'J x y', 'J 17', 'xJ 1 z', 'Z 1'],
    );
    expect(found).toEqual({
      at: 1,
      unit: { load: 'loaded', active: 'failed', sub: 'dead', result: 'timeout', restarts: 3 },
      hasData: true,
      disk: { mount: '/var/lib etcd', totalKib: 100, freeKib: -5, totalInodes: 7, freeInodes: 0, isReadOnly: true },
      peers: ['open', 'refused', 'failed'],
      hasLeader: true,
      fsync: {
        count: 9,
        buckets: [
          [0.001, 2],
          [0.5, 9],
        ],
      },
      journal: [
        { at: 1_700_000_000, text: 'a b' },
        { at: 1_700_000_001, text: 'c' },
      ],
    });
    expect(read('T 1', 'X etcd_server_has_leader 0')?.hasLeader).toBe(false);
    expect(read('T 1', 'D 100 5 - 3 /x')?.disk).toEqual({
      mount: '/x',
      totalKib: 100,
      freeKib: 5,
      totalInodes: 0,
      freeInodes: 3,
      isReadOnly: false,
    });
    expect(read('T 1', 'D x 5 1 1 /x')?.disk).toBeUndefined();
    expect(read('T 1', 'D 1 5 1 1 ')?.disk).toBeUndefined();
  });
});

test('who answers at several endpoints is each its own, and one of them is silent', () => {
  const keys = ['https://a:1', 'https://b:1'].map((url) => etcdIdentityKey({ url }));
  const found = etcdIdentity.parse(`I 0 ${base64('connect: Connection refused\n')}\n`, keys);
  expect([...found.values()]).toEqual([
    { kind: 'silent', reason: expect.any(String) },
    { kind: 'silent', reason: 'nothing came back' },
  ]);
  expect(readIdentity(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]))).toEqual({ kind: 'silent', reason: 'no etcd answers' });
});

test('the settings of etcd that are read', () => {
  expect(ETCD_SETTINGS.map(etcdVariable)).toEqual([
    ...['ETCD_NAME', 'ETCD_DATA_DIR', 'ETCD_LISTEN_CLIENT_URLS', 'ETCD_ADVERTISE_CLIENT_URLS', 'ETCD_CERT_FILE'],
    ...['ETCD_KEY_FILE', 'ETCD_TRUSTED_CA_FILE', 'ETCD_AUTO_TLS', 'ETCD_PEER_CERT_FILE', 'ETCD_PEER_KEY_FILE'],
    ...['ETCD_HEARTBEAT_INTERVAL', 'ETCD_ELECTION_TIMEOUT', 'ETCD_CONFIG_FILE'],
  ]);
});

describe('the cluster that a log belongs to', () => {
  const record = (bytes: readonly number[], flags = 0): Buffer => {
    const length = Buffer.alloc(8);
    length.writeUInt8(bytes.length);
    length.writeUInt8(flags, 7);
    return Buffer.concat([length, Buffer.from(bytes), Buffer.alloc(flags & 7)]);
  };
  const metadata = (...data: readonly number[]): readonly number[] => [0x08, 1, 0x1a, data.length, ...data];
  const CRC = [0x08, 4, 0x10, 9];

  test.each<[string, readonly Buffer[], string | undefined]>([
    ['is in its metadata, after a checksum', [record(CRC), record(metadata(0x08, 1, 0x10, 77))], '77'],
    ['is found behind padding', [record(CRC, 0x84), record(metadata(0x10, 5))], '5'],
    ['is found behind a flag without padding', [record(CRC, 0x40), record(metadata(0x10, 6))], '6'],
    ['is none without one', [record(metadata(0x08, 1))], undefined],
    ['is none in another record', [record([0x08, 2, 0x1a, 2, 0x10, 7])], undefined],
    ['is none after an empty record', [record([]), record(metadata(0x10, 7))], undefined],
    ['is none in what is too short', [Buffer.alloc(7)], undefined],
    ['is none in nothing', [], undefined],
  ])('%s', (_, parts, expected) => {
    expect(clusterIdIn(Buffer.concat(parts))).toBe(expected);
  });
});

test('who wrote a file stands at the beginning of its line', () => {
  const sum = 'd'.repeat(32);
  expect(() => fileOrigin.parse(`xF ${sum} a\n`, ['/a'])).toThrow('no origin came back');
  expect(() => fileOrigin.parse(`F x${sum} a\n`, ['/a'])).toThrow('no origin came back');
});

test('an absent file is its own evidence', () => {
  const absent = { kind: 'absent', link: { target: 'x', owner: 'root' } } as const;
  expect(fileState.evidence?.(absent)).toBe(absent);
  const file = { kind: 'file', owner: 'a', group: 'b', mode: '0644', changedAt: 5, sha256: 'c' } as const;
  expect(fileState.evidence?.(file)).toEqual({ ...file, changedAt: undefined });
});

test('whether files hold something', () => {
  expect([...hasContent.parse('0\n1\n', ['/a', '/b']).values()]).toEqual([true, false]);
  for (const text of ['', '\n1', '2\n', '00\n'])
    expect(() => hasContent.parse(text, ['/a'])).toThrow('did not come back');
});

describe('what a host is like', () => {
  const read = (text: string) => hostOutline.parse(text, ['host']).get('host');
  test.each([
    [
      'S "Debian 12"\napt\nsystemd\nM 2097151\nD 1048576\n',
      { system: 'Debian 12', hasApt: true, hasSystemd: true, memoryMib: 2047, diskMib: 1024 },
    ],
    ['S \'a"\nM 1024\nD 1023\n', { system: '\'a"', hasApt: false, hasSystemd: false, memoryMib: 1, diskMib: 0 }],
    [
      'xS a\nS x"a"\napt2\nxsystemd\nM 1025\nD 0\n',
      { system: 'x"a"', hasApt: false, hasSystemd: false, memoryMib: 1, diskMib: 0 },
    ],
    ['M 1024\nD 1\n', { system: '', hasApt: false, hasSystemd: false, memoryMib: 1, diskMib: 0 }],
  ])('%j', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });
  test.each(['M 1\n', 'D 1\n', 'M x\nD 1\n', 'M 1\nD x\n', 'xM 1\nD 1\n'])('%j is none', (text) => {
    expect(() => read(text)).toThrow('neither memory nor disk came back');
  });
});

describe('an answer over HTTPS', () => {
  test.each<[string, number, string, unknown]>([
    ['C', 0, 'one\ntwo\n200\n', { kind: 'answer', status: 200, body: 'one\ntwo' }],
    ['C', 0, '204', { kind: 'answer', status: 204, body: '' }],
    ['C', 7, 'x\ncurl: (7) refused after 12 ms: no\n000', { kind: 'failure', reason: 'curl: (7) refused: no' }],
    ['C', 28, '000', { kind: 'failure', reason: 'curl ended with 28' }],
    ['N', 0, '', { kind: 'failure', reason: 'the host has neither curl nor openssl' }],
    [
      'O',
      0,
      'depth=0\nHTTP/1.1 503 x\r\na: b\r\n\r\nbody\n\nmore\n',
      { kind: 'answer', status: 503, body: 'body\n\nmore' },
    ],
    ['O', 0, 'HTTP/1.0 200 OK\n\nb', { kind: 'answer', status: 200, body: 'b' }],
    ['O', 0, 'HTTP/1.0 200 OK\r\na: b', { kind: 'answer', status: 200, body: '' }],
    ['O', 1, 'xHTTP/1.0 200 OK', { kind: 'failure', reason: 'no HTTP answer came back' }],
    ['O', 1, 'verify error:num=20:x\nverify return:1\n', { kind: 'failure', reason: 'no HTTP answer came back' }],
    ['O', 1, 'verify error:num=20:x\nother', { kind: 'failure', reason: 'verify error:num=20:x' }],
    [
      'O',
      1,
      '40:error:0A000086:SSL routines:f:certificate verify failed:s.c:1',
      { kind: 'failure', reason: 'certificate verify failed' },
    ],
  ])('%s that ended with %d: %j', (tool, status, text, expected) => {
    expect(readTool(tool, status, text)).toEqual(expected);
  });

  test('is asked for by all that is shown, and where', () => {
    const all = { url: 'https://a:1', ca: '/ca', certificate: '/crt', key: '/key', connectTo: '10.0.0.1' };
    expect([httpsKey(all), httpsKey({ url: 'https://a:1' })].map((key) => JSON.parse(key) as unknown)).toEqual([
      ['https://a:1', '/ca', '/crt', '/key', '10.0.0.1'],
      ['https://a:1', null, null, null],
    ]);
    expect(() => httpsAnswer.parse('xQ\n', ['a'])).toThrow('nothing came back for a');
  });
});

describe('kernel modules, images of kubeadm, ports', () => {
  test('modules', () => {
    expect([...kernelModules.parse('there\nloadable\nmissing\n', ['a', 'b', 'c']).values()]).toEqual([
      'there',
      'loadable',
      'missing',
    ]);
    for (const text of ['', 'other\n', 'there x\n'])
      expect(() => kernelModules.parse(text, ['a'])).toThrow('the state of a module is missing');
  });

  test.each<[string, unknown]>([
    [
      'V v1.28.2\nI a/pause:3.9\nI b/pause:3.9\n',
      [
        { version: 'v1.28.2', sandboxImage: 'a/pause:3.9' },
        { version: 'v1.28.2', sandboxImage: 'b/pause:3.9' },
      ],
    ],
    ['V \n', [undefined, undefined]],
  ])('images: %j', (text, expected) => {
    expect([...kubeadmOutline.parse(text, ['a', 'b']).values()]).toEqual(expected);
  });
  test.each([
    ['', 'no version came back'],
    ['xV v1\n', 'no version came back'],
    ['V v1.28.2\nI a\n', 'no image came back'],
    ['V 1.28.2\nI a\nI b\n', 'no image came back'],
    ['V v1.28\nI a\nI b\n', 'no image came back'],
    ['V v1.28.2\nI a b\nI c\n', 'no image came back'],
    ['V v1.28.2\nxI a\nI c\n', 'no image came back'],
  ])('images: %j is an error', (text, words) => {
    expect(() => kubeadmOutline.parse(text, ['a', 'b'])).toThrow(words);
  });

  test('ports, each by its number, and where it is', () => {
    const keys = ['10.0.0.1 1', '10.0.0.2 2'];
    expect([...openPorts.parse('P 1 closed\nP 0 open\n', keys).values()]).toEqual([true, false]);
    for (const text of ['P 1 open\n', 'xP 0 open\nP 1 open\n', 'P 0 opened\nP 1 open\n'])
      expect(() => openPorts.parse(text, keys)).toThrow('no answer came back for 10.0.0.1 1');
    expect(openPorts.script(keys)).toContain("'</dev/tcp/$0/$1' 10.0.0.1 1 2>/dev/null");
  });

  test('who was let in: every address, of each kind and number', () => {
    const set = (name: string, elements: string): string =>
      `table inet x {\n\tset ${name} {\n\t\ttype ipv4_addr . inet_service\n\t\telements = { ${elements} }\n\t}\n}\n`;
    const text =
      set('adverts4', '10.0.0.2 . 0x64,\n\t\t\t10.0.0.3 . 0x64') +
      set('knocks4', '10.0.0.4 . 2379, 10.0.0.5 . 2380') +
      set('knocks6', 'fd00::1 . 2379') +
      set('other', '10.0.0.9 . 2379');
    expect([...letIn.parse(text, ['advert 100', 'knock 2379', 'knock 1']).values()]).toEqual([
      ['10.0.0.2', '10.0.0.3'],
      ['10.0.0.4', 'fd00::1'],
      [],
    ]);
  });
});

test('releases for nodes, a line each', () => {
  const keys = ['containerd\n/a\n/l', 'runc\n/b\n/l'];
  expect([...seenNodeRelease.parse('T Uctr Frunc C/opt/a\nN \n', keys).values()]).toEqual([
    { isThere: true, unlinked: ['ctr'], foreign: ['runc'], current: '/opt/a' },
    { isThere: false, unlinked: [], foreign: [], current: undefined },
  ]);
  for (const text of ['', 'X \nT \n', 'T \n'])
    expect(() => seenNodeRelease.parse(text, keys)).toThrow('a release has no answer');
});

describe('the system of a host', () => {
  const read = (text: string) => operatingSystem.parse(text, [SYSTEM]).get(SYSTEM);
  test.each([
    [
      'ID=debian\nVERSION_ID="12"\nPRETTY_NAME=\'Debian 12\'\nID_LIKE="a  b"\n',
      { id: 'debian', version: '12', name: 'Debian 12', like: ['a', 'b'] },
    ],
    ['ID=x"debian"\nVERSION_ID="12\n', { id: 'x"debian"', version: '"12', name: 'x"debian" "12', like: [] }],
    ['xID=debian\n', { id: '', version: '', name: '', like: [] }],
    ['ID=arch\n', { id: 'arch', version: '', name: 'arch', like: [] }],
  ])('%j', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });
});

test('a name of a package is nothing else', () => {
  for (const name of ['a', '-x', 'a b', 'a;id', 'A1', 'ok:', 'ok:amd64 ', 'ok\n', 'ok:amd64:x'])
    expect(packageState.script([name])).toBe(':');
  for (const name of ['ab', 'libstdc++6', 'a.b-c', 'ok:amd64', '0ad'])
    expect(packageState.script([name])).toContain(`${name} 2>/dev/null`);
});

describe('a manifest', () => {
  const manifest = (command: string): string =>
    `kind: Pod\nspec:\n  containers:\n  - name: x\n    command: ${command}\n`;
  const value = (command: string) => argumentOf(readStaticPodManifest('/m', manifest(command), 'x'), 'a');

  test('gives an argument once, as it stands', () => {
    expect([value('[x, --a=1]'), value('[x, --b=1]')]).toEqual(['1', undefined]);
    expect(() => value('[x, --a=1, --a=2]')).toThrow('/m: --a is given 2 times');
    expect(() => value('[x, --a=1, --a=1, --a=1]')).toThrow('/m: --a is given 3 times');
    expect(() => value('["x", "--a=$(B)"]')).toThrow('/m: --a is given by a variable: $(B)');
    expect(value('["x", "--a=$B)"]')).toBe('$B)');
    expect(() => value('[--a=1, {b: c}]')).toThrow('/m: spec.containers.0.command.1 is not a plain word');
  });

  test('is read once, and with what it merges', () => {
    const text = 'x: &x {a: 1}\ny: {<<: *x}\n';
    expect(manifestDocument(text)).toBe(manifestDocument(text));
    expect(manifestDocument(text).toJS()).toEqual({ x: { a: 1 }, y: { a: 1 } });
  });
});

describe('a unit', () => {
  const read = (unit: string, ...lines: readonly string[]) =>
    unitState.parse(`Id=${unit.includes('.') ? unit : `${unit}.service`}\n${lines.join('\n')}\n`, [unit]).get(unit);
  const at = (second: number): string => `Thu 1970-01-01 00:00:${String(second).padStart(2, '0')}.5 UTC`;
  const TIMES = [`ExecMainStartTimestamp=${at(1)}`, `ActiveEnterTimestamp=${at(2)}`, `StateChangeTimestamp=${at(3)}`];

  test.each([
    ['a', 1.5],
    ['a.timer', 2.5],
    ['a.socket', 3.5],
  ])('%s was started at %d', (unit, startedAt) => {
    expect(read(unit, 'ActiveState=active', ...TIMES)).toMatchObject({ active: true, startedAt, loadedAt: startedAt });
  });

  test('asks for all that is read', () => {
    const names = [
      'Id',
      'Names',
      'LoadState',
      'ActiveState',
      'UnitFileState',
      'ExecMainStartTimestamp',
      'ActiveEnterTimestamp',
      'StateChangeTimestamp',
      'ReloadResult',
      'NeedDaemonReload',
    ];
    expect(unitState.script(["it's", 'a.timer'])).toBe(
      String.raw`systemctl show --timestamp=us+utc -p ${names.join(',')} -- 'it'\''s.service' a.timer`,
    );
  });

  test.each([
    [{ active: true, starting: false, enabled: false }, true],
    [{ active: false, starting: true, enabled: false }, true],
    [{ active: false, starting: false, enabled: true }, true],
    [{ active: false, starting: false, enabled: false }, false],
  ])('%j is in use: %s', (state, expected) => {
    expect(isInUse(state)).toBe(expected);
  });
});
