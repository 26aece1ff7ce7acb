import { describe, expect, test } from '@jest/globals';
import type { Answer, AnswerKey } from '../../../src/wizard/answers.js';
import { renderInventory } from '../../../src/wizard/render-inventory.js';
import { startWizard, type Step } from '../../support/person.js';

const HOSTS = 'etcd-1=10.0.0.1, etcd-2=10.0.0.2, etcd-3=10.0.0.3, lb-1=10.0.0.21, cp-1=10.0.0.11';
const BACK: Step[1] = { key: 'escape' };
const CTRL_C: Step[1] = { key: 'c', ctrl: true };

interface Walk {
  readonly key: AnswerKey;
  /** Of the question's own text. */
  readonly seen: string;
  readonly typed: string;
  readonly answer: Answer;
  /** A wrong answer, and what is said to it. */
  readonly wrong?: readonly [typed: string, said: string];
}

const ETCD = ['etcd-1', 'etcd-2', 'etcd-3'];

/** Every question, in order. An empty answer takes what is proposed. */
const WALK: readonly Walk[] = [
  {
    ...{ key: 'hosts', seen: 'Hosts, as', typed: HOSTS, answer: HOSTS.split(', ') },
    wrong: ['etcd-1=10.0.0.x', '"10.0.0.x" is not an IP address'],
  },
  { key: 'user', seen: 'User to log in', typed: 'ops', answer: 'ops', wrong: ['Ops', '"Ops" is not a login name'] },
  {
    ...{ key: 'privateKey', seen: 'Private key', typed: '~/.ssh/id_ed25519', answer: '~/.ssh/id_ed25519' },
    wrong: ['~/.ssh/id_rsa.pub', 'is the public key; name the private one beside it'],
  },
  { key: 'etcd', seen: 'Hosts that run etcd', typed: '', answer: ETCD },
  { key: 'controlPlanes', seen: 'Control planes', typed: '', answer: ['cp-1'] },
  { key: 'balancer', seen: 'What do clients reach', typed: '', answer: 'haproxy' },
  { key: 'balancers', seen: 'Hosts that run HAProxy', typed: '', answer: ETCD },
  {
    ...{ key: 'virtualIp', seen: 'Virtual IP for clients', typed: '10.0.0.100', answer: '10.0.0.100' },
    wrong: ['10.0.0.2', '10.0.0.2 is the address of etcd-2'],
  },
  {
    ...{ key: 'network', seen: 'Its network', typed: '10.0.0.0/24', answer: '10.0.0.0/24' },
    wrong: ['10.0.1.0/24', 'the virtual IP (10.0.0.100) is not in 10.0.1.0/24'],
  },
  {
    ...{ key: 'routerId', seen: 'VRRP router id', typed: '', answer: '100' },
    wrong: ['256', '"256" is not a virtual router id'],
  },
  {
    ...{ key: 'dnsName', seen: 'DNS name', typed: 'etcd.example.com', answer: 'etcd.example.com' },
    wrong: ['a..b', '"a..b" is not a DNS name'],
  },
  { key: 'port', seen: 'Port of', typed: '2380', answer: '2380', wrong: ['0', '"0" is not a port'] },
  { key: 'repoint', seen: 'The API servers use etcd through', typed: '', answer: 'apply' },
  {
    ...{ key: 'apiserverIp', seen: 'Virtual IP of the API servers', typed: '10.0.0.101', answer: '10.0.0.101' },
    wrong: ['10.0.0.100', 'the API servers need one of their own'],
  },
  { key: 'extras', seen: 'What else', typed: '', answer: [] },
  { key: 'authority', seen: 'Who signs the certificates', typed: '', answer: 'new' },
];

const STEPS = WALK.map(({ seen, typed }): Step => [seen, typed]);

/** The answers up to a question, without it. */
function before(index: number): ReadonlyMap<AnswerKey, Answer> {
  return new Map(WALK.slice(0, index).map(({ key, answer }) => [key, answer]));
}

/** All answers, one of them wrong. */
function spoiled(at: number, typed: string): ReadonlyMap<AnswerKey, Answer> {
  const spoil = (key: AnswerKey): Answer => (key === 'hosts' ? [typed] : typed);
  return new Map(WALK.map(({ key, answer }, index) => [key, index === at ? spoil(key) : answer]));
}

/** The same answers, with addresses of IPv6. */
function sixth(key: AnswerKey, value: Answer): Answer {
  const six = (text: string): string =>
    text.replace(/10\.0\.0\.(\d+)/, (_, last: string) => `fd00::2:${Number(last).toString(16)}`);
  if (key === 'network') return 'fd00::/16';
  return typeof value === 'string' ? six(value) : value.map(six);
}

describe('the wizard', () => {
  test('asks all, and each answer is one of the file of answers', async () => {
    const { answer, answers, does, output } = await startWizard();
    await does(...STEPS);
    const inventory = await answer;
    expect(inventory).toMatchObject({
      members: ETCD.map((name, index) => ({ name, address: `10.0.0.${index + 1}` })),
      controlPlanes: [{ name: 'cp-1', address: '10.0.0.11' }],
      balancer: { ip: '10.0.0.100', name: 'etcd.example.com', port: 2380, network: '10.0.0.0/24', hosts: undefined },
      sshUser: 'ops',
      privateKeyFile: '~/.ssh/id_ed25519',
    });
    expect(answers.at(-1)).toEqual(before(WALK.length));
    expect(renderInventory(inventory)).toContain('etcd_lb_host: etcd.example.com');
    expect(await output()).toContain('left out, without a role: lb-1');
  });

  test('takes empty answers for the defaults, and without a virtual IP asks nothing about it', async () => {
    const { answer, does } = await startWizard();
    await does(
      ['Hosts, as', 'etcd-[1:3]'],
      ['User to log in', ''],
      ['Private key', ''],
      ['Hosts that run etcd', ''],
      ['Control planes', ''],
      ['What do clients reach', ''],
      ['Hosts that run HAProxy', ''],
      ['Virtual IP', ''],
      ['What else', ''],
      ['Who signs', ''],
    );
    expect(await answer).toMatchObject({
      members: ETCD.map((name) => ({ name })),
      balancer: undefined,
      controlPlanes: [],
      sshUser: 'root',
      privateKeyFile: undefined,
    });
  });

  test('the load balancer may have hosts of its own, which are chosen', async () => {
    const { answer, does } = await startWizard({ draft: before(6) });
    await does(['Hosts that run HAProxy', { key: 'i' }], ['◉ lb-1', { key: '5' }], ['◯ cp-1', ''], ...STEPS.slice(7));
    expect(await answer).toMatchObject({ balancer: { hosts: [{ name: 'lb-1', address: '10.0.0.21' }] } });
  });

  const DOWN: Step[1] = { key: 'down' };

  test('what is chosen is what is answered', async () => {
    const { answer, answers, does } = await startWizard({ draft: before(5) });
    await does(['What do clients reach', DOWN], ['❯ nginx', ''], ['Hosts that run nginx', ''], ...STEPS.slice(7, 12));
    await does(['The API servers use etcd', DOWN], ['❯ later', '']);
    await does(['Virtual IP of the API servers', ''], ['What else', { key: 'a' }], ['◉ a snapshot', '']);
    await does(['Who signs', DOWN], ['❯ one that you have', '']);
    expect(await answer).toMatchObject({
      balancer: { way: 'nginx', ip: '10.0.0.100' },
      ...{ apiserverIp: undefined, extras: ['firewall', 'snapshots', 'fastFailover'], next: 'import' },
      repoint: 'later',
    });
    expect(Object.fromEntries(answers.at(-1) ?? [])).toMatchObject({
      ...{
        balancer: 'nginx',
        extras: ['firewall', 'snapshots', 'fastFailover'],
        authority: 'imported',
        apiserverIp: 'none',
      },
    });
  });

  test('a load balancer of others has a name alone, or an address; what it would need a firewall for is not known', async () => {
    const { answer, answers, does, sees } = await startWizard({
      draft: new Map([...before(5), ['balancer', 'external'], ['network', '10.0.0.0/24']]),
    });
    await does(['Address of the load balancer', ''], ['DNS name of', '']);
    await sees('a name is needed where there is no address');
    await does(['DNS name of', 'etcd.example.com'], ['Port of', ''], ['The API servers use etcd', '']);
    await does(['Virtual IP of the API servers', '10.1.0.100']);
    await does(['What else', { key: 'a' }], ['◉ a snapshot', ''], ['Who signs', '']);
    const { balancer, extras, apiserverIp } = await answer;
    expect({ balancer, extras, apiserverIp }).toEqual({
      balancer: { way: 'external', ip: undefined, name: 'etcd.example.com', port: 2379, network: undefined },
      // The virtual IP of the API servers is one of its own.
      ...{ extras: ['snapshots', 'fastFailover'], apiserverIp: '10.1.0.100' },
    });
    // Of another way that was begun nothing is kept.
    expect(answers.at(-1)?.has('network')).toBe(false);
  });

  test('without a load balancer nothing more is asked of it', async () => {
    const { answer, does } = await startWizard({ draft: new Map([...before(5), ['balancer', 'none']]) });
    await does(['Virtual IP of the API servers', ''], ['What else', ''], ['Who signs', '']);
    expect((await answer).balancer).toBeUndefined();
  });

  test('control planes that could not hold the address of the API servers are named', async () => {
    const { does, sees, output } = await startWizard({ draft: before(13) });
    await does(['Virtual IP of the API servers', '10.0.9.101']);
    await sees('What else');
    expect(await output()).toContain(
      'the virtual IP (10.0.9.101) is not in 10.0.0.0/24: the control planes must be able',
    );
  });

  test('the router id that was chosen for etcd is refused for the API servers', async () => {
    const { does, sees } = await startWizard({ draft: new Map([...before(13), ['routerId', '150']]) });
    await does(['Virtual IP of the API servers', '10.0.0.150']);
    await sees('10.0.0.150 and 10.0.0.100 would have the same virtual router id, 150');
  });

  test.each([
    ['fd00::1:64', 'would have the same virtual router id, 100'],
    ['239.1.1.1', '239.1.1.1 is unspecified, loopback, multicast or reserved'],
    ['10.0.1.100', 'would have the same virtual router id, 100'],
  ])('%s is refused for the API servers: %s', async (ip, said) => {
    const draft = new Map([...before(13)].map(([key, value]) => [key, ip.includes(':') ? sixth(key, value) : value]));
    const { does, sees } = await startWizard({ draft });
    await does(['Virtual IP of the API servers', ip]);
    await sees(said);
  });

  test('a list that is pasted with a line for each host is taken as a whole', async () => {
    const { answer, answers, does, pastes } = await startWizard();
    pastes('10.0.0.11 cp-1\r\n\r\netcd-1\retcd-2\netcd-3');
    await does(['etcd-3', '']);
    await does(['User to log in', CTRL_C]);
    await expect(answer).rejects.toMatchObject({ name: 'ExitPromptError' });
    expect(answers.at(-1)?.get('hosts')).toEqual(['cp-1=10.0.0.11', ...ETCD]);
  });

  test('says that an even number of members is no gain', async () => {
    const { does, sees, output } = await startWizard();
    await does(['Hosts, as', 'etcd-[1:2]'], ['User to log in', ''], ['Private key', ''], ['Hosts that run etcd', '']);
    await sees('Control planes');
    expect(await output()).toContain('2 members tolerate the loss of 0, no more than 1 would');
  });
});

describe.each(WALK.map((walk, index) => ({ ...walk, index })))('at the question $key', ({ index, seen, wrong }) => {
  test('Ctrl-C ends it, and the answers so far are known', async () => {
    const { answer, answers, does } = await startWizard();
    await does(...STEPS.slice(0, index), [seen, CTRL_C]);
    await expect(answer).rejects.toMatchObject({ name: 'ExitPromptError' });
    expect(answers.at(-1) ?? new Map()).toEqual(before(index));
  });

  test('a draft of the answers before continues there', async () => {
    const { answer, answers, does } = await startWizard({ draft: before(index) });
    await does(...STEPS.slice(index));
    await answer;
    expect(answers.at(-1)).toEqual(before(WALK.length));
  });

  test('Escape goes back to each question before it, and forth with the answers that were given', async () => {
    const { answer, answers, does, sees } = await startWizard();
    await does(...STEPS.slice(0, index));
    if (index > 0) await sees(seen, '(Esc: back)');
    for (const earlier of WALK.slice(0, index).toReversed()) {
      await does([WALK[WALK.indexOf(earlier) + 1]?.seen ?? '', BACK]);
      await sees(earlier.seen);
    }
    for (const question of WALK.slice(0, index)) await does([question.seen, '']);
    await does(...STEPS.slice(index));
    await answer;
    expect(answers.at(-1)).toEqual(before(WALK.length));
  });

  if (wrong !== undefined)
    test('a wrong answer is reported at once, and asked again', async () => {
      const { answer, answers, does, sees, presses } = await startWizard({ draft: before(index) });
      await does([seen, wrong[0]]);
      await sees(wrong[1], wrong[0]);
      presses('u', 'with-ctrl');
      await does(...STEPS.slice(index));
      await answer;
      expect(answers.at(-1)).toEqual(before(WALK.length));
    });

  if (wrong !== undefined)
    test('an answer of a draft that is wrong is asked again', async () => {
      const { answer, does, sees } = await startWizard({ draft: spoiled(index, wrong[0]) });
      const taken = answer.then(() => 'taken', String);
      expect(await Promise.race([sees(seen).then(() => 'asked'), taken])).toBe('asked');
      await does([seen, CTRL_C]);
      await expect(answer).rejects.toMatchObject({ name: 'ExitPromptError' });
    });
});

test('an earlier answer that is changed leaves the later ones as proposals, as far as they still fit', async () => {
  const { answer, does, sees } = await startWizard({ draft: before(8) });
  await does(['Its network', BACK], ['Virtual IP', '10.9.0.100'], ['Its network', '10.0.0.0/24']);
  await sees('the virtual IP (10.9.0.100) is not in 10.0.0.0/24');
  await does(['Its network', BACK], ['Virtual IP', '10.0.0.101'], ['Its network', '10.0.0.0/24']);
  await does(['VRRP router id', ''], ['DNS name', CTRL_C]);
  await expect(answer).rejects.toMatchObject({ name: 'ExitPromptError' });
});

test('without any host chosen there is no member, and no load balancer', async () => {
  const { does, sees } = await startWizard({ draft: before(3) });
  await does(['Hosts that run etcd', { key: 'a' }], ['◉ cp-1', { key: 'a' }], ['◯ etcd-1', '']);
  await sees('at least one member is needed');
});
