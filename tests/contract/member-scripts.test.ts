import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Command } from '../../src/model/remote.js';
import {
  addLearner,
  allowJoin,
  endJoin,
  JOIN_DROP_IN,
  JOIN_ENV,
  moveMemberAside,
  promoteLearner,
  removeMember,
} from '../../src/shell/join-member.js';
import { backInService, removeLeaving, yieldLeadership } from '../../src/shell/leave-cluster.js';
import { sampleMember } from '../support/sample-cluster.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { scratch } from '../support/scratch.js';

let directory = '';
let data = '';

const VOTERS = [
  'a1, started, m1, https://10.0.0.1:2380, https://10.0.0.1:2379, false',
  'b2, started, m2, https://10.0.0.2:2380, https://10.0.0.2:2379, false',
];
const OLD = 'c3, started, m3, https://10.0.0.3:2380, https://10.0.0.3:2379, false';
const ADDED = 'd4, unstarted, , https://10.0.0.3:2380, , true';
const LEARNER = 'd4, started, m3, https://10.0.0.3:2380, https://10.0.0.3:2379, true';
const OWN = 'https://127.0.0.1:2379, d4, 3.4.23, 20 kB, false, true, 2, 100, 100, ';
/** The same of etcd 3.6: storage version, size in use, share that is free, quota; at its end whether it is to go back. */
const OWN_3_6 = 'https://127.0.0.1:2379, d4, 3.6.4, 3.6.0, 20 kB, 16 kB, 20%, 0 B, false, true, 3, 12, 12, , , false';

beforeEach(() => {
  directory = temporaryDirectory('member');
  data = join(directory, 'data');
  for (const path of [data, join(directory, 'bin'), join(directory, 'systemd')]) mkdirSync(path);
  program('etcdctl', [
    '[ "$ETCDCTL_API" = 3 ] || exit 9',
    // The last words are what is asked; what changes something is noted.
    `url="\${1#--endpoints=}"; host=\${url#https://}; host=\${host%%:*}`,
    `case "$*" in`,
    `*'member list'*) cat "${directory}/list@$host" 2>/dev/null || cat ${directory}/list ;;`,
    `*'endpoint status -w json'*) echo "[{\\"header\\":{\\"cluster_id\\":$(cat "${directory}/id@$host" 2>/dev/null || echo 77),\\"member_id\\":1}}]" ;;`,
    `*'endpoint status'*) cat ${directory}/status ;;`,
    `*) printf '%s\\n' "\${*##*--command-timeout=15s }" >>${directory}/done ;;`,
    'esac',
  ]);
  program('systemctl', [
    `case "$1" in is-active) [ -e ${directory}/active ] ;; stop) rm -f ${directory}/active ;; esac`,
  ]);
  program('sleep', []);
  // Asks whether a port takes connections: all do that are not named.
  program('bash', [
    `if grep -qx "$3" ${directory}/refusing 2>/dev/null; then echo 'connect: Connection refused' >&2; exit 1; fi`,
  ]);
  // Only root may change the user.
  program('setpriv', ['while [ "$1" != sh ]; do shift; done', 'exec "$@"']);
  list(...VOTERS);
});

function program(name: string, lines: readonly string[]): void {
  writeFileSync(join(directory, 'bin', name), `#!/bin/sh\n${lines.join('\n')}\n`);
  chmodSync(join(directory, 'bin', name), 0o755);
}

const write = (name: string, text: string): void => {
  writeFileSync(join(directory, name), text);
};

function list(...lines: readonly string[]): void {
  write('list', lines.map((line) => `${line}\n`).join(''));
}

const here = (text: string): string =>
  text.replaceAll('/etc/systemd/system/etcd.service.d', join(directory, 'systemd'));

/** @returns what was asked of etcd that changes something, or why nothing was */
function run({ script }: Command): string {
  const env = { PATH: `${join(directory, 'bin')}:/usr/sbin:/usr/bin:/sbin:/bin`, LC_ALL: 'C' };
  const { status, stderr } = spawnSync('sh', ['-c', here(script)], { env, encoding: 'utf8', cwd: scratch() });
  if (status !== 0) return `refused: ${stderr.trim()}`;
  const done = join(directory, 'done');
  return existsSync(done) ? readFileSync(done, 'utf8').trim() : 'nothing';
}

const member = () => ({ ...sampleMember(3), dataDir: data });
const request = () => ({ member: member(), peers: [sampleMember(1), sampleMember(2)], clusterId: '77' });

describe('the list of members', () => {
  test('is not changed where the others do not say what is on it', () => {
    program('etcdctl', [`case "$*" in *list*) exit 1 ;; *) touch ${directory}/done ;; esac`]);
    for (const command of [removeMember(request(), 'c3'), addLearner(request()), promoteLearner(request())])
      expect(run(command)).toMatch(/^refused: the other members do not say the same/);
  });

  describe('is what most of the others say, of one cluster', () => {
    const three = () => ({ ...request(), peers: [1, 2, 4].map((number) => sampleMember(number)) });
    const lines = (...all: readonly string[]): string => all.map((line) => `${line}\n`).join('');
    /** @returns who was asked to change it, or why nobody was */
    const asked = (command: Command): string => {
      program('etcdctl', [
        readFileSync(join(directory, 'bin', 'etcdctl'), 'utf8').replace(
          '*) printf',
          `*) echo "$url" >>${directory}/asked; printf`,
        ),
      ]);
      const said = run(command);
      return existsSync(join(directory, 'asked')) ? readFileSync(join(directory, 'asked'), 'utf8').trim() : said;
    };
    const [ONE, TWO, FOUR] = [1, 2, 4].map((number) => `https://10.0.0.${number}:2379`);

    test.each<[string, () => void, string | RegExp]>([
      ['all agree', () => undefined, `${ONE},${TWO},${FOUR}`],
      [
        'one lists others',
        () => {
          write('list@10.0.0.1', lines(VOTERS[0] ?? ''));
        },
        `${TWO},${FOUR}`,
      ],
      [
        'one is of another cluster',
        () => {
          write('id@10.0.0.2', '99');
        },
        `${ONE},${FOUR}`,
      ],
      [
        'one is silent',
        () => {
          write('list@10.0.0.4', '');
        },
        `${ONE},${TWO}`,
      ],
      [
        'the port of one refuses',
        () => {
          write('refusing', '10.0.0.2\n');
        },
        `${ONE},${FOUR}`,
      ],
      [
        'the port of one refuses, and the same port of this host takes connections at every address',
        () => {
          write('refusing', '10.0.0.2\n');
          program('grep', ['case "$*" in */proc/net/tcp*) exit 0 ;; esac', 'PATH=/usr/bin:/bin exec grep "$@"']);
        },
        `${ONE},${FOUR}`,
      ],
      [
        'the port of one refuses for a moment, and another one lies',
        () => {
          write('list@10.0.0.1', lines(OLD));
          write('list@10.0.0.2', '');
          write('refusing', '10.0.0.4\n');
          program('sleep', [`rm -f ${directory}/refusing`, `cp ${directory}/list ${directory}/list@10.0.0.2`]);
        },
        `${TWO},${FOUR}`,
      ],
      [
        'the ports of all refuse',
        () => {
          write('refusing', '10.0.0.1\n10.0.0.2\n10.0.0.4\n');
        },
        /^refused: the other members/,
      ],
      [
        'most are of another cluster',
        () => {
          for (const number of [2, 4]) {
            write(`id@10.0.0.${number}`, '99');
            write(`list@10.0.0.${number}`, lines(OLD));
          }
        },
        `${ONE}`,
      ],
      [
        'one of two that answer lies, who is asked last',
        () => {
          write('list@10.0.0.2', lines(OLD));
          write('list@10.0.0.4', '');
        },
        `${ONE}`,
      ],
      [
        'each says something else',
        () => {
          write('list@10.0.0.2', lines(OLD));
          write('list@10.0.0.4', lines(LEARNER));
        },
        /^refused: the other members do not say the same of who the members are/,
      ],
      [
        'nobody is of that cluster',
        () => {
          for (const number of [1, 2, 4]) write(`id@10.0.0.${number}`, '99');
        },
        /^refused: the other members/,
      ],
    ])('%s', (_, prepare, expected) => {
      prepare();
      if (typeof expected === 'string') expect(asked(addLearner(three()))).toBe(expected);
      else expect(asked(addLearner(three()))).toMatch(expected);
    });
  });

  test('loses just the id that was planned, once', () => {
    list(...VOTERS, OLD);
    expect(run(removeMember(request(), 'c3'))).toBe('member remove c3');
    list(...VOTERS, LEARNER);
    write('done', '');
    expect(run(removeMember(request(), 'c3'))).toBe('');
  });

  test.each([
    [
      'etcd runs again',
      () => {
        write('active', '');
      },
      /etcd runs here again/,
    ],
    [
      'its data is back',
      () => {
        mkdirSync(join(data, 'member'));
      },
      /there is data in .* again/,
    ],
    [
      'etcd runs again with its data: the refusal says that it runs',
      () => {
        write('active', '');
        mkdirSync(join(data, 'member'));
      },
      /etcd runs here again/,
    ],
  ])('is not changed where %s', (_, comeBack, why) => {
    list(...VOTERS, OLD);
    comeBack();
    expect(run(removeMember(request(), 'c3'))).toMatch(why);
    list(...VOTERS);
    expect(run(addLearner(request()))).toMatch(why);
    expect(existsSync(join(directory, 'done'))).toBe(false);
  });

  describe('is changed once all voters are connected', () => {
    /** etcd refuses a change with these words, so many times. */
    const refuses = (words: string, times: number): void => {
      write('left', String(times));
      program('etcdctl', [
        `case "$*" in *'member list'* | *status*) ;; *'member add'* | *'member remove'*)`,
        `left=$(cat ${directory}/left); echo $((left - 1)) >${directory}/left`,
        `[ "$left" -le 0 ] || { echo 'Error: ${words}' >&2; exit 1; } ;; esac`,
        readFileSync(join(directory, 'bin/etcdctl'), 'utf8'),
      ]);
      // Each pause takes four seconds.
      write('now', '0');
      program('date', [`cat ${directory}/now`]);
      program('sleep', [
        `echo $(($(cat ${directory}/now) + 4)) >${directory}/later; mv ${directory}/later ${directory}/now`,
      ]);
    };
    const left = (): string => readFileSync(join(directory, 'left'), 'utf8').trim();

    test('after some were not', () => {
      refuses('etcdserver: unhealthy cluster', 3);
      expect(run(addLearner(request()))).toBe('member add m3 --peer-urls=https://10.0.0.3:2380 --learner');
      list(...VOTERS, OLD);
      write('left', '2');
      write('done', '');
      expect(run(removeMember(request(), 'c3'))).toBe('member remove c3');
      write('left', '2');
      write('done', '');
      expect(run(removeLeaving(request(), 'c3', undefined))).toBe('member remove c3');
    });

    test('or not at all, where they stay so', () => {
      refuses('etcdserver: unhealthy cluster', 1000);
      expect(run(addLearner(request()))).toMatch(/^refused: .*unhealthy cluster/);
      expect(left()).toBe('991');
    });

    test('and not where the list has changed meanwhile, or the member is back', () => {
      refuses('etcdserver: unhealthy cluster', 3);
      const sleep = readFileSync(join(directory, 'bin/sleep'), 'utf8');
      const meanwhile = (line: string): void => {
        write('left', '3');
        program('sleep', [sleep, line]);
      };
      meanwhile(`echo '${ADDED}' >>${directory}/list`);
      expect(run(addLearner(request()))).toMatch(/^refused: another membership change is in progress: d4/);
      list(...VOTERS, OLD);
      meanwhile(`touch ${directory}/active`);
      expect(run(removeMember(request(), 'c3'))).toMatch(/^refused: etcd runs here again/);
      expect(run(removeLeaving(request(), 'c3', member()))).toMatch(/^refused: etcd runs here again/);
      // Whoever was quicker has done the same.
      meanwhile(`sed -i /^c3/d ${directory}/list`);
      rmSync(join(directory, 'active'));
      expect(run(removeMember(request(), 'c3'))).toBe('nothing');
      expect(existsSync(join(directory, 'done'))).toBe(false);
    });

    test('and nothing else is asked for again', () => {
      refuses('etcdserver: re-configuration failed due to not enough started members', 1000);
      expect(run(addLearner(request()))).toMatch(/^refused: .*not enough started members/);
      expect(left()).toBe('999');
    });
  });

  test('gets a learner, under its own peer URL', () => {
    expect(run(addLearner(request()))).toBe('member add m3 --peer-urls=https://10.0.0.3:2380 --learner');
  });

  test.each([
    [
      'another learner is there',
      'e5, started, m9, https://10.0.0.9:2380, https://10.0.0.9:2379, true',
      /another membership change/,
    ],
    ['another member never started', 'e5, unstarted, , https://10.0.0.9:2380, , false', /another membership change/],
    ['its name is listed', OLD.replace('10.0.0.3', '10.0.0.8'), /listed already/],
    ['its URL is listed', OLD.replace('m3', 'other'), /listed already/],
  ])('gets none where %s', (_, line, why) => {
    list(...VOTERS, line);
    expect(run(addLearner(request()))).toMatch(why);
  });

  test.each([
    ['3.4', OWN],
    ['3.6', OWN_3_6],
  ])('a learner of etcd %s that is started is promoted, and no other', (_, own) => {
    write('status', `${own}\n`);
    list(...VOTERS, LEARNER);
    expect(run(promoteLearner(request()))).toBe('member promote d4');
    rmSync(join(directory, 'done'));
    // Debian 12's etcd would promote it.
    list(...VOTERS, ADDED);
    expect(run(promoteLearner(request()))).toMatch(/do not list d4 as started/);
    write('status', `${own.replace('false, true', 'false, false')}\n`);
    expect(run(promoteLearner(request()))).toBe('nothing');
  });
});

describe('a member that leaves', () => {
  const leave = (id = 'c3') => removeLeaving(request(), id, member());

  test('is taken out of the list by its id, once it is stopped, and once', () => {
    list(...VOTERS, OLD);
    expect(run(leave())).toBe('member remove c3');
    write('done', '');
    write('active', '');
    expect(run(leave())).toMatch(/etcd runs here again/);
    // Asked from another host, it is not looked for there.
    expect(run(removeLeaving(request(), 'c3', undefined))).toBe('member remove c3');
    write('done', '');
    list(...VOTERS);
    expect(run(removeLeaving(request(), 'c3', undefined))).toBe('');
  });

  test.each([
    ['a learner', 'e5, started, m9, https://10.0.0.9:2380, https://10.0.0.9:2379, true'],
    ['one that never started', 'e5, unstarted, , https://10.0.0.9:2380, , false'],
  ])('stays while another change is in progress: %s', (_, other) => {
    list(...VOTERS, OLD, other);
    expect(run(leave())).toMatch(/another membership change is in progress: e5/);
    // The one that leaves may be that itself.
    expect(run(leave('e5'))).toBe('member remove e5');
  });

  test('runs again where that fails, as long as its data is there', () => {
    program('systemctl', [`printf '%s ' "$*" >>${directory}/done`]);
    expect(run(backInService(member()))).toBe('nothing');
    mkdirSync(join(data, 'member'));
    expect(run(backInService(member()))).toBe('enable --quiet etcd.service start etcd.service');
  });

  test('stays where the others do not say what is on the list', () => {
    program('etcdctl', [`case "$*" in *list*) exit 1 ;; *) touch ${directory}/done ;; esac`]);
    expect(run(leave())).toMatch(/^refused: the other members do not say the same/);
  });

  test.each([
    ['that stays', ['m1'], 'move-leader b2'],
    ['whoever it is, where all leave', ['m1', 'm2'], 'move-leader a1'],
    ['that is first, where none leaves', [], 'move-leader a1'],
  ])('hands leadership over to one %s', (_, leaving, asked) => {
    list(...VOTERS, OLD);
    write('status', 'https://127.0.0.1:2379, c3, 3.4.23, 20 kB, true, false, 2, 100, 100, \n');
    expect(run(yieldLeadership(member(), leaving)).replace(/^.*(?=move-leader)/, '')).toBe(asked);
  });
});

describe('on its host', () => {
  test('it joins with just these members, and serves nobody else; then it starts as usual', () => {
    list(...VOTERS, ADDED);
    // No unit of etcd has had a drop-in here.
    rmSync(join(directory, 'systemd'), { recursive: true });
    expect(run(allowJoin(request()))).toBe('nothing');
    const initial = 'm1=https://10.0.0.1:2380,m2=https://10.0.0.2:2380,m3=https://10.0.0.3:2380';
    expect(readFileSync(here(JOIN_ENV), 'utf8').trim().split('\n')).toEqual([
      `ETCD_INITIAL_CLUSTER=${initial}`,
      'ETCD_INITIAL_CLUSTER_STATE=existing',
      'ETCD_LISTEN_CLIENT_URLS=https://127.0.0.1:2379',
    ]);
    expect(readFileSync(here(JOIN_DROP_IN), 'utf8')).toContain(`EnvironmentFile=${here(JOIN_ENV)}\n`);
    expect(run(endJoin())).toBe('nothing');
    expect(readdirSync(join(directory, 'systemd'))).toEqual([]);
    mkdirSync(join(data, 'member'));
    expect(run(allowJoin(request()))).toMatch(/there is data/);
    rmSync(join(data, 'member'), { recursive: true });
    rmSync(join(directory, 'systemd'), { recursive: true });
    write('systemd', 'no directory');
    expect(run(allowJoin(request()))).toMatch(/^refused: /);
  });

  test('it joins with the names and URLs that etcd lists, however many of them one has', () => {
    list('a1, started, zoo, https://10.0.0.1:2380,https://db.example:2380, https://10.0.0.1:2379, false', LEARNER);
    expect(run(allowJoin(request()))).toBe('nothing');
    expect(readFileSync(here(JOIN_ENV), 'utf8')).toContain(
      'ETCD_INITIAL_CLUSTER=m3=https://10.0.0.3:2380,zoo=https://10.0.0.1:2380,zoo=https://db.example:2380\n',
    );
  });

  test.each([
    ['it is not listed', VOTERS, /not listed/],
    ['another one is new', [...VOTERS, ADDED, ADDED.replaceAll('10.0.0.3', '10.0.0.9')], /no list of members/],
    [
      'a name would plant a variable',
      ['a1, started, x"\\nLD_PRELOAD=y, https://a:1, , false', ADDED],
      /no list of members/,
    ],
  ])('it does not join where %s', (_, listed, why) => {
    list(...listed);
    expect(run(allowJoin(request()))).toMatch(why);
    expect(readdirSync(join(directory, 'systemd'))).toEqual([]);
  });

  test.each([
    ['can not be stopped', 'case $1 in stop) exit 1 ;; is-active) exit 3 ;; esac'],
    ['runs on', 'exit 0'],
  ])('what is in the way stays where etcd %s', (_, systemctl) => {
    mkdirSync(join(data, 'member'));
    program('systemctl', [systemctl]);
    expect(run(moveMemberAside(member()))).toMatch(/^refused: /);
    expect(readdirSync(data)).toEqual(['member']);
  });

  test('what is in the way is renamed, not deleted, and twice it is no error', () => {
    mkdirSync(join(data, 'member'));
    writeFileSync(join(data, 'member', 'db'), 'precious');
    write('active', '');
    expect(run(moveMemberAside(member()))).toBe('nothing');
    const [aside = '', ...more] = readdirSync(data);
    expect([aside, more]).toEqual([expect.stringMatching(/^member\.replaced-\d{8}T\d{6}Z$/), []]);
    expect(readFileSync(join(data, aside, 'db'), 'utf8')).toBe('precious');
    expect(run(moveMemberAside(member()))).toBe('nothing');
    mkdirSync(join(data, 'member'));
    expect(run(moveMemberAside(member(), 'removed'))).toBe('nothing');
    expect(readdirSync(data).toSorted()[0]).toMatch(/^member\.removed-\d{8}T\d{6}Z$/);
  });
});
