import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import type { EventJson } from '../../src/report/event-schema.js';
import { encryptVault } from '../support/encrypt-vault.js';
import { freeApt, holdApt } from '../support/held-apt.js';
import { describeOnLab, type Ended } from '../support/lab.js';
import { endOf, performedChanges, plannedChanges, runVerb, type JsonRun } from '../support/main-job.js';
import { disturbedApply } from '../support/stopped-run.js';

/** Of a run that fails before it changes anything. */
interface Refusal {
  readonly status: number | null;
  readonly text: string;
  readonly failures: Extract<EventJson, { type: 'run-failed' }>['failures'];
}

const HOSTS = ['host-1', 'host-2'] as const;
const PLANTED = 'planted-clear-text-41c7';
const VAULT_PASSWORD = 'vault-password';

/** Every module, as a user of Ansible would write it. */
const SITE = `- name: Demo
  hosts: all
  become: true
  serial: 1
  vars: { greeting: hello, wanted: host-2 }
  tasks:
    - group: { name: demo-group }
    - ansible.builtin.user: { name: alice, groups: [demo-group], shell: /bin/sh }
    - apt: { name: [curl] }
    - name: A directory of Alice's
      file: { path: /etc/demo, state: directory, owner: alice, group: demo-group, mode: "0750" }
    - copy: { dest: /etc/demo/greeting, content: "{{ greeting }} from {{ inventory_hostname }}\\n" }
    - template: { src: secret.conf.j2, dest: /etc/demo/secret.conf, owner: alice, mode: "0600", validate: grep -q port %s }
    - name: Only on the wanted host
      copy: { dest: /etc/demo/only-here, src: files/plain.txt }
      when: inventory_hostname == wanted
    - copy:
        dest: /etc/systemd/system/demo.service
        content: |
          [Service]
          ExecStart=/bin/sleep infinity
          [Install]
          WantedBy=multi-user.target
    - systemd: { name: demo, state: restarted }
    - sysctl: { name: net.ipv4.ip_nonlocal_bind, value: 1 }
    - command: { cmd: touch /etc/demo/made, creates: /etc/demo/made }
    - command: { cmd: rm /root/old, removes: /root/old }
    - name: A shell in a directory
      shell: printf '%s|' *-here greeting ~ "$(id -un)" | tee shown >/dev/null
      args: { chdir: /etc/demo, creates: shown }
    - name: Files of a list
      copy: { dest: "/etc/demo/{{ item.name }}.list", content: "{{ item.value }}\\n" }
      loop: [{ name: one, value: "{{ planted }}" }, { name: two, value: "{{ groups.all | join(' ') }}" }]
      loop_control: { label: "{{ item.name }}" }
    - file: { path: /root/stale, state: absent }
    - hosts_entries: { entries: [{ address: 192.0.2.7, names: [db.example, db] }] }
`;

const TEMPLATE =
  'port = {{ 2000 + 379 }}\nkey = {{ planted }}\n{% for host in groups.all %}\npeer {{ host }}\n{% endfor %}\n';

describeOnLab('a playbook of one’s own', 'plays', { hosts: 2 }, (lab) => {
  let directory: string;
  let vaultFile: string;
  let firstPlan: JsonRun;
  let firstApply: JsonRun;
  let textPlan: Ended;

  async function playbook(name: string, text: string): Promise<string> {
    const file = join(directory, `${name}.yaml`);
    await writeFile(file, text);
    return file;
  }

  async function go(verb: 'plan' | 'apply', file: string, ...args: readonly string[]): Promise<JsonRun> {
    return runVerb(lab, verb, ...args, ...wordsFor(file));
  }

  function wordsFor(file: string): readonly string[] {
    return ['-p', file, '--vault-password-file', vaultFile, '--detailed-exitcode'];
  }

  async function inventory(name: string, from: string, ...changes: readonly [string, string][]): Promise<string> {
    const text = await readFile(from, 'utf8');
    const file = join(directory, `${name}.yaml`);
    await writeFile(
      file,
      changes.reduce((changed, [before, after]) => changed.replaceAll(before, after), text),
    );
    return file;
  }

  beforeAll(async () => {
    directory = join(lab.files.inventory, '..');
    vaultFile = join(directory, 'vault-password');
    await writeFile(vaultFile, `${VAULT_PASSWORD}\n`);
    await Promise.all(['templates', 'files', 'group_vars'].map(async (name) => mkdir(join(directory, name))));
    await writeFile(join(directory, 'templates', 'secret.conf.j2'), TEMPLATE);
    await writeFile(join(directory, 'files', 'plain.txt'), 'plain\n');
    const sealed = encryptVault(PLANTED, VAULT_PASSWORD).split('\n');
    const vars = `planted: !vault |\n${sealed.map((line) => `  ${line}\n`).join('')}`;
    await writeFile(join(directory, 'group_vars', 'all.yml'), vars);
    await Promise.all(HOSTS.map(async (host) => lab.ssh(host, 'touch /root/old /root/stale')));
    const site = await playbook('site', SITE);
    firstPlan = await go('plan', site);
    textPlan = await lab.provision('plan', lab.files.inventory, '-p', site, '--vault-password-file', vaultFile);
    firstApply = await go('apply', site);
    if (firstApply.status !== 2) throw new Error(endOf(firstApply));
  });

  test('what is planned is what is done, one host after the other, and then nothing is left', async () => {
    expect(firstPlan.status).toBe(2);
    expect(plannedChanges(firstPlan)).toHaveLength(16 + 17);
    expect(performedChanges(firstApply)).toEqual(plannedChanges(firstPlan));
    for (const line of plannedChanges(firstPlan))
      expect(textPlan.stdout).toContain(line.split(': ').slice(1).join(': '));
    const again = await go('apply', join(directory, 'site.yaml'));
    expect([again.status, plannedChanges(again)]).toEqual([0, []]);
  });

  test('each module did what it says', async () => {
    const look = [
      'id -nG alice; getent passwd alice | cut -d: -f7; curl --version | cut -c1-4 | head -n 1',
      "stat -c '%U:%G %a' /etc/demo /etc/demo/secret.conf; cat /etc/demo/greeting /etc/demo/secret.conf",
      'systemctl is-active demo; systemctl is-enabled demo; sysctl -n net.ipv4.ip_nonlocal_bind',
      'ls /etc/demo; ls /root; getent hosts db.example',
    ];
    const found = await lab.ssh('host-2', look.join('; '));
    expect(found.stdout.split('\n').slice(0, 2)).toEqual([expect.stringContaining('demo-group'), '/bin/sh']);
    expect(found.stdout).toContain(
      `curl\nalice:demo-group 750\nalice:root 600\nhello from host-2\nport = 2379\nkey = ${PLANTED}\npeer host-1\npeer host-2\n` +
        'active\nenabled\n1\ngreeting\nmade\none.list\nonly-here\nsecret.conf\nshown\ntwo.list\n192.0.2.7',
    );
    expect((await lab.ssh('host-1', 'ls /etc/demo')).stdout).toBe(
      'greeting\nmade\none.list\nsecret.conf\nshown\ntwo.list\n',
    );
    const shown = await lab.ssh('host-2', 'cat /etc/demo/shown /etc/demo/*.list');
    expect(shown.stdout).toBe(`only-here|greeting|/root|root|${PLANTED}\nhost-1 host-2\n`);
  });

  test('a vault value reaches its file, and no output', async () => {
    const journals = await lab.onControlSide(['grep', '-r', 'secret.conf', join(directory, '.provision')]);
    const shown = [firstPlan, textPlan, firstApply].map(({ stdout, stderr }) => stdout + stderr).join('');
    for (const text of [shown, journals.stdout]) {
      // The search works: what stands beside the value is found.
      expect(text).toContain('secret.conf');
      expect(text).not.toContain(PLANTED);
    }
    expect(shown).toContain('key = [redacted]');
  });

  test('--limit touches only what it names', async () => {
    const file = await playbook('limit', '- hosts: all\n  tasks:\n    - copy: { dest: /etc/limited, content: x }\n');
    const limited = await go('apply', file, '--limit', 'all:!host-1');
    expect(performedChanges(limited).map((line) => line.split(' / ')[1])).toEqual(['host-2']);
    expect((await lab.ssh('host-1', 'ls /etc/limited')).status).not.toBe(0);
  });

  test('while another process installs, apply says who, waits, and then goes on', async () => {
    const file = await playbook('locked', '- hosts: host-1\n  tasks:\n    - apt: { name: nftables }\n');
    await holdApt(lab, 'host-1');
    // Freed when apply says that it waits.
    const isWaiting = (event: EventJson): boolean => event.type === 'gate-waiting';
    const applied = await disturbedApply(lab, isWaiting, () => freeApt(lab, 'host-1'), wordsFor(file));
    expect(endOf(applied)).toMatch(/^status 2/);
    const waits = applied.events.flatMap((event) => (event.type === 'gate-waiting' ? [event.reason] : []));
    expect(waits).toEqual([
      expect.stringMatching(/^perl \(pid \d+\) on host-1 holds \/var\/lib\/dpkg\/lock-frontend$/),
    ]);
    expect((await lab.ssh('host-1', 'command -v nft')).status).toBe(0);
  });

  describe('where a change fails, what was done on the host is rolled back, and no later host is touched:', () => {
    test.each<[string, string, string, readonly (string | RegExp)[]]>([
      [
        'a file that its check refuses',
        'true',
        'copy: { dest: /etc/demo/bad.conf, content: x, validate: "echo line 7 is nonsense; false %s" }',
        ['host-1: write /etc/demo/bad.conf', 'line 7 is nonsense'],
      ],
      [
        'a full file system',
        'mkdir -p /mnt/full && mount -t tmpfs -o size=64k tmpfs /mnt/full && ! cat /dev/zero >/mnt/full/filler',
        `copy: { dest: /mnt/full/file, content: "${'x'.repeat(20_000)}" }`,
        ['host-1: write /mnt/full/file', 'No space left on device'],
      ],
      [
        'a read-only file system',
        'mkdir -p /mnt/readonly && mount -t tmpfs -o ro tmpfs /mnt/readonly',
        'copy: { dest: /mnt/readonly/file, content: x }',
        ['host-1: write /mnt/readonly/file', 'Read-only file system'],
      ],
      [
        'a package that is not known',
        'true',
        'apt: { name: no-such-package-at-all }',
        ['host-1: apt-get install no-such-package-at-all', 'Unable to locate package no-such-package-at-all'],
      ],
      [
        'a unit that does not start',
        'printf "[Service]\\nExecStart=/bin/false\\nType=oneshot\\n[Install]\\nWantedBy=multi-user.target\\n" >/etc/systemd/system/broken.service && systemctl daemon-reload',
        'systemd: { name: broken }',
        ['host-1: systemctl restart broken', 'status=1/FAILURE'],
      ],
      [
        'a command that fails',
        'true',
        'shell: { cmd: "echo no such disk >&2; exit 3", creates: /nowhere }',
        ['ended with status 3', 'no such disk'],
      ],
    ])('%s', async (_, prepare, task, said) => {
      expect((await lab.ssh('host-1', prepare)).status).toBe(0);
      const first = 'copy: { dest: /etc/half-done, content: x }';
      const file = await playbook(
        'failing',
        `- name: Failing\n  hosts: all\n  serial: 1\n  tasks:\n    - ${first}\n    - ${task}\n`,
      );
      const failed = await go('apply', file);
      expect(failed.status).toBe(1);
      const ending = failed.events.flatMap((event) => (event.type === 'run-failed' ? event.failures : []));
      expect(ending.map(({ host }) => host)).toEqual(['host-1']);
      for (const words of said) expect(ending[0]?.message).toContain(words);
      expect(performedChanges(failed)).toHaveLength(1);
      for (const host of HOSTS) expect((await lab.ssh(host, 'ls /etc/half-done')).status).not.toBe(0);
      const staged = await lab.ssh(
        'host-1',
        'ls -A /etc/demo /mnt/full /mnt/readonly 2>/dev/null | grep -E "^\\.|bad|^file$"',
      );
      expect(staged.stdout).toBe('');
    });
  });

  test('a fleet of two clusters is planned side by side, applied exactly as planned, and has then nothing to do', async () => {
    const whole = await readFile(lab.files.inventory, 'utf8');
    const fleet = join(directory, 'fleet');
    for (const [own, other] of [HOSTS, ['host-2', 'host-1']] as const) {
      await mkdir(join(fleet, own), { recursive: true });
      await writeFile(
        join(fleet, own, 'hosts.yaml'),
        whole.replace(new RegExp(`^ *${other}:\n(?: +ansible_host: .*\n)?`, 'm'), ''),
      );
    }
    // Not beside group_vars/, which are another inventory's.
    const file = join(fleet, '..', 'of-a-fleet', 'site.yaml');
    await mkdir(join(file, '..'));
    await writeFile(file, '- hosts: all\n  tasks:\n    - copy: { dest: /etc/fleet, content: x }\n');
    const work = async (verb: string, ...more: readonly string[]): Promise<Ended> =>
      lab.provision('fleet', verb, fleet, '--playbook', file, ...more);
    const planned = await work('plan', '-o', join(directory, 'plans'));
    expect(planned.stdout).toMatch(/^✔ host-1 {2}1 change on 1 host .*\n✔ host-2 {2}1 change on 1 host /);
    expect((await lab.ssh('host-1', 'ls /etc/fleet')).status).not.toBe(0);
    const applied = await work('apply', '--plans', join(directory, 'plans'));
    expect([applied.status, applied.stdout]).toEqual([0, expect.stringContaining('2 clusters: 2 ok (2 with changes)')]);
    expect((await lab.ssh('host-2', 'cat /etc/fleet')).stdout).toBe('x');
    expect((await work('plan', '--detailed-exitcode')).status).toBe(0);
  });

  describe('a host that cannot be worked on is named, with the ways to proceed:', () => {
    const nothing = '- hosts: all\n  tasks:\n    - copy: { dest: /etc/never, content: x }\n';

    /** What the run says that fails, and of which host. */
    async function refused(file: string): Promise<Refusal> {
      const run = await runVerb(lab, 'apply', file, '-p', await playbook('never', nothing));
      expect(performedChanges(run)).toEqual([]);
      expect((await lab.ssh('host-1', 'ls /etc/never')).status).not.toBe(0);
      return {
        status: run.status,
        text: run.stdout,
        failures: run.events.flatMap((event) => (event.type === 'run-failed' ? event.failures : [])),
      };
    }

    test('a wrong sudo password', async () => {
      const file = await inventory('sudo', lab.files.becomeInventory, ['ops-sudo-password', 'not-the-password']);
      const { status, text, failures } = await refused(file);
      expect(status).toBe(EXIT.failed);
      expect(failures).toMatchObject(HOSTS.map((host) => ({ host, code: 'become-password-wrong' })));
      expect(text).not.toContain('not-the-password');
    });

    test('a host that does not answer', async () => {
      const address = /host-2:\n\s*ansible_host: (\S+)/.exec(await readFile(lab.files.inventory, 'utf8'))?.[1] ?? '';
      const away = address.replace(/\d+$/, '250');
      const { status, failures } = await refused(
        await inventory('away', lab.files.inventory, [`ansible_host: ${address}`, `ansible_host: ${away}`]),
      );
      expect(status).toBe(EXIT.unreachable);
      expect(failures).toMatchObject([{ host: 'host-2', code: 'unreachable' }]);
      expect(failures[0]?.message).toContain(away);
    });

    test('an unknown host key, and a changed one', async () => {
      const known = await readFile(lab.files.knownHosts, 'utf8');
      const [one = '', two = ''] = known
        .trim()
        .split('\n')
        .map((line) => line.replace(/^\S+ /, ''));
      const unknown = join(directory, 'known-none');
      const changed = join(directory, 'known-changed');
      await writeFile(unknown, '');
      await writeFile(changed, known.replace(one, two));
      const asked = await refused(await inventory('unknown', lab.files.inventory, [lab.files.knownHosts, unknown]));
      expect(asked.failures).toMatchObject(HOSTS.map((host) => ({ host, code: 'host-key-unknown' })));
      expect(asked.text).toContain('--accept-new-host-keys');
      const warned = await refused(await inventory('changed', lab.files.inventory, [lab.files.knownHosts, changed]));
      expect([asked.status, warned.status]).toEqual([EXIT.failed, EXIT.unsafe]);
      expect(warned.failures).toMatchObject([{ host: 'host-1', code: 'host-key-changed' }]);
      expect(warned.text).toContain('ssh-keygen');
    });
  });
});
