import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { quote } from '../../src/shell/quote.js';
import { readLab } from '../../src/lab/state.js';
import { createHandMadeCluster } from '../support/hand-made-cluster.js';
import { describeOnLab, LAB_PATHS } from '../support/lab.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { startInit, type PersonAtWizard } from '../support/wizard-on-lab.js';

/** Advertises VRRP 2 with a router id for an address, as a group of strangers would, until its unit is stopped. */
function strangerOn(own: string, id: number, address: string): string {
  const hex = (text: string): string =>
    text
      .split('.')
      .map((part) => Number(part).toString(16).padStart(2, '0'))
      .join('');
  const program = `use Socket ":all"; socket(my $out, PF_INET, SOCK_RAW, 112); setsockopt($out, IPPROTO_IP, IP_MULTICAST_IF, inet_aton("${own}"));
setsockopt($out, IPPROTO_IP, IP_MULTICAST_TTL, pack("i", 255));
for (;;) { send $out, pack("H*", "21${hex(String(id))}640100010000${hex(address)}"), 0, pack_sockaddr_in(0, inet_aton("224.0.0.18")); select undef, undef, undef, 0.5 }`;
  return `systemd-run --quiet --unit=stranger perl -e ${quote(program)}`;
}

describeOnLab('the wizard, from an empty directory', 'wizard', { hosts: 3 }, (lab) => {
  const persons: PersonAtWizard[] = [];
  afterEach(() => {
    for (const person of persons) person.leave();
  });

  test('to a running etcd: new host keys, a wrong sudo password, what the hosts are, a free virtual IP with a router id that nobody uses, plan and apply', async () => {
    const directory = temporaryDirectory('wizard');
    const { hosts } = await readLab(LAB_PATHS, lab.name);
    const [first, , last] = hosts;
    const subnet = first?.address.replace(/\d+$/, '') ?? '';
    // The first address that would be proposed has the router id of others.
    expect((await lab.ssh(last?.name ?? '', strangerOn(last?.address ?? '', 250, `${subnet}77`))).status).toBe(0);
    const person = startInit(lab, directory);
    persons.push(person);
    const pasted = hosts.map(({ name, address }) => `${address}\t${name}`).join('\r');
    await person.does('What do you have?', '\r');
    await person.does('Hosts, as', `${pasted}\r`);
    await person.does('User to log in', 'ops\r');
    await person.does('Private key', `${lab.files.privateKey}\r`);
    await person.does('Trust 3 host keys', '\r');
    expect(person.output()).toMatch(/is not known: ssh-ed25519 SHA256:/);
    await person.does('sudo password', 'not-the-password\r');
    await person.does(/refuses the become password[^]*sudo password/, 'ops-sudo-password\r');
    await person.does('Hosts that run etcd', '\r');
    expect(person.output()).toMatch(/✔ \S+: Debian GNU\/Linux 12 \(bookworm\), \S+ [\d.]+\/24, [\d.]+ GiB memory/);
    await person.does('Control planes', '\r');
    await person.does('What do clients reach', '\r');
    await person.does('Hosts that run HAProxy', '\r');
    // Said before Enter; Ctrl-U takes it back, and what is proposed is there again.
    await person.does('Virtual IP', first?.address ?? '');
    await person.does(`> ${first?.address ?? ''} is the address of ${first?.name ?? ''}`, '\u0015');
    await person.does('Virtual IP', '\r');
    expect(person.output()).toMatch(/is proposed as virtual IP: it is in [\d.]+\/24/);
    expect(person.output()).toContain(
      `virtual router id 250 is used by ${last?.address ?? ''} for ${subnet}77, heard on`,
    );
    expect(person.output()).toContain('no other VRRP group was heard within 3 s on');
    expect((await lab.ssh(last?.name ?? '', 'systemctl stop stranger')).status).toBe(0);
    for (const question of ['Its network', 'VRRP router id', 'DNS name', 'Port of']) await person.does(question, '\r');
    await person.does('What else', 'a');
    await person.does('◉ a snapshot', '\r');
    await person.does('Who signs', '\r');
    await person.does('Write this to', '\r');
    await person.does('Plan it now', '\r');
    await person.does('Go on to apply', '\r');
    await person.does(/Perform \d+ changes/, 'y\r');
    await person.does('New passphrase for', 'kept in a safe\r');
    await person.does('Repeat the passphrase', 'kept in a safe\r');
    expect(await person.ended).toEqual([0, null]);
    person.end();
    expect(person.output()).toMatch(/to change|changes/);
    const written = readFileSync(join(directory, 'inventory.yaml'), 'utf8');
    const vip = /etcd_lb_ip: ([\d.]+)\n/.exec(written)?.[1] ?? '';
    expect(vip).toBe(`${subnet}249`);
    const pki = '--cacert=/etc/etcd/pki/ca.crt --cert=/etc/etcd/pki/client.crt --key=/etc/etcd/pki/client.key';
    const healthy = `ETCDCTL_API=3 etcdctl --endpoints=https://${vip}:2379 ${pki} endpoint health --cluster 2>&1`;
    const { stdout } = await lab.ssh(hosts[0]?.name ?? '', healthy);
    expect(stdout.match(/ is healthy: /g)).toHaveLength(3);
    const extras = await lab.ssh(hosts[0]?.name ?? '', 'nft list tables; systemctl list-timers --no-legend');
    expect(extras.stdout).toMatch(/table inet provision[^]*snapshot/);
    expect(readFileSync(person.known, 'utf8').trim().split('\n')).toHaveLength(3);
    const shown = person.output() + written;
    for (const secret of ['ops-sudo-password', 'kept in a safe']) expect(shown).not.toContain(secret);
  });
});

describeOnLab('the wizard, where an etcd runs', 'wizardrun', { etcd: 3 }, (lab) => {
  const persons: PersonAtWizard[] = [];
  afterEach(() => {
    for (const person of persons) person.leave();
  });

  /** From the first question about the hosts to the inventory: what is proposed is taken. */
  async function takesWhatIsProposed(person: PersonAtWizard): Promise<void> {
    await person.does('Hosts that run etcd', '\r');
    expect(person.output()).toContain('etcd listens on port 2379 already');
    await person.does('Control planes', '\r');
    for (const question of [
      'What do clients reach',
      'Hosts that run HAProxy',
      'Virtual IP',
      'Its network',
      'VRRP router id',
      'DNS name',
      'Port of',
    ])
      await person.does(question, '\r');
    await person.does('What else', '\r');
    await person.does('Write this to', '\r');
  }

  test('from a running etcd and from an inventory of kubespray, to its description and a plan', async () => {
    await createHandMadeCluster(lab);
    const { hosts } = await readLab(LAB_PATHS, lab.name);
    const directory = temporaryDirectory('wizard-etcd');
    const person = startInit(lab, directory);
    persons.push(person);
    await person.does('What do you have?', '\u001b[B');
    await person.does('❯ a running etcd', '\r');
    await person.does('Hosts, as', `${hosts.map(({ name, address }) => `${name}=${address}`).join(' ')}\r`);
    await person.does('User to log in', 'root\r');
    await person.does('Private key', `${lab.files.privateKey}\r`);
    await person.does('Trust 3 host keys', '\r');
    await takesWhatIsProposed(person);
    await person.does('An etcd runs already. Describe it', '\r');
    await person.does('Write this beside the inventory?', 'y\r');
    await person.does('Plan it now', '\r');
    await person.does('Go on to apply', 'n\r');
    expect(await person.ended).toEqual([0, null]);

    const other = temporaryDirectory('wizard-kubespray');
    const lines = hosts.map(({ name, address }) => `${name} ansible_host=${address} ip=${address}`);
    const groups = `[kube_control_plane]\n\n[etcd]\n${hosts.map(({ name }) => name).join('\n')}\n\n[kube_node]\n\n[k8s_cluster:children]\nkube_control_plane\nkube_node\n`;
    const key = `ansible_ssh_private_key_file=${lab.files.privateKey}`;
    writeFileSync(
      join(other, 'hosts.ini'),
      `[all]\n${lines.join('\n')}\n\n[all:vars]\nansible_user=root\n${key}\n\n${groups}`,
    );
    const second = startInit(lab, other);
    persons.push(second);
    await second.does('What do you have?', '\u001b[B');
    await second.does('❯ a running etcd', '\u001b[B');
    await second.does('❯ a running Kubernetes with', '\u001b[B');
    await second.does('❯ a running Kubernetes of', '\u001b[B');
    await second.does('❯ an Ansible or kubespray', '\r');
    await second.does('That inventory', `${join(other, 'hosts.ini')}\r`);
    for (const question of ['Hosts, as', 'User to log in', 'Private key']) await second.does(question, '\r');
    await second.does('Trust 3 host keys', '\r');
    await takesWhatIsProposed(second);
    await second.does('An etcd runs already. Describe it', 'n\r');
    expect(await second.ended).toEqual([0, null]);
    const hostsOf = async (file: string): Promise<unknown> => {
      const { stdout } = await lab.provision('inventory', file, '--format', 'json');
      return (JSON.parse(stdout) as { readonly etcd: unknown }).etcd;
    };
    expect(await hostsOf(join(other, 'inventory.yaml'))).toEqual(await hostsOf(join(other, 'hosts.ini')));
  });
});
