// What a host runs on a schedule, in a real shell: etcdctl, etcdutl, df and sleep are stand-ins.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { checkSnapshot } from '../../src/day-two/check-snapshot.js';
import { listSnapshots } from '../../src/day-two/snapshot-store.js';
import { scheduledSnapshotScript } from '../../src/shell/scheduled-snapshot.js';
import type { SnapshotSchedule } from '../../src/model/cluster.js';
import { sampleMember } from '../support/sample-cluster.js';
import { sealedSnapshot } from '../support/sealed-snapshot.js';
import { scratch } from '../support/scratch.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

let top: string;
let directory: string;

/** As etcdctl 3.5 prints it. */
const STATUS =
  '[{"Endpoint":"https://127.0.0.1:2379","Status":{"header":{"cluster_id":17237436991929493444,"member_id":9372538179322589801,' +
  '"revision":9,"raft_term":2},"version":"3.5.16","dbSize":20480,"leader":9372538179322589801,"raftIndex":8,"dbSizeInUse":16384}}]';
const LISTED = [
  `8211f1d0f64f3269, started, m1, https://10.0.0.1:2380, https://10.0.0.1:2379, false`,
  `91bc3c398fb3c146, started, a"b\\c, https://10.0.0.2:2380,https://10.0.1.2:2380, https://10.0.0.2:2379, false`,
];

function program(name: string, lines: readonly string[]): string {
  const path = join(top, 'bin', name);
  writeFileSync(path, ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
  return path;
}

/** @param given what etcd does for each question, in place of the usual */
function etcd(
  given: { readonly get?: string; readonly save?: string; readonly status?: string; readonly keys?: number } = {},
): void {
  const counted =
    given.keys === undefined ? 'exit 1' : `printf '"Revision" : 9\\n"More" : false\\n"Count" : ${given.keys}\\n'`;
  program('etcdctl', [
    '[ "$ETCDCTL_API $LC_ALL" = "3 C" ] || exit 9',
    'case "$*" in',
    `*"get  --from-key --limit=1 --keys-only -w fields"*) ${counted} ;;`,
    `*"get health"*) ${given.get ?? ':'} ;;`,
    `*"endpoint status"*) echo '${STATUS}' ;;`,
    `*"member list"*) cat <<'END'\n${LISTED.join('\n')}\nEND\n;;`,
    `*"snapshot save"*) ${given.save ?? `cat '${join(top, 'database')}' >./snapshot.db`} ;;`,
    'esac',
  ]);
  program('etcdutl', [given.status ?? `echo '{"hash":7,"revision":300,"totalKey":20,"totalSize":1024}'`]);
}

beforeEach(() => {
  top = temporaryDirectory('scheduled-snapshot');
  mkdirSync(join(top, 'bin'));
  const database = sealedSnapshot(1024);
  writeFileSync(join(top, 'database'), database);
  database[5] = (database[5] ?? 0) ^ 1;
  writeFileSync(join(top, 'damaged'), database);
  directory = join(top, '$(touch pwned)');
  mkdirSync(directory, { mode: 0o700 });
  program('sleep', [`echo "$1" >>'${join(top, 'slept')}'`]);
  etcd();
});

function run(
  changes: Partial<SnapshotSchedule> = {},
  member = sampleMember(1),
): { readonly status: number | null; readonly said: string } {
  const snapshots = { onCalendar: 'hourly', directory, keep: 3, ...changes };
  const script = scheduledSnapshotScript({ cluster: 'prod "1"', member, snapshots });
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], {
    cwd: scratch(),
    encoding: 'utf8',
    env: { PATH: `${top}/bin:/usr/bin:/bin` },
  });
  return { status, said: stdout + stderr };
}

function names(): readonly string[] {
  return readdirSync(directory).toSorted();
}

function usual() {
  return {
    ...{ cluster: 'prod "1"', by: 'provision-etcd-snapshot on etcd-1', id: '17237436991929493444' },
    liveKeys: undefined as number | undefined,
  };
}

/** What this host saved before of a cluster, or someone else did. */
function saved(day: string, of: Partial<ReturnType<typeof usual>> = {}): string {
  const name = `etcd-etcd-1-${day}T00-00-00Z.db`;
  const { cluster, by, id, liveKeys } = { ...usual(), ...of };
  const manifest = { file: name, cluster, clusterId: id, liveKeys, bytes: 10, savedBy: by, tool: 'any' };
  writeFileSync(join(directory, name), 'x'.repeat(10));
  writeFileSync(join(directory, `${name}.json`), `${JSON.stringify(manifest, null, 2)}\n`);
  return name;
}

function stamp(): string {
  return readFileSync(join(directory, 'last-good-etcd-1'), 'utf8');
}

const NAME = /^etcd-etcd-1-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.db$/;

describe('a host on a schedule', () => {
  test('saves what `snapshot verify`, `list` and `restore` take, and says which is its last good one', async () => {
    const { status, said } = run();
    expect([status, said]).toEqual([0, expect.stringMatching(/^saved .*: revision 300, 20 keys, 1056 bytes\n$/)]);
    const [saved = '', manifest, last, ...more] = names();
    expect([saved, manifest, last, more]).toEqual([
      expect.stringMatching(NAME),
      `${saved}.json`,
      'last-good-etcd-1',
      [],
    ]);
    const path = join(directory, saved);
    for (const file of [path, `${path}.json`]) expect(statSync(file).mode & 0o777).toBe(0o600);
    const checked = await checkSnapshot(path, { opening: () => Promise.reject(new Error('not encrypted')) } as never);
    expect(checked.manifest).toMatchObject({
      file: saved,
      cluster: 'prod "1"',
      clusterId: '17237436991929493444',
      members: [
        { name: 'm1', peerUrls: ['https://10.0.0.1:2380'] },
        { name: 'a?b?c', peerUrls: ['https://10.0.0.2:2380', 'https://10.0.1.2:2380'] },
      ],
      from: { host: 'etcd-1', name: 'm1', memberId: '9372538179322589801' },
      etcdVersion: '3.5.16',
      revision: 300,
      keys: 20,
      hash: 7,
      bytes: 1056,
    });
    expect(checked.manifest).not.toHaveProperty('liveKeys');
    expect(await listSnapshots(directory)).toMatchObject([{ path, isThere: true }]);
    expect(stamp()).toMatch(
      new RegExp(`^file=${saved}\nsaved=\\d+\nrevision=300\nkeys=20\nbytes=1056\nlarger=0\nother=0\nupload=none\n$`),
    );
    expect(existsSync(join(scratch(), 'pwned'))).toBe(false);
  });

  test('keeps the last good ones: what is no whole snapshot of ours counts for none, and stays', () => {
    const old = ['2026-11-01', '2026-11-02', '2026-11-03', '2026-11-04'].map((day) => saved(day));
    writeFileSync(join(directory, 'etcd-etcd-1-2026-11-05T00-00-00Z.db'), 'no manifest');
    writeFileSync(join(directory, old[3] ?? ''), 'cut');
    rmSync(join(directory, saved('2026-11-06')));
    writeFileSync(join(directory, 'by-hand.db'), 'precious');
    expect(run().status).toBe(0);
    const kept = names().filter((name) => !name.endsWith('.json'));
    expect(kept).toEqual([
      'by-hand.db',
      ...[old[1], old[2], old[3], 'etcd-etcd-1-2026-11-05T00-00-00Z.db'],
      expect.stringMatching(NAME),
      'last-good-etcd-1',
    ]);
    expect(names()).not.toContain('etcd-etcd-1-2026-11-06T00-00-00Z.db.json');
  });

  test.each<[string, Parameters<typeof saved>[1]]>([
    ['another cluster, which the host was of before', { cluster: 'prod' }],
    ['another host, as in a directory that both write to', { by: 'provision-etcd-snapshot on etcd-10' }],
    ['a person who saved it before a change', { by: 'ada@laptop' }],
  ])('never removes what is of %s', (_, of) => {
    const precious = saved('2026-11-01', of);
    const left = saved('2026-11-02', of);
    rmSync(join(directory, left));
    const own = saved('2026-11-03');
    expect(run({ keep: 1 }).status).toBe(0);
    expect(names()).toEqual(expect.arrayContaining([precious, `${precious}.json`, `${left}.json`]));
    expect(names()).not.toContain(own);
  });

  test('a cluster that was set up again under the same name pushes out none of what it was before', () => {
    const before = ['2026-11-01', '2026-11-02'].map((day) => saved(day, { id: '1' }));
    for (let runs = 0; runs < 4; runs++) expect(run({ keep: 1 }).status).toBe(0);
    expect(names().filter((name) => name.endsWith('.db'))).toEqual([...before, expect.stringMatching(NAME)]);
    expect(stamp()).toContain('larger=0\nother=2\n');
  });

  test('a cluster that lost its keys pushes out none of those with them; they are counted for themselves', () => {
    etcd({ keys: 10 });
    const days = ['2026-11-01', '2026-11-02', '2026-11-03'];
    const [first = '', ...large] = days.map((day) => saved(day, { liveKeys: 21 }));
    const small = saved('2026-11-04', { liveKeys: 20 });
    for (let runs = 0; runs < 4; runs++) expect(run({ keep: 2 }).status).toBe(0);
    const left = names().filter((name) => name.endsWith('.db'));
    expect(left).toEqual([...large, expect.stringMatching(NAME), expect.stringMatching(NAME)]);
    expect([left.includes(first), left.includes(small)]).toEqual([false, false]);
    expect(stamp()).toContain('larger=2\nother=0\n');
    expect(readFileSync(join(directory, `${left.at(-1) ?? ''}.json`), 'utf8')).toContain('  "liveKeys": 10,\n');
    // It has grown back: they are the oldest of all.
    etcd({ keys: 11 });
    expect(run({ keep: 2 }).status).toBe(0);
    expect(names().filter((name) => name.endsWith('.db'))).toHaveLength(2);
    expect(stamp()).toContain('larger=0\nother=0\n');
  });

  test('hosts that share a directory, saving in the same second, keep their own', () => {
    program('date', ['case "$*" in +%s) echo 1795716000 ;; *) exec /usr/bin/date "$@" ;; esac']);
    for (let runs = 0; runs < 3; runs++)
      for (const index of [1, 2, 3]) expect(run({ keep: 2 }, sampleMember(index)).status).toBe(0);
    const hosts = ['etcd-1', 'etcd-2', 'etcd-3'];
    for (const host of hosts) {
      const own = names().filter((name) => name.startsWith(`etcd-${host}-`) && name.endsWith('.db'));
      expect(own).toEqual([`etcd-${host}-2026-11-26T18-00-01Z.db`, `etcd-${host}-2026-11-26T18-00-02Z.db`]);
    }
    expect(names().filter((name) => !/^etcd-.*\.db(?:\.json)?$/.test(name))).toEqual(
      hosts.map((host) => `last-good-${host}`),
    );
  });

  test('keeps the one that it has just saved, also where the clock was set back', () => {
    const future = saved('2999-01-01');
    expect(run({ keep: 1 }).status).toBe(0);
    const [latest = '', ...others] = names().filter((name) => name.endsWith('.db'));
    expect([latest < future, others]).toEqual([true, []]);
    expect(stamp()).toContain(`file=${latest}\n`);
  });

  test.each<[string, () => void, string]>([
    [
      'a member without a quorum',
      () => {
        etcd({ get: 'echo "Error: context deadline exceeded" >&2; exit 1' });
      },
      'etcd does not answer as a member of a healthy cluster: Error: context deadline exceeded\n',
    ],
    [
      'no snapshot',
      () => {
        etcd({ save: 'echo half >./snapshot.db; echo "Error: EOF" >&2; exit 1' });
      },
      'etcd gave no snapshot: Error: EOF\n',
    ],
    [
      'half a snapshot',
      () => {
        etcd({ save: `head -c 700 '${join(top, 'database')}' >./snapshot.db` });
      },
      'the snapshot is incomplete: its 700 bytes do not end with a checksum\n',
    ],
    [
      'a damaged snapshot',
      () => {
        etcd({ save: `cat '${join(top, 'damaged')}' >./snapshot.db` });
      },
      'the snapshot is damaged: the checksum at its end does not match\n',
    ],
    [
      'a snapshot that its tool does not read',
      () => {
        etcd({ status: 'echo "panic: bad page" >&2; exit 2' });
      },
      'etcdutl can not read the snapshot\n',
    ],
    [
      'too little room',
      () => {
        program('df', ['printf "x\\nx 1 1 4096 1 x\\n"']);
      },
      'a snapshot needs 65560 KiB in DIRECTORY, and 4096 are free\n',
    ],
  ])('that gets %s keeps what it has, and fails', (_, breakIt, said) => {
    expect(run().status).toBe(0);
    const before = [names(), stamp()];
    breakIt();
    expect(run({ keep: 1 })).toEqual({ status: 1, said: said.replace('DIRECTORY', directory) });
    expect([names(), stamp()]).toEqual(before);
  });

  test('waits for an election', () => {
    const asked = join(top, 'asked');
    etcd({ get: `echo >>'${asked}'; [ "$(wc -l <'${asked}')" -gt 2 ] || exit 1` });
    expect(run().status).toBe(0);
    expect(readFileSync(join(top, 'slept'), 'utf8')).toBe('5\n5\n');
  });

  test('saves from an etcd with users, too', () => {
    etcd({ get: 'echo "Error: etcdserver: permission denied" >&2; exit 1' });
    expect(run().status).toBe(0);
  });

  test('leaves nothing of a run that lost its power', () => {
    mkdirSync(join(directory, '.new-etcd-1'));
    writeFileSync(join(directory, '.new-etcd-1/snapshot.db'), 'half');
    expect(run().status).toBe(0);
    expect(names()).toHaveLength(3);
  });

  test('does not work where others can write', () => {
    spawnSync('chmod', ['0777', directory]);
    expect(run()).toEqual({ status: 1, said: `others than root can write on the way to ${directory}\n` });
  });
});

describe('an upload', () => {
  test('gets its words as they are, and the path last; what it prints is marked', () => {
    const upload = [program('put', [`printf '<%s>\\n' "$@"`]), '--to', "$(touch pwned) 'a'", ''];
    const { status, said } = run({ upload });
    const [saved = ''] = names();
    expect([status, said.split('\n').slice(1)]).toEqual([
      0,
      ['upload: <--to>', "upload: <$(touch pwned) 'a'>", 'upload: <>', `upload: <${join(directory, saved)}>`, ''],
    ]);
    expect(stamp()).toContain('upload=done\n');
  });

  test('that fails is reported, and the snapshot stays the last good one', () => {
    const upload = [program('put', ['echo "no route" >&2', 'exit 9'])];
    const { status, said } = run({ upload });
    expect([status, said]).toEqual([
      1,
      expect.stringContaining('upload: no route\nthe snapshot is good, and its upload failed with status 9\n'),
    ]);
    const [saved = '', ...others] = names();
    expect(others).toEqual([`${saved}.json`, 'last-good-etcd-1']);
    expect(stamp()).toMatch(new RegExp(`^file=${saved}\n[\\s\\S]*upload=failed 9\n$`));
  });
});
