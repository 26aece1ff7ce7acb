import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadInventory } from '../../../src/ansible/load-inventory.js';
import { PROVIDED_VARIABLES } from '../../../src/cluster/derived-variables.js';
import { describeCluster } from '../../../src/cluster/describe-cluster.js';
import type { Resource } from '../../../src/model/change.js';
import { UNCHANGED } from '../../../src/model/change.js';
import { buildPlays } from '../../../src/playbook/build-plays.js';
import type { Play } from '../../../src/playbook/play.js';
import { readPlaybook } from '../../../src/playbook/read-playbook.js';
import type { RoleSource } from '../../../src/playbook/role-source.js';
import type { Role } from '../../../src/roles/role.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const HOSTS = 'all: { vars: { v: of-inventory }, hosts: { a: {}, b: {}, c: {}, d: { v: of-d } } }\n';

/** A role that says what it was given. */
const telling: Role['resources'] = (host, inventory) => {
  const address = `role:${host.name}:${inventory.hosts.has(host.name) ? inventory.render(host.name, '{{ v }}').reveal() : host.connection.address}`;
  const resource: Resource = { address, paths: [], plan: () => Promise.resolve(UNCHANGED) };
  return [resource];
};

async function build(
  lines: readonly string[],
  limit?: string,
  hosts = HOSTS,
  describe: RoleSource['describe'] = () => SAMPLE_CLUSTER,
): Promise<readonly Play[]> {
  const directory = temporaryDirectory('plays');
  writeFileSync(join(directory, 'hosts.yaml'), hosts);
  writeFileSync(join(directory, 'p.yaml'), `${lines.join('\n')}\n`);
  const inventory = await loadInventory(join(directory, 'hosts.yaml'), { provided: PROVIDED_VARIABLES });
  return buildPlays({
    playbook: await readPlaybook(join(directory, 'p.yaml')),
    inventory,
    limit,
    roleSource: { roles: new Map([['tell', { resources: telling } as Role]]), cluster: describe(inventory), describe },
    gates: new Map([
      ['open', 1],
      ['shut: etcd', 1],
    ]),
    orders: new Map([
      ['inventory', 1],
      ['last', 1],
    ]),
  });
}

/** Addresses by host, of the first play. */
async function addresses(...lines: readonly string[]): Promise<Readonly<Record<string, readonly string[]>>> {
  const [play] = await build(lines);
  return Object.fromEntries(
    [...(play?.resources ?? [])].map(([host, all]) => [host, all.map(({ address }) => address)]),
  );
}

test.each([
  ['1', 1],
  ['3', 3],
  ['"50%"', 2],
  ['"74%"', 2],
  ['"75%"', 3],
  ['"1%"', 1],
  ['"99%"', 3],
  ['"100%"', 4],
])('serial: %s of four hosts are %i at once', async (serial, size) => {
  expect((await build(['- hosts: all', `  serial: ${serial}`]))[0]?.batchSize).toBe(size);
});

test.each(['0', '-1', '1.5', '"0%"', '"101%"', '"1000%"', '"%"', '"x50%"', '"50%x"'])(
  'serial: %s is refused',
  async (serial) => {
    await expect(build(['- hosts: all', `  serial: ${serial}`])).rejects.toThrow('expected a number of hosts from 1');
  },
);

test('what a play says is what is done; what it leaves out, is nothing', async () => {
  const said = [
    '- name: first',
    '  hosts: [a, b]',
    '  order: last',
    '  gates: { before: open, after: [open, shut: etcd] }',
    '- hosts: c',
  ];
  const [first, second] = await build(said);
  expect(first).toEqual({
    name: 'first',
    hosts: ['a', 'b'],
    limitedOut: [],
    batchSize: undefined,
    order: 'last',
    gatesBefore: ['open'],
    gatesAfter: ['open', 'shut: etcd'],
    resources: new Map([
      ['a', []],
      ['b', []],
    ]),
  });
  expect(second).toMatchObject({
    name: expect.stringMatching(/p\.yaml play 2$/),
    hosts: ['c'],
    order: 'inventory',
    gatesBefore: [],
    gatesAfter: [],
  });
});

test.each([
  ['gates', '  gates: { before: opened }', 'gate opened'],
  ['gates after', '  gates: { after: [open, shutt] }', 'gate shutt'],
  ['an order', '  order: lastt', 'there is no order lastt'],
])('%s without such a name are refused, with those of all plays', async (_, line, message) => {
  const error: unknown = await build(['- hosts: a', line, '- hosts: b', '  order: none-such']).catch(
    (reason: unknown) => reason,
  );
  expect(String(error)).toContain(message);
  expect(String(error)).toContain('there is no order none-such');
});

test('all names of a play that there are not are said at once, each at its place', async () => {
  const lines = ['- hosts: a', '  gates: { before: [x, open], after: [open, y, z] }', '  order: w'];
  await expect(build(lines)).rejects.toThrow(
    /:3:10: order: there is no order w\n.*:2:20: gates\.before: there is no gate x\n.*:2:38: gates\.after: there is no gate y\n.*:2:38: gates\.after: there is no gate z$/,
  );
});

describe('--limit', () => {
  test('leaves hosts out, and says which', async () => {
    const [play] = await build(['- hosts: a:b:c'], 'b:d');
    expect(play).toMatchObject({ hosts: ['b'], limitedOut: ['a', 'c'] });
    expect([...(play?.resources.keys() ?? [])]).toEqual(['b']);
  });

  test('never leaves the control machine out, unless the inventory lists it', async () => {
    expect((await build(['- hosts: localhost'], 'b'))[0]?.hosts).toEqual(['localhost']);
    const listed = 'all: { hosts: { localhost: {}, b: {} } }\n';
    expect((await build(['- hosts: localhost'], 'b', listed))[0]).toMatchObject({
      hosts: [],
      limitedOut: ['localhost'],
    });
    expect((await build(['- hosts: localhost'], undefined, listed))[0]?.hosts).toEqual(['localhost']);
  });
});

describe('a role', () => {
  test('sees the variables of its host, of its play, and its own, the nearest first', async () => {
    expect(await addresses('- hosts: a:d', '  roles: [tell]')).toEqual({
      a: ['role:a:of-inventory'],
      d: ['role:d:of-d'],
    });
    expect(await addresses('- hosts: d', '  vars: { v: of-play }', '  roles: [tell]')).toEqual({
      d: ['role:d:of-play'],
    });
    const own = ['- hosts: d', '  vars: { v: of-play }', '  roles: [{ role: tell, vars: { v: of-role } }]'];
    expect(await addresses(...own)).toEqual({ d: ['role:d:of-role'] });
  });

  test('is for the hosts of its `when`, which sees its variables', async () => {
    const when = "inventory_hostname == 'a' and v == 'x'";
    const lines = ['- hosts: a:b', `  roles: [{ role: tell, vars: { v: x }, when: "${when}" }]`];
    expect(await addresses(...lines)).toEqual({ a: ['role:a:x'], b: [] });
  });

  describe('sees the cluster that gates, orders and checks see:', () => {
    const cluster = 'etcd: { vars: { etcd_peer_port: 3380 }, hosts: { a: { ip: 10.0.0.1 }, b: { ip: 10.0.0.2 } } }\n';
    const plays = (vars: string, roles = '[tell]'): Promise<readonly Play[]> =>
      build(['- hosts: a', `  vars: ${vars}`, `  roles: ${roles}`], undefined, cluster, describeCluster);

    test.each([
      ['{ v: 1 }', '[tell]'],
      ['{ v: 1, etcd_peer_port: 3380 }', '[{ role: tell, vars: { etcd_client_port: 2379 } }]'],
    ])('vars %s and roles %s change nothing of it', async (vars, roles) => {
      expect(await plays(vars, roles)).toHaveLength(1);
    });

    test.each([
      ['{ v: 1, etcd_client_port: 3379 }', '[tell]', 'etcd_client_port'],
      [
        '{ v: 1 }',
        '[{ role: tell, vars: { etcd_lb_ip: 10.0.0.9, etcd_peer_port: 4380 } }]',
        'etcd_lb_ip, etcd_peer_port',
      ],
      ['{ v: 1, ip: 10.0.0.7 }', '[tell]', 'ip'],
      ['{ v: 1, etcd_client_port: 1234567 }', '[tell]', 'etcd_client_port'],
    ])('vars %s and roles %s would, and are refused', async (vars, roles, names) => {
      await expect(plays(vars, roles)).rejects.toThrow(
        `p.yaml:3:11: vars: ${names} of a play or a role would change the cluster`,
      );
    });

    test('what only together changes it is all named', async () => {
      const together =
        'etcd: { vars: { etcd_peer_port: "{{ 4380 if p is defined and q is defined else 3380 }}" }, hosts: { a: { ip: 10.0.0.1 } } }\n';
      const lines = ['- hosts: a', '  vars: { p: 1, q: 1 }', '  roles: [tell]'];
      await expect(build(lines, undefined, together, describeCluster)).rejects.toThrow(
        /: vars: p, q of a play or a role/,
      );
    });

    test('a role that is for no host there changes nothing', async () => {
      const roles = '[{ role: tell, when: false, vars: { etcd_peer_port: 4380 } }]';
      expect(await plays('{ v: 1 }', roles)).toHaveLength(1);
    });
  });

  test('may be for the control machine, which has no variables', async () => {
    expect(await addresses('- hosts: localhost', '  roles: [tell]')).toEqual({
      localhost: ['role:localhost:localhost'],
    });
  });

  test('that there is not is refused, with the near one', async () => {
    await expect(build(['- hosts: a', '- hosts: a', '  roles: [tell, tell, tel]'])).rejects.toThrow(
      /p\.yaml:3:23: roles: there is no role tel; did you mean tell\?$/,
    );
  });

  test('comes before the tasks, all in their order', async () => {
    const tasks = ['  tasks:', '    - group: { name: one }', '    - group: { name: two }', '  roles: [tell]'];
    expect(await addresses('- hosts: a', ...tasks)).toEqual({ a: ['role:a:of-inventory', 'group:one', 'group:two'] });
  });
});

describe('`when`', () => {
  test.each([
    ['true', ['a', 'd']],
    ['false', undefined],
    ["v == 'of-d'", ['d']],
    ["[true, v == 'of-d']", ['d']],
    ["[v == 'of-d', inventory_hostname == 'a']", undefined],
    ['[]', ['a', 'd']],
  ])('%s of a play', async (when, hosts) => {
    const [play] = await build(['- hosts: a:d', `  when: ${when}`]);
    expect(play?.hosts).toEqual(hosts);
    if (play !== undefined) expect(play.limitedOut).toEqual([]);
  });

  test('of a play sees the variables of the play', async () => {
    expect((await build(['- hosts: a:b', '  vars: { w: x }', "  when: w == 'x'"]))[0]?.hosts).toEqual(['a', 'b']);
  });

  test('of a task sees the variables of the task', async () => {
    const task =
      "- { group: { name: '{{ v }}' }, vars: { v: mine }, when: \"v == 'mine' and inventory_hostname == 'd'\" }";
    expect(await addresses('- hosts: a:d', '  tasks:', `    ${task}`)).toEqual({ a: [], d: ['group:mine'] });
  });
});

test('a task may say whom it becomes, as Ansible’s do: everything here is done as root', async () => {
  const tasks = ['  tasks:', '    - { group: { name: g }, become: true }'];
  expect(await addresses('- hosts: a', ...tasks)).toEqual({ a: ['group:g'] });
});

test('values of tasks are rendered at any depth', async () => {
  const tasks = [
    "- user: { name: 'u-{{ v }}', groups: ['{{ v }}', y] }",
    "- hosts_entries: { entries: [{ address: 192.0.2.1, names: ['{{ v }}'] }] }",
  ];
  const [play] = await build(['- hosts: d', '  tasks:', ...tasks.map((task) => `    ${task}`)]);
  const outcomes = await Promise.all(
    (play?.resources.get('d') ?? []).map((resource) =>
      resource.plan(
        fakeProbe({
          users: { 'u-of-d': undefined },
          paths: { '/home/u-of-d': false },
          'file-contents': { '/etc/hosts': undefined },
          'file-states': { '/etc/hosts': { kind: 'absent' } },
        }),
      ),
    ),
  );
  const told = outcomes.map((outcome) => JSON.stringify(outcome));
  expect(told[0]).toContain('useradd --create-home --groups of-d,y u-of-d');
  expect(told[1]).toContain('192.0.2.1\\tof-d');
});

describe('in a play', () => {
  test.each([
    ['gates: { befor: open }', 'befor: is not known here; did you mean before?'],
    ['gates: { before: { a: b, c: d } }', 'expected a name or a list of names'],
    ['gates: { order: last }', 'order: is not known here; known: before, after'],
    ['roles: [{ role: tell, serial: 1 }]', 'serial: is not known here; known: role, when, vars'],
    ['roles: [{ role: tell, var: {} }]', 'var: is not known here; did you mean vars?'],
    ['roles: [{ rol: tell }]', 'a role is a name'],
    ['roles: [3]', 'a role is a name, or `role:` with `when:` and `vars:`'],
    ['roles: [{ role: tell, whenn: x }]', 'whenn: is not known here; did you mean when?'],
    ['when: 3', '`when` takes a Jinja2 expression, or a list of them'],
    ["when: ''", '`when` takes a Jinja2 expression, or a list of them'],
    ["when: [x, ' ']", '`when` takes a Jinja2 expression, or a list of them'],
    ['hosts: { x: y }', 'expected a host pattern'],
    ['vars: [a]', 'vars'],
    ['tasks: [a]', 'tasks'],
    ['become: maybe', 'become'],
  ])('%s is refused', async (line, message) => {
    const hosts = line.startsWith('hosts') ? [] : ['  hosts: a'];
    await expect(build(['- name: n', ...hosts, `  ${line}`])).rejects.toThrow(message);
  });

  test.each(['!vault x', '!unsafe x', '!vault-encrypted x'])(
    '%s is refused: it belongs in a variable',
    async (value) => {
      const tasks = ['  tasks:', `    - group: { name: ${value} }`];
      await expect(build(['- hosts: a', ...tasks])).rejects.toThrow(/:3:\d+: !\S+: is not read in a playbook/);
    },
  );
});
