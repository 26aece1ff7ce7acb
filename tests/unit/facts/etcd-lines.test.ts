// What hosts say of their etcd in a line each: what is almost one counts for nothing, or is an error.
import { describe, expect, test } from '@jest/globals';
import { clusterNodes } from '../../../src/facts/cluster-nodes.js';
import { etcdAuth } from '../../../src/facts/etcd-auth.js';
import { etcdCompacted } from '../../../src/facts/etcd-compacted.js';
import { etcdDatabaseFile } from '../../../src/facts/etcd-database-file.js';
import { etcdInstalled } from '../../../src/facts/etcd-installed.js';
import { etcdQuota, quotaInInventory } from '../../../src/facts/etcd-quota.js';
import { etcdRegistry } from '../../../src/facts/etcd-registry.js';
import { etcdStatus, type EtcdStatus } from '../../../src/facts/etcd-status.js';
import { presentedCertificate } from '../../../src/facts/presented-certificate.js';
import { RESTORE_TOOL, restores, RESTORES_KEY, restoreTool } from '../../../src/facts/restores.js';
import { RESTORES } from '../../../src/shell/restore-stage.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('the quota of a member', () => {
  test.each<[string, number | undefined]>([
    ['Q 2147483648', 2_147_483_648],
    ['Q 2.147483648e+09', 2_147_483_648],
    ['Q 1.5', 1.5],
    ['Q ', undefined],
    ['Q -1', undefined],
    ['Q 1 2', undefined],
    ['xQ 1', undefined],
    ['Q 1x', undefined],
  ])('%j is %s', (line, expected) => {
    expect(etcdQuota.parse(line, ['a']).get('a')).toBe(expected);
  });

  test('has a line each, and one of the inventory where it gives one', () => {
    expect([...etcdQuota.parse('Q 1\nQ 2', ['a', 'b']).values()]).toEqual([1, 2]);
    expect(() => etcdQuota.parse('Q 1', ['a', 'b'])).toThrow('a line is missing');
    expect([{ quotaBackendBytes: 5 }, { quotaBackendBytes: 0 }, undefined].map(quotaInInventory)).toEqual([
      5,
      2 * 1024 ** 3,
      2 * 1024 ** 3,
    ]);
  });
});

test('whether history is dropped, whether there is a Kubernetes, and which file a database is', () => {
  const keys = ['a', 'b', 'c'];
  expect([...etcdCompacted.parse('yes\nno\nyes!\n', keys).values()]).toEqual(['yes', 'no', 'unknown']);
  expect(() => etcdCompacted.parse('yes\nno', keys)).toThrow('a line is missing');
  expect([...etcdRegistry.parse('empty\nused\nsilent\n', keys).values()]).toEqual(['empty', 'used', 'silent']);
  for (const text of ['empty\nused\n', 'empty\nused\nother\n', '\nempty\nused\nsilent\n'])
    expect(() => etcdRegistry.parse(text, keys)).toThrow('no answer came back');
  expect([...etcdDatabaseFile.parse('F 77\nxF 1\nF 78\n', keys).values()]).toEqual(['77', '', '78']);
  expect(() => etcdDatabaseFile.parse('F 77\nF 78', keys)).toThrow();
});

describe('whether users are asked for', () => {
  const read = (text: string) => etcdAuth.parse(text, ['a']).get('a');
  test.each<[string, unknown]>([
    [`A 0 ${base64('whatever')}`, { kind: 'off' }],
    ...['invalid user ID or password', 'authentication failed', 'permission denied', 'user name is empty'].map(
      (words): [string, unknown] => [`A 1 ${base64(`{"x":1}\nError: ${words}`)}`, { kind: 'on' }],
    ),
    [`A 1 ${base64('first\nError: no route\n')}`, { kind: 'silent', reason: 'Error: no route' }],
    [`A 1 ${base64('x'.repeat(300))}`, { kind: 'silent', reason: 'x'.repeat(200) }],
    ['A 1 ', { kind: 'silent', reason: '' }],
    ['A 1', { kind: 'silent', reason: 'nothing came back' }],
    ['A x YQ==', { kind: 'silent', reason: 'nothing came back' }],
    ['A 0 YQ== x', { kind: 'silent', reason: 'nothing came back' }],
    ['B 0 YQ==', { kind: 'silent', reason: 'nothing came back' }],
    [`noise\nA 0 \n`, { kind: 'off' }],
  ])('%j is %j', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  test('each its own', () => {
    const found = etcdAuth.parse(`A 0 \nA 1 ${base64('permission denied')}\n`, ['a', 'b', 'c']);
    expect([...found.values()].map(({ kind }) => kind)).toEqual(['off', 'on', 'silent']);
  });
});

describe('the etcd that a host has', () => {
  const read = (text: string, ...units: readonly string[]) => [...etcdInstalled.parse(text, units).values()];
  const TEXT =
    'F etcd\nF etcdctl\nC /opt/3.5\nL yes\nP ii  3.4.23+dfsg-4\nD 3.5-amd64\nD 3.4-amd64\nU /opt/3.5/etcd\nU \n';
  const HOST = {
    releases: ['3.5-amd64', '3.4-amd64'],
    current: '/opt/3.5',
    isFirst: true,
    inTheWay: ['etcd', 'etcdctl'],
    packaged: { major: 3, minor: 4, patch: 23 },
  };

  test('is what its lines say, each unit its own', () => {
    const found = read(TEXT, 'etcd', 'other');
    expect(found).toEqual([
      { ...HOST, packaged: expect.anything(), running: '/opt/3.5/etcd' },
      { ...HOST, packaged: expect.anything(), running: undefined },
    ]);
    expect(etcdInstalled.evidence?.(found[0] as never)).toEqual({ current: '/opt/3.5', releases: HOST.releases });
    expect(() => read(TEXT, 'etcd')).toThrow('a unit has no answer');
    expect(() => read(TEXT, 'a', 'b', 'c')).toThrow('a unit has no answer');
  });

  test.each<[string, boolean]>([
    ['ii  3.4.23-4', true],
    ['hi  3.4.23-4', true],
    ['rc  3.4.23-4', false],
    ['iU  3.4.23-4', false],
    ['xii  3.4.23-4', false],
    ['ii  3.4.23-4 x', false],
    ['', false],
  ])('a package of which dpkg says %j counts: %s', (words, isThere) => {
    const [found] = read(`C \nL no\nP ${words}\nU \n`, 'etcd');
    expect(found?.packaged !== undefined).toBe(isThere);
    expect(found).toMatchObject({ releases: [], current: undefined, isFirst: false, inTheWay: [], running: undefined });
  });
});

describe('nodes, for who takes one away', () => {
  const read = (...lines: readonly string[]) =>
    [...clusterNodes.parse(`${lines.join('\n')}\n`, ['10.0.0.1']).values()][0];
  const NODE = 'N\tw-1\ttrue\tTrue\tmarked\t"ab-1"';
  const PODS = [
    'P\tnet/agent\tDaemonSet\tRunning',
    'P\tkube/static\tNode\tRunning',
    'P\tshop/web\tReplicaSet\tRunning',
    'P\tshop/alone\t\tRunning',
    'P\tshop/done\t\tSucceeded',
    'P\tjobs/failed\t\tFailed',
  ];
  const FOUND = {
    name: 'w-1',
    machine: 'ab-1',
    takesPods: false,
    isMarked: true,
    ready: 'true',
    evicted: ['shop/web', 'shop/alone', 'shop/done', 'jobs/failed'],
    unowned: ['shop/alone'],
    budgets: ['shop/all'],
  };

  test('come with the pods that a drain evicts, and the budgets of their namespaces', () => {
    expect(read('A', NODE, ...PODS, 'B\tshop/all', 'B\tnet/all')).toEqual({ nodes: [FOUND] });
    expect(read('A', NODE, ...PODS, 'U')).toEqual({ nodes: [{ ...FOUND, budgets: undefined }] });
  });

  test.each<[string, object]>([
    ['N\tw-1\t-\tFalse\t-\t"x"', { takesPods: true, ready: 'false', isMarked: false, machine: 'x' }],
    ['N\tw-1\t-\t-\t-\t"a b"', { ready: 'unknown', machine: '' }],
    ['N\tw-1\t-\t-\t-\tx"a"', { machine: '' }],
    ['N\tw-1\t-\t-\t-\t"a"x', { machine: '' }],
  ])('%j', (line, expected) => {
    expect(read('A', line)).toMatchObject({ nodes: [expected] });
  });

  test('of each address are its own', () => {
    const text = `A\n${NODE}\nA\nN\tw-2\t-\tTrue\t-\t"x"\nP\tshop/web\tReplicaSet\tRunning\nN\tw-3\t-\tTrue\t-\t"y"\nA\n`;
    const found = clusterNodes.parse(text, ['a', 'b', 'c']);
    const names = [...found.values()].map((seen) =>
      'nodes' in seen ? seen.nodes.map(({ name, evicted }) => [name, evicted.length]) : [],
    );
    expect(names).toEqual([
      [['w-1', 0]],
      [
        ['w-2', 1],
        ['w-3', 0],
      ],
      [],
    ]);
  });

  test('are none where a control plane says why', () => {
    expect(read('S\tno route', 'S\tother')).toEqual({ silent: 'no route' });
    expect(read('A', NODE, 'S')).toEqual({ silent: '' });
  });

  test.each([
    ['N\tBAD NAME\t-\t-\t-\t""', 'a node without a name came back'],
    ['N\tw-1\t-\t-\t-', 'a line of 5 fields came back, in place of 6'],
    ['N\tw-1\t-\t-\t-\t""\tx', 'a line of 7 fields came back, in place of 6'],
    [`${NODE}\nP\tshop/web\tx`, 'a line of 3 fields came back, in place of 4'],
    [`${NODE}\nP\tshop\tx\tRunning`, 'a pod without a name came back'],
    [`${NODE}\nP\tshop/BAD!\tx\tRunning`, 'a pod without a name came back'],
    [`${NODE}\nP\tBAD!/web\tx\tRunning`, 'a pod without a name came back'],
    [`${NODE}\nP\tshop/web/x\tx\tRunning`, 'a pod without a name came back'],
    ['B\tshop/all\tx', 'a line of 3 fields came back, in place of 2'],
    ['B\tBAD!/all', 'a pod without a name came back'],
    ['A', 'not every address came back'],
  ])('%j is an error', (line, words) => {
    expect(() => read('A', line)).toThrow(words);
  });
});

describe('restores', () => {
  const [ONE, TWO] = ['20261125T000000Z-0123abcd', '20261126T000000Z-recover'];
  const note = (ago: number | string, path: string, text: string): string =>
    `N ${ago} ${base64(`${RESTORES}/${path}`)} ${base64(text)}`;
  const read = (...lines: readonly string[]) =>
    restores
      .parse(`${lines.join('\n')}\n`, [RESTORES_KEY])
      .get(RESTORES_KEY)
      ?.map(({ id, stages, notedAgo }) => [id, Object.fromEntries(stages), Object.fromEntries(notedAgo)]);

  test('are what was noted of each, and when', () => {
    expect(
      read(note(5, `${ONE}/fenced`, 'yes\n'), note(-3, `${TWO}/done`, ''), note(7, `${ONE}/exchanged`, 'a b')),
    ).toEqual([
      [ONE, { fenced: 'yes', exchanged: 'a b' }, { fenced: 5, exchanged: 7 }],
      [TWO, { done: '' }, { done: -3 }],
    ]);
  });

  test.each([
    note('x', `${ONE}/fenced`, 'a'),
    `x${note(1, `${ONE}/fenced`, 'a')}`,
    `${note(1, `${ONE}/fenced`, 'a')} x`,
    note(1, 'other/fenced', 'a'),
    note('1'.repeat(12), `${ONE}/fenced`, 'a'),
  ])('%j is none', (line) => {
    expect(read(line)).toEqual([]);
  });

  const tool = (text: string) => restoreTool.parse(text, [RESTORE_TOOL]).get(RESTORE_TOOL);
  test.each<[string, unknown]>([
    ['T etcdutl yes 3.5.16 \n', { name: 'etcdutl', version: '3.5.16', canBump: true }],
    ['T etcdctl no\n', { name: 'etcdctl', version: '', canBump: false }],
    ['xT etcdutl yes 3\n', { name: undefined, version: '', canBump: false }],
    ['T other yes 3\n', { name: undefined, version: '', canBump: false }],
    ['T etcdutl maybe 3\n', { name: undefined, version: '', canBump: false }],
  ])('are done by %j', (text, expected) => {
    expect(tool(text)).toEqual(expected);
  });
});

test('what servers show is each its own, and none is an error', () => {
  const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  const text = `H 0\n${PEM.replaceAll(/^(?=.)/gm, ' ')}H 1\n -----BEGIN CERTIFICATE-----\n`;
  expect([...presentedCertificate.parse(text, ['a', 'b']).values()]).toEqual([
    { kind: 'presented', pem: PEM },
    { kind: 'silent', reason: 'it showed no certificate' },
  ]);
  expect(() => presentedCertificate.parse(text, ['a', 'b', 'c'])).toThrow('nothing came back for c');
});

describe('the status of a member', () => {
  const status = (more = ''): string =>
    `S ok [{"Status":{"header":{"cluster_id":18446744073709551615,"member_id":18446744073709551614},"version":"3.4.1","raftIndex":0${more}}}]`;
  const LIST = 'M ok {"members":[{"ID":18446744073709551613}]}';
  const read = (...lines: readonly string[]): EtcdStatus | undefined =>
    etcdStatus.parse(`E\n${lines.join('\n')}\n`, ['a']).get('a');
  const BASE = {
    ...{ kind: 'answers', isHealthy: false, version: '3.4.1', leaderId: '0', isLearner: false },
    ...{ clusterId: '18446744073709551615', memberId: '18446744073709551614', raftIndex: 0, dbSize: 0, revision: 0 },
    members: [{ id: '18446744073709551613', name: '', peerUrls: [], isLearner: false }],
    alarms: [],
  };

  test('is 0, empty or absent where etcd leaves out what is so', () => {
    expect(read(status(), LIST)).toEqual(BASE);
    expect(read(status(), 'M ok {}')).toEqual({ ...BASE, members: [] });
    expect(read(status().replace(',"raftIndex":0', ',"x":"raftIndex"'), LIST)).toEqual(BASE);
  });

  test('names each alarm, also one of a later etcd, and who raised it', () => {
    const alarms =
      'A ok {"alarms":[{"memberID":18446744073709551613,"alarm":1},{"alarm":2},{"memberID":5,"alarm":9},{}]}';
    expect(read(status(), LIST, alarms)).toEqual({
      ...BASE,
      alarms: ['NOSPACE', 'CORRUPT', 'alarm 9', 'alarm 0'],
      raisedBy: [
        { alarm: 'NOSPACE', memberId: '18446744073709551613' },
        { alarm: 'CORRUPT', memberId: '0' },
        { alarm: 'alarm 9', memberId: '5' },
        { alarm: 'alarm 0', memberId: '0' },
      ],
    });
    for (const none of ['A no refused', 'A ok {}', 'A ok {"alarms":[]}'])
      expect(read(status(), LIST, none)).toEqual(BASE);
  });

  test('is healthy only by its own word', () => {
    expect(
      [`H ok healthy`, 'H no x', 'xH ok', 'H yes'].map((line) => (read(status(), LIST, line) as typeof BASE).isHealthy),
    ).toEqual([true, false, false, false]);
  });

  test.each<[string, readonly string[], string]>([
    ['nothing came', [], 'etcdctl said nothing'],
    ['its status is refused', ['S no Error: context deadline exceeded (no (inner) route)'], 'no (inner) route'],
    ['its status is something else', ['S ok []'], '[]'],
    ['its status is an empty list', ['S ok [] raftIndex'.replace(' raftIndex', '')], '[]'],
    ['its list is refused', [status(), 'M no Error: x'], 'x'],
    ['its list did not come', [status()], 'no member list'],
    ['it says nothing', ['S no '], 'no answer'],
    ['it says very much', [`S no ${'x'.repeat(300)}`], 'x'.repeat(200)],
  ])('is silence where %s', (_, lines, reason) => {
    expect(read(...lines)).toEqual({ kind: 'silent', reason });
  });

  test('of several keys is each its own', () => {
    const text = `E\nS no a\nE\n${status()}\n${LIST}\n`;
    expect([...etcdStatus.parse(text, ['a', 'b']).values()].map(({ kind }) => kind)).toEqual(['silent', 'answers']);
    expect(() => etcdStatus.parse(text, ['a', 'b', 'c'])).toThrow('nothing came back for c');
  });
});
