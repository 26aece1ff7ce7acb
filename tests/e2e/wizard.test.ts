import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, expect, test } from '@jest/globals';
import { inControlNamespace } from '../../src/lab/network.js';
import { waitUntil } from '../../src/lab/process.js';
import { readLab } from '../../src/lab/state.js';
import { describeOnLab, LAB_PATHS, provision, type TestLab } from '../support/lab.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** Longest wait for one text on the screen: a machine may be busy with other labs. */
const SEEN_MS = 120_000;

/** `init` on a terminal of its own (`script` makes one), with the SSH settings of a person who has never met the hosts. */
function startInit(lab: TestLab, directory: string) {
  const known = join(directory, 'known_hosts');
  const settings = `Host *\n  StrictHostKeyChecking ask\n  UserKnownHostsFile ${known}\nInclude ${lab.files.sshConfig}\n`;
  writeFileSync(join(directory, 'ssh_config'), settings);
  const ssh = `#!/bin/sh\nexec /usr/bin/ssh -F ${join(directory, 'ssh_config')} "$@"\n`;
  writeFileSync(join(directory, 'ssh'), ssh, { mode: 0o755 });
  const command = `stty cols 100 rows 40; exec ${provision('init', join(directory, 'inventory.yaml')).join(' ')}`;
  const env = ['env', `PATH=${directory}:${process.env['PATH'] ?? ''}`, 'TERM=xterm', 'SSH_AUTH_SOCK='];
  const [program = '', ...args] = inControlNamespace(lab.name, [...env, 'script', '-qefc', command, '/dev/null']);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  let from = 0;
  return {
    known,
    ended,
    /** Everything so far. */
    output: () => stripVTControlCharacters(output),
    /** Waits for a text that was not there before the last key, then types. */
    async does(seen: string | RegExp, typed: string): Promise<void> {
      const isThere = (): boolean => stripVTControlCharacters(output.slice(from)).search(seen) >= 0;
      if (!(await waitUntil(async () => isThere(), SEEN_MS, 50)))
        throw new Error(`never saw ${String(seen)}, but:\n${stripVTControlCharacters(output.slice(-3000))}`);
      from = output.length;
      child.stdin.write(typed);
    },
    end: () => child.stdin.end(),
    /** A person who gives up leaves nothing behind. */
    leave: () => child.kill(),
  };
}

describeOnLab('the wizard, from an empty directory', 'wizard', { hosts: 3 }, (lab) => {
  const persons: ReturnType<typeof startInit>[] = [];
  afterEach(() => {
    for (const person of persons) person.leave();
  });

  test('to a running etcd: new host keys, a wrong sudo password, what the hosts are, a free virtual IP, plan and apply', async () => {
    const directory = temporaryDirectory('wizard');
    const { hosts } = await readLab(LAB_PATHS, lab.name);
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
    await person.does('Virtual IP', '\r');
    expect(person.output()).toMatch(/is proposed as virtual IP: it is in [\d.]+\/24/);
    for (const question of ['Its network', 'DNS name', 'Port of', 'Hosts that run HAProxy'])
      await person.does(question, '\r');
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
