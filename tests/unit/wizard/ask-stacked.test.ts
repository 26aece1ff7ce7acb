import { describe, expect, test } from '@jest/globals';
import type { Answer, AnswerKey } from '../../../src/wizard/answers.js';
import type { HostLook } from '../../../src/wizard/host-look.js';
import type { LookEdges } from '../../../src/wizard/look-around.js';
import { startWizard, type Person, type Step } from '../../support/person.js';

const BACK = { key: 'escape' };
const HOSTS = [
  'cp-1=10.0.0.11',
  'cp-2=10.0.0.12',
  'etcd-1=10.0.0.1',
  'lb-1=10.0.0.21',
  'etcd-2=10.0.0.2',
  'etcd-3=10.0.0.3',
];
const NEW = ['etcd-1', 'etcd-2', 'etcd-3'];

const readKnown = async (path: string): Promise<string> => `${path}: there is no such file`;

/** Hosts of which these run a stacked etcd. */
function lookOf(...stacked: readonly string[]): LookEdges {
  const seen = (name: string, address: string): HostLook => ({
    kind: 'seen',
    host: {
      outline: { system: 'Debian GNU/Linux 12', hasApt: true, hasSystemd: true, memoryMib: 2048, diskMib: 20480 },
      addresses: [{ interface: 'eth0', address, prefixLength: 24 }],
      listeners: stacked.includes(name) ? [{ address: '*', port: 2379, process: 'etcd' }] : [],
      stacked: stacked.includes(name)
        ? { manifest: '/etc/kubernetes/manifests/etcd.yaml', hasEtcdctl: name !== 'cp-1' }
        : undefined,
      skewMs: 0,
    },
  });
  return {
    lookAtHosts: async ({ hosts }) => new Map(hosts.map(({ name, address }) => [name, seen(name, address)])),
    lookAtNetwork: async (_, addresses) => ({ free: addresses, listened: ['etcd-1'], usedIds: [] }),
    memory: { looks: new Map(), networks: new Map(), sudoPassword: undefined },
    maxSkewMs: 60_000,
  };
}

interface Walk {
  readonly key: AnswerKey;
  readonly seen: string;
  readonly typed: string;
  readonly answer: Answer;
  readonly wrong?: readonly [typed: Step[1], said: string];
}

/** Every question about roles and the way to etcd. An empty answer takes what is proposed. */
const WALK: readonly Walk[] = [
  { key: 'start', seen: 'What do you have?', typed: '', answer: 'stacked' },
  { key: 'hosts', seen: 'Hosts, as', typed: HOSTS.join(' '), answer: HOSTS },
  { key: 'user', seen: 'User to log in', typed: '', answer: 'root' },
  { key: 'privateKey', seen: 'Private key', typed: '', answer: '' },
  { key: 'controlPlanes', seen: 'Control planes with the stacked etcd', typed: '', answer: ['cp-1', 'cp-2'] },
  { key: 'etcd', seen: 'Hosts that etcd moves to', typed: '', answer: NEW },
  { key: 'balancer', seen: 'What do clients reach', typed: '', answer: 'haproxy' },
  { key: 'balancers', seen: 'Hosts that run HAProxy', typed: '', answer: NEW },
  {
    ...{ key: 'virtualIp', seen: 'Virtual IP for clients', typed: '10.0.0.100', answer: '10.0.0.100' },
    wrong: ['none', 'a virtual IP is needed: the API servers move to it'],
  },
  { key: 'network', seen: 'Its network', typed: '', answer: '' },
  { key: 'routerId', seen: 'VRRP router id', typed: '', answer: '100' },
  { key: 'dnsName', seen: 'DNS name', typed: '', answer: '' },
  { key: 'port', seen: 'Port of', typed: '', answer: '2379' },
  { key: 'extras', seen: 'What else', typed: '', answer: [] },
];

function before(index: number): ReadonlyMap<AnswerKey, Answer> {
  return new Map(WALK.slice(0, index).map(({ key, answer }) => [key, answer]));
}

async function walk(person: Person, from: number): Promise<void> {
  for (const { seen, typed } of WALK.slice(from)) await person.does([seen, typed]);
}

const MOVED = {
  members: [{ name: 'etcd-1' }, { name: 'etcd-2' }, { name: 'etcd-3' }],
  ...{ leaving: [{ name: 'cp-1' }, { name: 'cp-2' }], controlPlanes: [{ name: 'cp-1' }, { name: 'cp-2' }] },
  ...{ balancer: { ip: '10.0.0.100', hosts: undefined }, apiserverIp: undefined, next: 'unstack' },
};

describe.each(WALK.map((question, index) => ({ ...question, index })).slice(1))(
  'a stacked etcd, at the question $key',
  ({ index, seen, wrong }) => {
    test('Escape goes back to the one before, and forth again; a draft continues there', async () => {
      const person = await startWizard({ draft: before(index) }, { readKnown });
      await person.does([seen, BACK]);
      await person.does([WALK[index - 1]?.seen ?? '', '']);
      await walk(person, index);
      expect(await person.answer).toMatchObject(MOVED);
      expect(person.answers.at(-1)).toEqual(before(WALK.length));
    });

    if (wrong !== undefined)
      test('a wrong answer is reported at once', async () => {
        const person = await startWizard({ draft: before(index) }, { readKnown });
        await person.does([seen, wrong[0]]);
        await person.sees(wrong[1]);
      });
  },
);

describe('a stacked etcd', () => {
  test('that is found on hosts is a question: it moves, and what is missing on a host for that is reported', async () => {
    const draft = new Map<AnswerKey, Answer>([...before(4), ['start', 'kubernetes']]);
    const person = await startWizard({ draft }, { readKnown, look: lookOf('cp-1', 'cp-2') });
    await person.does(['A stacked etcd of kubeadm runs on cp-1, cp-2. What is to become of it?', '']);
    await walk(person, 4);
    expect(await person.answer).toMatchObject(MOVED);
    const said = await person.output();
    expect(said).toContain('! cp-2: a stacked etcd runs there, from /etc/kubernetes/manifests/etcd.yaml');
    expect(said).toContain('! cp-1: it has no etcdctl, by which its etcd is asked');
    // Of its own ports nothing more is said.
    expect(said).not.toContain('listens on port');
  });

  test('that stays is no host of another etcd', async () => {
    const draft = new Map<AnswerKey, Answer>([...before(4), ['start', 'bare']]);
    const person = await startWizard({ draft }, { readKnown, look: lookOf('cp-1', 'cp-2') });
    await person.does(['What is to become of it?', { key: 'down' }], ['❯ it stays as it is', '']);
    await person.does(['Hosts that run etcd', { key: 'a' }], ['◉ cp-1', '']);
    await person.sees("cp-1 runs a stacked etcd, whose ports another one can't have");
  });

  test('that stays is what the API servers beside it go on with', async () => {
    const draft = new Map<AnswerKey, Answer>([...before(4), ['start', 'bare']]);
    const person = await startWizard({ draft }, { readKnown, look: lookOf('cp-1', 'cp-2') });
    await person.does(['What is to become of it?', { key: 'down' }], ['❯ it stays as it is', '']);
    await person.does(['Hosts that run etcd', ''], ['Control planes whose', { key: 'a' }], ['◉ cp-1', '']);
    await person.sees('the API server of cp-1 uses the stacked etcd beside it, which stays');
  });

  test('that stays has no control plane proposed for the other one', async () => {
    const file = new Map<AnswerKey, Answer>([...before(4), ['start', 'bare'], ['stacked', 'stay']]);
    const person = await startWizard({ file }, { readKnown, look: lookOf('cp-1', 'cp-2') });
    await person.does(['Hosts that run etcd', ''], ['Control planes whose', ''], ['What do clients reach', BACK]);
    await person.sees('Control planes whose');
    const { answers } = person;
    expect([answers.at(-1)?.get('etcd'), answers.at(-1)?.get('controlPlanes')]).toEqual([NEW, []]);
  });

  test.each<[string, readonly string[], readonly string[], string]>([
    ['every member is named', ['cp-1', 'cp-2'], ['cp-1'], 'cp-2 runs a stacked etcd, too: all of its members have to'],
    ['one runs', [], ['cp-1', 'cp-2'], 'no stacked etcd was seen on cp-1, cp-2; its members have to run'],
    ['a host is left', ['cp-1', 'cp-2'], HOSTS.map((host) => host.replace(/=.*/, '')), 'no host is left that etcd'],
    ['there is a control plane', ['cp-1'], [], 'a stacked etcd has at least one control plane'],
  ])('moves where %s', async (_, stacked, picked, said) => {
    const file = new Map<AnswerKey, Answer>([...before(4), ['controlPlanes', picked]]);
    const { answer } = await startWizard({ file }, { readKnown, look: lookOf(...stacked) });
    await expect(answer).rejects.toMatchObject({ message: expect.stringContaining(said) });
  });

  test('that one member has left already goes on with the others', async () => {
    const person = await startWizard({ draft: before(4) }, { readKnown, look: lookOf('cp-2') });
    await person.does(['Control planes with the stacked etcd', { key: 'a' }], ['◉ lb-1', BACK]);
    await person.does(['Private key', ''], ['Control planes with the stacked etcd', { key: '1' }]);
    await person.does(['◉ cp-1', '']);
    await walk(person, 5);
    expect(await person.answer).toMatchObject({
      ...MOVED,
      leaving: [{ name: 'cp-2' }],
    });
    expect(await person.output()).toContain('! no stacked etcd was seen on cp-1: no member leaves from there');
  });
});
