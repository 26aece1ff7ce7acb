// Answers of a line or a word each, read in tables: what is none of them counts for nothing.
import { describe, expect, test } from '@jest/globals';
import { nodeList } from '../../../src/facts/node-list.js';
import { NODE, nodeOutline } from '../../../src/facts/node-outline.js';
import { peerStreams } from '../../../src/facts/peer-streams.js';
import { pendingReboot, REBOOT } from '../../../src/facts/pending-reboot.js';
import { programStarts } from '../../../src/facts/program-starts.js';
import { LISTEN_S, routerIds } from '../../../src/facts/router-ids.js';
import { scheduledSnapshots, type ScheduledSnapshots } from '../../../src/facts/scheduled-snapshots.js';
import { ALL_SWAPS, swaps } from '../../../src/facts/swaps.js';
import { vrrpInstance } from '../../../src/facts/vrrp-instance.js';

/** Lines of a stamp that are otherwise; undefined: gone. */
type Changes = Readonly<Record<string, string | undefined>>;

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('snapshots on a schedule', () => {
  const STAMP = {
    ...{ file: 'etcd-a.db', saved: '1700000000', revision: '9', keys: '20', bytes: '5', larger: '1', other: '2' },
    upload: 'done',
  };
  const LAST = {
    file: 'etcd-a.db',
    savedAt: 1_700_000_000,
    revision: 9,
    keys: 20,
    bytes: 5,
    larger: 1,
    other: 2,
    upload: 'done',
  };

  function parse(...lines: readonly string[]): ScheduledSnapshots | undefined {
    return scheduledSnapshots.parse(`K\nN 1700009999\n${lines.join('\n')}\n`, ['key']).get('key');
  }
  function last(changes: Changes): unknown {
    const lines = Object.entries<string | undefined>({ ...STAMP, ...changes }).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${value}`],
    );
    return parse(`S ${base64(`${lines.join('\n')}\n`)}`)?.last;
  }

  test('are as the timer, its run and its file say', () => {
    const lines = [
      'T ActiveState=active',
      'T ActiveEnterTimestamp=@1690000000',
      'R ActiveState=activating',
      'R Result=exit-code',
      'R ExecMainStatus=70',
    ];
    expect(
      parse(
        ...lines,
        `J ${base64(' no room ü\n')}`,
        `S ${base64(
          Object.entries(STAMP)
            .map((pair) => pair.join('='))
            .join('\n'),
        )}`,
        'B 5',
      ),
    ).toEqual({
      now: 1_700_009_999,
      timer: { active: true, since: 1_690_000_000 },
      run: { isRunning: true, result: 'exit-code', status: 70, said: 'no room ü' },
      last: LAST,
      lastBytes: 5,
      due: [],
    });
  });

  test('are nothing where nothing was said', () => {
    expect(parse()).toEqual({
      now: 1_700_009_999,
      timer: { active: false, since: undefined },
      run: { isRunning: false, result: '', status: undefined, said: '' },
      last: undefined,
      lastBytes: undefined,
      due: [],
    });
    expect(
      parse('T ActiveState=activating', 'T ActiveEnterTimestamp=@17x', 'R ActiveState=active', 'B 5x', 'S '),
    ).toMatchObject({
      timer: { active: false, since: undefined },
      run: { isRunning: false },
      lastBytes: undefined,
      last: undefined,
    });
  });

  test.each(['', 'K\n', 'K\nN x\n', 'K\nN 17x\n', 'K\nxN 17\n', 'xK\nN 17\n'])(
    'of a host that does not tell its time (%j) are an error',
    (text) => {
      expect(() => scheduledSnapshots.parse(text, ['key'])).toThrow('does not say what time it is');
    },
  );

  test('of several keys are each their own', () => {
    expect([...scheduledSnapshots.parse('K\nN 1\nK\nN 2\n', ['a', 'b']).values()].map(({ now }) => now)).toEqual([
      1, 2,
    ]);
  });

  test.each<[Changes, unknown]>([
    [{}, LAST],
    [{ upload: 'none' }, { ...LAST, upload: 'none' }],
    [{ upload: 'unfinished' }, { ...LAST, upload: 'unfinished' }],
    [{ upload: 'failed 22' }, { ...LAST, upload: { failedWith: 22 } }],
    ...['failed', 'failed x', 'failed 1234', 'xfailed 1', 'yes', undefined].map((upload): [Changes, unknown] => [
      { upload },
      'unreadable',
    ]),
    ...['saved', 'revision', 'keys', 'bytes', 'larger', 'other', 'file'].flatMap((name): [Changes, unknown][] => [
      [{ [name]: undefined }, 'unreadable'],
      [{ [name]: '-1' }, 'unreadable'],
      [{ [name]: '7 ' }, 'unreadable'],
    ]),
    [{ revision: '9'.repeat(15) }, { ...LAST, revision: 999_999_999_999_999 }],
    [{ revision: '9'.repeat(16) }, 'unreadable'],
    [{ file: `etcd-${'a'.repeat(280)}.db` }, { ...LAST, file: `etcd-${'a'.repeat(280)}.db` }],
    ...[
      `etcd-${'a'.repeat(281)}.db`,
      'etcd-.db',
      '../etcd-a.db',
      'etcd-a/b.db',
      'etcd-a.db2',
      'xetcd-a.db',
      'etcd-a.db x',
    ].map((file): [Changes, unknown] => [{ file }, 'unreadable']),
    [{ note: 'a=b', file: 'etcd-a.db' }, LAST],
  ])('a stamp with %j is %j', (changes, expected) => {
    expect(last(changes)).toEqual(expected);
  });

  const at = (time: string): number => Date.parse(time) / 1000;

  test('are due as systemd says, in UTC', () => {
    const lines = [
      'C   Original form: hourly',
      'C    Next elapse: Tue 2023-11-14 23:00:00 UTC',
      'C       From now: 1h ago',
      'C    Next elapse: Wed 2023-11-15 01:00:00 CET',
      'C       (in UTC): Wed 2023-11-15 00:00:00 UTC',
      'C   Iteration #2: Wed 2023-11-15 01:00:00.5 UTC',
      'C       Iter. #3: Wed 2023-11-15 02:00:00 UTC',
      'C    Next elapse: Wed 2023-99-15 03:00:00 UTC',
      'C    Next elapse: Wed 2023-11-15 03:00:00 UTC x',
      'C  x Next elapse: Wed 2023-11-15 03:00:00 UTC',
    ];
    expect(parse(...lines)?.due).toEqual([
      at('2023-11-14T23:00:00Z'),
      at('2023-11-15T00:00:00Z'),
      at('2023-11-15T01:00:00Z'),
      at('2023-11-15T02:00:00Z'),
    ]);
  });
});

describe('router ids', () => {
  test('are listened for as long as keepalived takes to call a group gone: three adverts, one a second', () => {
    expect(LISTEN_S).toBe(3);
  });

  const parse = (text: string, ...addresses: readonly string[]) => [...routerIds.parse(text, addresses).values()];

  test('are those that each address has heard, and those of the files for all', () => {
    const text = `on 10.0.0.1
listened
heard 51 10.0.0.9 10.0.0.50 10.0.0.51
heard 52 10.0.0.8
on 10.0.0.2
files
instance
id 007
address 10.0.0.60/24
address 10.0.0.61
instance
address 10.0.0.62
instance
id 255
`;
    const inFiles = [
      { id: 7, addresses: ['10.0.0.60', '10.0.0.61'] },
      { id: 255, addresses: [] },
    ];
    const heard = [
      { id: 51, sender: '10.0.0.9', addresses: ['10.0.0.50', '10.0.0.51'] },
      { id: 52, sender: '10.0.0.8', addresses: [] },
    ];
    expect(parse(text, '10.0.0.1', '10.0.0.2', '10.0.0.3')).toEqual([
      { listened: true, used: [...heard, ...inFiles] },
      { listened: false, used: inFiles },
      { listened: false, used: inFiles },
    ]);
    expect(parse('', '10.0.0.1')).toEqual([{ listened: false, used: [] }]);
  });

  test.each([
    'xheard 51 10.0.0.9',
    'heard 51 10.0.0.9 x',
    'heard 5100 10.0.0.9',
    'heard 51',
    'heard 51 10.0.0.9 10.0.0.50;',
    'xlistened',
    'listened x',
    'files x\ninstance\nid 1',
    'files\ninstance\nid 1000',
    'files\ninstance\nxid 1',
    'files\ninstance\nid 1 x',
  ])('%j is none', (line) => {
    expect(parse(`on 10.0.0.1\n${line}\n`, '10.0.0.1')).toEqual([{ listened: false, used: [] }]);
  });

  test('an address of a file is a whole line', () => {
    const lines = [
      'address 10.0.0.1',
      'xaddress 10.0.0.2',
      'address 10.0.0.3 x',
      'address 10.0.0.4/24',
      'address fd00::1/64',
      'address 10.0.0.5/x',
    ];
    expect(parse(`on a\nfiles\ninstance\nid 1\n${lines.join('\n')}\n`, 'a')[0]?.used).toEqual([
      { id: 1, addresses: ['10.0.0.1', '10.0.0.4'] },
    ]);
  });
});

describe('an instance of VRRP', () => {
  const read = (line: string) => vrrpInstance.parse(`${line}\n`, ['/k']).get('/k');
  const BOTH = { routerId: 51, advertIntervalS: 1, addresses: [] };

  test.each<[string, unknown]>([
    ['virtual_router_id 51 advert_int 1', BOTH],
    [' advert_int 1 virtual_router_id 051 ', BOTH],
    ['virtual_router_id 51 advert_int .5', { ...BOTH, advertIntervalS: 0.5 }],
    ['virtual_router_id 51 advert_int 0.5', { ...BOTH, advertIntervalS: 0.5 }],
    ['virtual_router_id 51 advert_int 1 version 2', { ...BOTH, version: 2 }],
    ['version 3 virtual_router_id 51 advert_int 1', { ...BOTH, version: 3 }],
    ['virtual_router_id 51 advert_int 1 version 4', BOTH],
    ['virtual_router_id 51 advert_int 1 xversion 3', BOTH],
    [
      'virtual_router_id 51 advert_int 1 10.0.0.9/24 dev eth0 fd00::1/64 dev eth1 x10.0.0.8/24 dev eth0',
      { ...BOTH, addresses: ['10.0.0.9', 'fd00::1'] },
    ],
    ['virtual_router_id 51', undefined],
    ['advert_int 1', undefined],
    ['virtual_router_id 51 advert_int 0', undefined],
    ['xvirtual_router_id 51 advert_int 1', undefined],
    ['virtual_router_id 51x advert_int 1', undefined],
    ['virtual_router_id 51 xadvert_int 1', undefined],
    ['virtual_router_id 51 advert_int 1x', undefined],
    ['virtual_router_id 1234 advert_int 1', undefined],
    ['', undefined],
  ])('%j', (line, expected) => {
    expect(read(line)).toEqual(expected);
  });

  test('that would have a run wait for long is none; each file has a line of its own', () => {
    expect(read('virtual_router_id 51 advert_int 999')).toBeUndefined();
    const two = vrrpInstance.parse('\nvirtual_router_id 7 advert_int 2\n', ['/a', '/b', '/c']);
    expect([...two.values()].map((each) => each?.routerId)).toEqual([undefined, 7, undefined]);
  });
});

describe('a host that is to be a node', () => {
  const read = (text: string) => nodeOutline.parse(text, [NODE]).get(NODE);
  const HEAD = 'H Node-1\nC 3\nM 2097151\n';
  const OUTLINE = { name: 'Node-1', cpus: 3, memoryMib: 2047, isContainer: false, timeServices: [] };

  test.each<[string, unknown]>([
    [HEAD, OUTLINE],
    [`${HEAD}container\nId=x.service\nActiveState=failed\n`, { ...OUTLINE, isContainer: true }],
    [`${HEAD}no container\n`, OUTLINE],
    [
      `${HEAD}Id=chrony.service\nActiveState=active\n\nId=ntp.service\nActiveState=inactive\n\nId=ntpd.service\nActiveState=active-ish\n\nId=chronyd.service\nActiveState=active\n\nId=chrony.service\nActiveState=active\n`,
      { ...OUTLINE, timeServices: ['chronyd', 'chrony'] },
    ],
  ])('%j', (text, expected) => {
    const found = read(text);
    expect({ ...found, timeServices: [...(found?.timeServices ?? [])].toSorted() }).toEqual({
      ...(expected as object),
      timeServices: [...(expected as typeof OUTLINE).timeServices].toSorted(),
    });
  });

  test.each([
    'C 3\nM 5\n',
    'H a\nM 5\n',
    'H a\nC 3\n',
    'H a\nC x\nM 5\n',
    'H a\nC 3\nM x\n',
    'H a b\nC 3\nM 5\n',
    'xH a\nC 3\nM 5\n',
  ])('%j is none', (text) => {
    expect(() => read(text)).toThrow('neither its name, processors nor memory came back');
  });
});

test('nodes of several API servers, and a list that one did not end', () => {
  const node = (name: string): string => `N\t${name}\t"10.0.0.9" \t\t\n`;
  const read = (text: string) => [...nodeList.parse(text, ['a', 'b']).values()];
  const listed = (name: string) => [{ name, addresses: ['10.0.0.9'], isControlPlane: false, isUpgrading: false }];
  expect(read(`A\n${node('x')}\nE\nA\n${node('y')}`)).toEqual([
    { kind: 'listed', nodes: listed('x') },
    { kind: 'silent' },
  ]);
  expect(read('A\nA\nE\n')).toEqual([{ kind: 'silent' }, { kind: 'listed', nodes: [] }]);
  expect(() => read('A\nE\n')).toThrow('not every API server came back');
  expect(() => read('xA\nE\nA\nE\n')).toThrow('not every API server came back');
});

describe('connections between members', () => {
  const stream = (ends: string, room = 87040, queued = 2304): string =>
    `0      1234 ${ends} \n\t skmem:(r0,rb131072,t0,tb${room},f1792,w${queued},o0,bl0,d0)\n`;
  const read = (before: string, after = '') => {
    const found = peerStreams.parse(`${before}-- later --\n${after}`, ['2380', '2390']);
    return ['2380', '2390'].map((port) => found.get(port));
  };
  const of = (peer: string) => ({ peer, queuedBytes: 2304, roomBytes: 87040 });

  test('are those of a port, at either end, before and after', () => {
    const before = stream('203.0.113.11:2380 203.0.113.13:41234') + stream('203.0.113.11:41235 [fe80::1%eth0]:2380');
    const after = stream('10.0.0.1:2390 10.0.0.2:2380') + stream('10.0.0.1:1 10.0.0.2:2');
    expect(read(before, after)).toEqual([
      { before: [of('203.0.113.13'), of('fe80::1%eth0')], after: [of('10.0.0.2')] },
      { before: [], after: [of('10.0.0.2')] },
    ]);
  });

  test.each([
    'x0 0 10.0.0.1:2380 10.0.0.2:1',
    '0 0 10.0.0.1:2380 10.0.0.2;id:1',
    '0 0 10.0.0.1:2380 $(id):1',
    'a 0 0 10.0.0.1:2380 10.0.0.2:1',
  ])('%j is none', (line) => {
    expect(read(`${line}\n\t skmem:(r0,rb1,t0,tb1,f1,w1,o0)\n`)).toEqual(Array(2).fill({ before: [], after: [] }));
  });

  test('are none where nothing came', () => {
    expect(peerStreams.parse('', ['1']).get('1')).toEqual({ before: [], after: [] });
  });
});

describe('a reboot that is pending', () => {
  const read = (text: string) => pendingReboot.parse(text, [REBOOT]).get(REBOOT);
  test.each<[string, string | undefined]>([
    ['', undefined],
    ['R \n', '/run/reboot-required is there'],
    ['R libc6 openssl \n', '/run/reboot-required is there, for libc6 openssl'],
    ['xR a\n', undefined],
    ['U 6.1\nK 6.0 before\nK 6.2 since\n', 'kernel 6.1 runs, and 6.2 was installed since'],
    ['U 6.1\nK 6.2 since\nK 6.3 before\n', undefined],
    ['U 6.1\nK 6.1 since\n', 'kernel 6.1 runs, and was installed again since'],
    ['U 6.1\nK 6.1 since\nK 6.2 before\n', 'kernel 6.1 runs, and was installed again since'],
    ['U 6.1\nK 6.1 before\n', undefined],
    ['xU 6.1\nK 6.2 since\n', 'kernel  runs, and 6.2 was installed since'],
    ['U 6.1\nxK 6.2 since\n', undefined],
    ['U 6.1\nK 6.2 since x\n', undefined],
  ])('%j: %s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });
});

describe('when programs were started', () => {
  test('is counted from the boot, each program its own', () => {
    const text = 'T 1700000100.5 100.5 50\nP 1 7 1000\nP 0 8 25\nxP 0 9 1\nP 0 9 1 x\n';
    expect([...programStarts.parse(text, ['a', 'b', 'c']).values()]).toEqual([
      [{ pid: 8, startedAt: 1_700_000_000.5 }],
      [{ pid: 7, startedAt: 1_700_000_020 }],
      [],
    ]);
  });

  test.each(['', 'T 1700000100 100.5 50\n', 'T 1700000100.5 100.5\n', 'xT 1.5 1.5 50\n', 'T 1.5 1.5 50 x\n'])(
    'is an error where the time is %j',
    (text) => {
      expect(() => programStarts.parse(text, ['a'])).toThrow('does not tell its time');
    },
  );
});

describe('swap', () => {
  const read = (text: string) => swaps.parse(text, [ALL_SWAPS]).get(ALL_SWAPS);
  test('is what was listed, and nothing else', () => {
    const units = 'Id=a.swap\nFragmentPath=/run/a\nSourcePath=/etc/fstab\nUnitFileState=generated\n\n\nId=b.swap\n';
    expect(read(`A /dev/a\nxA /dev/b\nA /with\\040blank\\011x\nA /dev/c d\nU\n${units}`)).toEqual({
      active: ['/dev/a', '/with blank\tx'],
      units: [
        { unit: 'a.swap', file: '/run/a', source: '/etc/fstab', state: 'generated' },
        { unit: 'b.swap', file: '', source: '', state: '' },
      ],
    });
  });

  test.each([
    ['', 'the list of swap units is missing'],
    ['A /dev/a\nUU\n', 'the list of swap units is missing'],
    ['U\nId=a.swap.service\n', 'a.swap.service is no swap unit'],
    ['U\nxId=a.swap\n', ' is no swap unit'],
  ])('%j is none', (text, words) => {
    expect(() => read(text)).toThrow(words);
  });
});
