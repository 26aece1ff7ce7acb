import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { expectGolden } from '../../support/golden.js';
import { checkThisMachine, type SeenMachine } from '../../../src/diagnosis/this-machine.js';

const FIT: SeenMachine = {
  node: '22.13.0',
  hasSsh: true,
  agent: { keys: 1 },
  defaultKeys: ['~/.ssh/id_ed25519'],
  knownHosts: 2,
  clock: 'synchronised',
  terminal: 'yes',
  passphrase: 'not set',
  snapshotTool: 'etcdutl',
  lab: { problems: [], packages: [] },
};

function without(name: keyof SeenMachine): SeenMachine {
  return Object.fromEntries(Object.entries(FIT).filter(([key]) => key !== name)) as unknown as SeenMachine;
}

function itemsOf(change: Partial<SeenMachine>): ReadonlyMap<string, ReturnType<typeof checkThisMachine>[number]> {
  return new Map(checkThisMachine({ ...FIT, ...change }).map((item) => [item.check, item]));
}

test('a machine that has all is ok in every line', () => {
  const items = checkThisMachine(FIT);
  expect(items.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
  expect(items.map(({ next }) => next)).toEqual(items.map(() => undefined));
});

describe('what is missing is named, with what to type, in its own line only', () => {
  test.each<[what: string, seen: SeenMachine, check: string, verdict: string, evidence: string, next: string]>([
    ['an old Node', { ...FIT, node: '18.20.4' }, 'node', 'fail', 'Node 18.20.4; expected', 'nodejs.org'],
    ['no ssh', { ...FIT, hasSsh: false }, 'ssh-client', 'warn', 'jump hosts do not work', 'openssh-client'],
    ['no key', { ...without('agent'), defaultKeys: [] }, 'ssh-keys', 'warn', 'no agent, and no key', 'ssh-keygen'],
    [
      'an empty agent, no key',
      { ...FIT, agent: { keys: 0 }, defaultKeys: [] },
      'ssh-keys',
      'warn',
      'no agent',
      '--private-key',
    ],
    ['a dead agent', { ...FIT, agent: { problem: 'gone' } }, 'ssh-keys', 'warn', 'SSH_AUTH_SOCK: gone', 'ssh-agent'],
    [
      'a dead agent, no key',
      { ...FIT, agent: { problem: 'gone' }, defaultKeys: [] },
      'ssh-keys',
      'warn',
      'gone',
      '--private-key',
    ],
    ['no known host', { ...FIT, knownHosts: 0 }, 'known-hosts', 'warn', 'none can be trusted', 'ssh-keyscan'],
    ['a free clock', { ...FIT, clock: 'not synchronised' }, 'own-clock', 'warn', 'is not synchronised', 'timedatectl'],
    ['an unknown clock', without('clock'), 'own-clock', 'warn', 'not known', 'timedatectl'],
    [
      'no way to the passphrase',
      { ...FIT, terminal: 'no' },
      'ca-passphrase',
      'warn',
      'no terminal',
      'PROVISION_CA_PASSPHRASE',
    ],
    ['no tool for snapshots', without('snapshotTool'), 'snapshot-verify', 'warn', 'neither etcdutl', '--on HOST'],
    [
      'no lab, a package',
      { ...FIT, lab: { problems: ['program x'], packages: ['px'] } },
      'lab',
      'warn',
      'program x',
      'apt-get install px',
    ],
    [
      'no lab, not root',
      { ...FIT, lab: { problems: ['root'], packages: [] } },
      'lab',
      'warn',
      'missing: root',
      'for a lab only',
    ],
  ])('%s', (_, seen, check, verdict, evidence, next) => {
    const items = checkThisMachine(seen);
    const wrong = items.filter((item) => item.verdict !== 'ok');
    expect(wrong).toEqual([
      {
        ...{ check, verdict },
        evidence: expect.stringContaining(evidence) as unknown,
        next: expect.stringContaining(next) as unknown,
      },
    ]);
  });
});

test('a passphrase in the environment needs no terminal', () => {
  const items = itemsOf({ terminal: 'no', passphrase: 'set' });
  expect(items.get('ca-passphrase')).toMatchObject({ verdict: 'ok', evidence: 'PROVISION_CA_PASSPHRASE is set' });
  expect(items.get('terminal')?.evidence).toContain('--yes or a saved plan');
});

test('keys are counted and named', () => {
  expect(itemsOf({ agent: { keys: 2 } }).get('ssh-keys')?.evidence).toBe('an agent with 2 keys; ~/.ssh/id_ed25519');
  expect(itemsOf({ agent: { keys: 0 } }).get('ssh-keys')?.evidence).toBe('~/.ssh/id_ed25519');
});

describe('Node', () => {
  test.each([
    ['20.18.3', 'fail'],
    ['20.19.0', 'ok'],
    ['21.7.3', 'fail'],
    ['22.12.0', 'fail'],
    ['23.9.0', 'fail'],
    ['24.0.0', 'ok'],
    ['25.1.0', 'ok'],
    ['26.0.0', 'ok'],
  ])('%s: %s', (node, verdict) => {
    expect(itemsOf({ node }).get('node')?.verdict).toBe(verdict);
  });

  test('the lines are those of package.json', () => {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
    expect(engines.node).toBe('^20.19.0 || ^22.13.0 || >=24');
    expect(itemsOf({ node: '18.0.0' }).get('node')?.evidence).toContain('20.19, 22.13, 24.0');
  });
});

test('all that is said of machines that have, or miss, one thing each', () => {
  const machines: Readonly<Record<string, SeenMachine>> = {
    'has all': FIT,
    'has nothing': {
      ...{ node: '18.20.4', hasSsh: false, defaultKeys: [], knownHosts: 0, terminal: 'no', passphrase: 'not set' },
      lab: { problems: ['program x', 'root'], packages: ['px', 'py'] },
    },
    'dead agent and two keys': { ...FIT, agent: { problem: 'gone' }, defaultKeys: ['~/.ssh/a', '~/.ssh/b'] },
    'one known host': { ...FIT, knownHosts: 1 },
    'a passphrase, and no terminal': { ...FIT, passphrase: 'set', terminal: 'no' },
    'a passphrase, and a terminal': { ...FIT, passphrase: 'set' },
    'no lab, and nothing to install': { ...FIT, lab: { problems: ['root'], packages: [] } },
  };
  const said = Object.entries(machines).flatMap(([name, seen]) => [
    name,
    ...checkThisMachine(seen).map(
      ({ check, verdict, evidence, next }) =>
        `  ${verdict} ${check}: ${evidence}${next === undefined ? '' : ` → ${next}`}`,
    ),
  ]);
  expectGolden('fixtures/diagnoses/this-machine.txt', `${said.join('\n')}\n`);
});
