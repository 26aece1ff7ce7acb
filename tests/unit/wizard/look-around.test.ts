import { describe, expect, test } from '@jest/globals';
import type { Answer, AnswerKey } from '../../../src/wizard/answers.js';
import type { HostLook, Login, SeenHost } from '../../../src/wizard/host-look.js';
import type { LookEdges } from '../../../src/wizard/look-around.js';
import { renderInventory } from '../../../src/wizard/render-inventory.js';
import { startWizard } from '../../support/person.js';

const SEEN: SeenHost = {
  outline: { system: 'Debian GNU/Linux 12', hasApt: true, hasSystemd: true, memoryMib: 2048, diskMib: 20480 },
  addresses: [{ interface: 'eth0', address: '10.0.0.1', prefixLength: 24 }],
  listeners: [],
  stacked: undefined,
  skewMs: 0,
};

function failed(code: string): HostLook {
  return {
    kind: 'failed',
    code,
    message: `etcd-1: ${code} it is`,
    hint: `mind ${code}`,
    fingerprint: code === 'host-key-unknown' ? 'SHA256:shown' : undefined,
  };
}

/** Hosts that answer with these, one look after the other, then well. */
function answering(...before: readonly HostLook[]) {
  const logins: Login[] = [];
  const look: LookEdges = {
    lookAtHosts: async (login, tell) => {
      logins.push(login);
      tell('etcd-1', 'connecting');
      return new Map([['etcd-1', before[logins.length - 1] ?? { kind: 'seen', host: SEEN }]]);
    },
    lookAtNetwork: async (_, addresses) => ({ free: addresses.slice(1), listened: ['etcd-1'], usedIds: [] }),
    memory: { looks: new Map(), networks: new Map(), sudoPassword: undefined },
    maxSkewMs: 60_000,
  };
  return { logins, look };
}

const DRAFT = new Map<AnswerKey, Answer>([
  ['hosts', ['etcd-1']],
  ['user', 'ops'],
  ['privateKey', ''],
]);

describe('the hosts of the wizard are looked at', () => {
  test('and an address of their network that nobody has is proposed, with its reason', async () => {
    const { logins, look } = answering();
    const { does, sees, output, answer } = await startWizard({ draft: DRAFT }, { look });
    await does(['Hosts that run etcd', ''], ['Control planes', '']);
    await does(['What do clients reach', ''], ['Hosts that run HAProxy', '']);
    await sees('Virtual IP', '10.0.0.249');
    expect(await output()).toContain(
      '✔ etcd-1: Debian GNU/Linux 12, eth0 10.0.0.1/24, 2.0 GiB memory and 20.0 GiB disk free',
    );
    await does(['Virtual IP', '']);
    await sees('Its network', '10.0.0.0/24');
    await does(['Its network', ''], ['VRRP router id', '']);
    await does(['DNS name', ''], ['Port of', '']);
    await does(['What else', ''], ['Who signs', '']);
    expect(await answer).toMatchObject({ balancer: { ip: '10.0.0.249', network: '10.0.0.0/24' } });
    expect(logins).toHaveLength(1);
  });

  test('and an address whose router id others use is passed over, as is such an id; who uses it is said', async () => {
    const { look } = answering();
    const usedIds = [
      { id: 249, sender: '10.0.0.9', addresses: ['10.0.0.50'], host: 'etcd-1' },
      { id: 247, addresses: [], host: 'etcd-1' },
    ];
    const lookAtNetwork: LookEdges['lookAtNetwork'] = async (_, free) => ({ free, listened: ['etcd-1'], usedIds });
    const { does, sees, output, answer } = await startWizard({ draft: DRAFT }, { look: { ...look, lookAtNetwork } });
    await does(['Hosts that run etcd', ''], ['Control planes', ''], ['What do clients reach', '']);
    await does(['Hosts that run HAProxy', '']);
    await sees('Virtual IP', '10.0.0.250');
    await does(['Virtual IP', '10.0.0.249'], ['Its network', '']);
    await sees('VRRP router id', '250');
    await does(['VRRP router id', '249']);
    await sees('249 is used already: by 10.0.0.9 for 10.0.0.50, heard on etcd-1');
    for (let key = 0; key < 3; key += 1) await does(['VRRP router id', { key: 'backspace' }]);
    await does(['VRRP router id', '248'], ['DNS name', ''], ['Port of', '']);
    await does(['What else', ''], ['Who signs', '']);
    const answered = await answer;
    expect(answered.balancer).toMatchObject({ ip: '10.0.0.249', routerId: 248 });
    expect(renderInventory(answered)).toContain('keepalived_vrid: 248');
    const said = await output();
    expect(said).toContain('virtual router id 249 is used by 10.0.0.9 for 10.0.0.50, heard on etcd-1');
    expect(said).toContain('virtual router id 247 is used by keepalived on etcd-1');
    expect(said).toContain('no other VRRP group was heard within 3 s on etcd-1');
  });

  test('and what balancers of their own hear counts, in their network: members and control planes have others', async () => {
    const seen = (address: string): HostLook => ({
      kind: 'seen',
      host: { ...SEEN, addresses: [{ interface: 'eth0', address, prefixLength: 24 }] },
    });
    const asked: string[] = [];
    const look: LookEdges = {
      ...answering().look,
      lookAtHosts: async ({ hosts }) => new Map(hosts.map(({ name, address }) => [name, seen(address)])),
      lookAtNetwork: async ({ hosts }, addresses) => {
        asked.push(...hosts.map(({ name }) => name), ...addresses);
        const group = { id: 250, sender: '10.0.9.9', addresses: [], host: 'etcd-1' };
        return {
          free: addresses,
          listened: hosts.map(({ name }) => name),
          usedIds: [group, { ...group, id: 249, host: 'lb-1' }, { ...group, id: 77, host: 'cp-1' }],
        };
      },
    };
    const hosts = ['etcd-1=10.0.0.1', 'lb-1=10.0.5.1', 'cp-1=10.0.7.1'];
    const draft = new Map<AnswerKey, Answer>([...DRAFT, ['hosts', hosts], ['balancers', ['lb-1']]]);
    const { does, sees, answer, output } = await startWizard({ draft }, { look });
    await does(['Hosts that run etcd', ''], ['Control planes', ''], ['What do clients reach', '']);
    await does(['Hosts that run HAProxy', '']);
    // 249 is taken there; 250 is taken where the members are, and only there.
    await sees('Virtual IP', '10.0.5.250');
    expect(asked).toEqual(['lb-1', 'etcd-1', 'cp-1', '10.0.5.250', '10.0.5.249', '10.0.5.248', '10.0.5.247']);
    await does(['Virtual IP', ''], ['Its network', '']);
    await sees('VRRP router id', '250');
    await does(
      ['VRRP router id', ''],
      ['DNS name', ''],
      ['Port of', ''],
      ['The API servers use etcd', ''],
      ['Virtual IP of the API servers', '10.0.7.77'],
    );
    await sees('virtual router id 77 is used already');
    for (let key = 0; key < 9; key += 1) await does(['Virtual IP of the API servers', { key: 'backspace' }]);
    await does(['Virtual IP of the API servers', '10.0.7.78'], ['What else', ''], ['Who signs', '']);
    expect(await answer).toMatchObject({
      balancer: { ip: '10.0.5.250', network: '10.0.5.0/24', hosts: [{ name: 'lb-1' }] },
      apiserverIp: '10.0.7.78',
    });
    expect(await output()).not.toContain('the control planes must be able');
  });

  test('and where etcd has no balancer of its own, control planes listen once an address of the API servers is typed', async () => {
    const asked: string[] = [];
    const look: LookEdges = {
      ...answering().look,
      lookAtHosts: async ({ hosts }) => new Map(hosts.map(({ name }) => [name, { kind: 'seen', host: SEEN }])),
      lookAtNetwork: async ({ hosts }) => {
        asked.push(...hosts.map(({ name }) => name));
        const group = { id: 77, sender: '10.0.7.9', addresses: [], host: 'cp-1' };
        return { free: [], listened: ['cp-1'], usedIds: [group] };
      },
    };
    const hosts = ['etcd-1=10.0.0.1', 'cp-1=10.0.7.1'];
    const draft = new Map<AnswerKey, Answer>([...DRAFT, ['hosts', hosts], ['balancer', 'none']]);
    const { does, sees, answer } = await startWizard({ draft }, { look });
    await does(['Hosts that run etcd', ''], ['Control planes', ''], ['What do clients reach', '']);
    expect(asked).toEqual([]);
    await does(['Virtual IP of the API servers', '10.0.7.77']);
    await sees('virtual router id 77 is used already: by 10.0.7.9, heard on cp-1');
    for (let key = 0; key < 9; key += 1) await does(['Virtual IP of the API servers', { key: 'backspace' }]);
    await does(['Virtual IP of the API servers', '10.0.7.78'], ['What else', ''], ['Who signs', '']);
    expect(await answer).toMatchObject({ balancer: undefined, apiserverIp: '10.0.7.78' });
    expect(asked).toEqual(['cp-1']);
  });

  test('once for the same answers, and again after others', async () => {
    const { logins, look } = answering();
    const { does, sees } = await startWizard({ draft: DRAFT }, { look });
    await does(['Hosts that run etcd', { key: 'escape' }], ['Private key', '']);
    await does(
      ['Hosts that run etcd', { key: 'escape' }],
      ['Private key', { key: 'escape' }],
      ['User to log in', 'root'],
    );
    await does(['Private key', '']);
    await sees('Hosts that run etcd');
    expect(logins.map(({ user }) => user)).toEqual(['ops', 'root']);
  });

  test('a new host key is shown, and trusted only when a person agrees', async () => {
    const { logins, look } = answering(failed('host-key-unknown'));
    const { does, sees, output } = await startWizard({ draft: DRAFT }, { look });
    await does(['Trust 1 host key and remember it?', '']);
    await sees('Hosts that run etcd');
    expect(await output()).toContain('etcd-1: host-key-unknown it is');
    expect(logins.map(({ trusted }) => trusted)).toEqual([new Map(), new Map([['etcd-1', 'SHA256:shown']])]);
  });

  test('without trust it is not connected to again', async () => {
    const { logins, look } = answering(failed('host-key-unknown'));
    const { does, sees } = await startWizard({ draft: DRAFT }, { look });
    await does(['Trust 1 host key', 'n']);
    await sees('Hosts that run etcd');
    expect(logins).toHaveLength(1);
  });

  test('a sudo password that is missing or wrong is asked for, and is in no answer', async () => {
    const { logins, look } = answering(failed('become-password-missing'), failed('become-password-wrong'));
    const { does, sees, answers, output } = await startWizard({ draft: DRAFT }, { look });
    await does(
      ['sudo password (Esc: back)', 'first-planted'],
      ['sudo password (Esc: back)', 'second-planted'],
      ['Hosts that run etcd', ''],
    );
    await sees('Control planes');
    expect(logins.map(({ sudoPassword }) => sudoPassword?.reveal())).toEqual([
      undefined,
      'first-planted',
      'second-planted',
    ]);
    expect(JSON.stringify(answers.map((all) => [...all])) + (await output())).not.toContain('planted');
  });

  test.each([
    ['', 2],
    ['n', 1],
  ])('what else fails is tried again, or left: %j', async (typed, tried) => {
    const { logins, look } = answering(failed('unreachable'));
    const { does, sees, output } = await startWizard({ draft: DRAFT }, { look });
    await does(['1 host failed. Try again?', typed]);
    await sees('Hosts that run etcd');
    expect(logins).toHaveLength(tried);
    expect(await output()).toContain('→ mind unreachable');
  });

  test.each(['Trust', 'sudo password', '1 host failed'])('Escape at "%s" goes back to the login', async (question) => {
    const codes: Record<string, string> = { Trust: 'host-key-unknown', 'sudo password': 'become-password-wrong' };
    const { look } = answering(failed(codes[question] ?? 'unreachable'));
    const { does, sees } = await startWizard({ draft: DRAFT }, { look });
    await does([question, { key: 'escape' }]);
    await sees('Private key');
  });
});
