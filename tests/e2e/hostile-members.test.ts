// A member that names its interface as a template, and playbooks that change secrets on their way, on real hosts.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { encryptVault } from '../support/encrypt-vault.js';
import { describeOnLab, provision, type Ended } from '../support/lab.js';

const PASSPHRASE = 'a passphrase of a test';
const VAULT_PASSWORD = `planted-vault-password-${process.pid}`;
const SUDO_PASSWORD = 'ops-sudo-password';

/** What stands in a plan or in a log of something, however it was changed on the way there. */
function formsOf(secret: string): readonly string[] {
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
  // Where it stands in the middle of a longer text, base64 shifts by a byte or two.
  const shifted = [1, 2].map((by) =>
    Buffer.from(' '.repeat(by) + secret)
      .toString('base64')
      .slice(4, -4),
  );
  const lines = secret.split('\n').filter((line) => line.length > 5);
  return [secret, secret.toUpperCase(), JSON.stringify(secret).slice(1, -1), base64, ...shifted, ...lines];
}

function secretsIn(text: string, secrets: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(secrets).flatMap(([name, secret]) =>
    formsOf(secret).some((form) => text.includes(form)) ? [name] : [],
  );
}

describeOnLab('members that are not to be believed', 'hostile', { etcd: 3 }, (lab) => {
  const environment = ['env', `PROVISION_CA_PASSPHRASE=${PASSPHRASE}`];
  const directory = dirname(lab.files.becomeInventory);

  async function runProvision(...words: readonly string[]): Promise<Ended> {
    return lab.onControlSide([...environment, ...provision(...words)]);
  }

  describe('a member that names its interface as a template', () => {
    const IP = `#!/bin/sh
/usr/sbin/ip "$@" | sed "s#: eth0 #: {{hostvars['etcd-1'].ansible_become_password}} #"
`;
    beforeAll(async () => {
      await lab.ssh(
        'etcd-2',
        `printf '%s' ${JSON.stringify(Buffer.from(IP).toString('base64'))} | base64 -d > /usr/local/sbin/ip && chmod 755 /usr/local/sbin/ip`,
      );
    });
    afterAll(async () => {
      await lab.ssh('etcd-2', 'rm -f /usr/local/sbin/ip');
    });

    test.each(['plan', 'apply'])('%s refuses it, and renders nothing', async (verb) => {
      const ended = await runProvision(verb, lab.files.becomeInventory, ...(verb === 'apply' ? ['--yes'] : []));
      const shown = ended.stdout + ended.stderr;
      expect(ended.status).not.toBe(0);
      expect(shown).toContain("{{hostvars['etcd-1'].ansible_become_password}}");
      expect(shown).toContain('etcd-2');
      expect(shown).not.toContain(SUDO_PASSWORD);
      // The search finds one that is there.
      expect(await readFile(lab.files.becomeInventory, 'utf8')).toContain(SUDO_PASSWORD);
    });

    test('no host was changed, and none has the password in a file', async () => {
      for (const host of ['etcd-1', 'etcd-2', 'etcd-3']) {
        const found = await lab.ssh(
          host,
          `grep -rlF ${SUDO_PASSWORD} /etc 2>/dev/null; ls /etc/keepalived /etc/haproxy 2>/dev/null`,
        );
        expect(found.stdout).toBe('');
      }
      await lab.ssh('etcd-2', `echo planted ${SUDO_PASSWORD} > /etc/planted`);
      const control = await lab.ssh('etcd-2', `grep -rlF ${SUDO_PASSWORD} /etc; rm /etc/planted`);
      expect(control.stdout).toBe('/etc/planted\n');
    });
  });

  describe('a playbook that changes secrets on their way', () => {
    const secrets = {
      vault_quoted: `pl"anted \\ quoted ${process.pid}`,
      vault_plain: `planted-plain-${process.pid}`,
      vault_multi: `planted first ${process.pid}\nplanted second ${process.pid}\nplanted third ${process.pid}`,
    };
    const room = join(directory, 'redaction');
    const inventory = join(room, 'inventory.yaml');
    const saved = join(room, 'saved.plan');
    const ran: Ended[] = [];
    const login = '    - name: login\n      command: { cmd: "true {{ vault_quoted }}", creates: /nonexistent/y }\n';
    const files = `    - copy:
        dest: /etc/secret1
        content: |
          header: {{ ('admin:' ~ vault_plain) | b64encode }}
          upper: {{ vault_plain | upper }}
          quoted: {{ vault_quoted | to_json }}
    - copy:
        dest: /etc/secret2
        content: |
          lines:
            {{ vault_multi | indent(4) }}
`;

    async function playbook(name: string, tasks: string): Promise<string> {
      const file = join(room, name);
      await writeFile(file, `- name: secrets\n  hosts: etcd-1\n  tasks:\n${tasks}`);
      return file;
    }

    async function run(...words: readonly string[]): Promise<Ended> {
      const password = ['--vault-password-file', join(room, 'vault-password')];
      const ended = await runProvision(...words, ...password);
      ran.push(ended);
      return ended;
    }

    beforeAll(async () => {
      await mkdir(join(room, 'host_vars'), { recursive: true });
      await writeFile(inventory, await readFile(lab.files.becomeInventory, 'utf8'));
      await writeFile(join(room, 'vault-password'), VAULT_PASSWORD, { mode: 0o600 });
      const variables = Object.entries(secrets).map(([name, secret]) => {
        const lines = encryptVault(secret, VAULT_PASSWORD).split('\n');
        return `${name}: !vault |\n${lines.map((line) => `  ${line}\n`).join('')}`;
      });
      await writeFile(join(room, 'host_vars', 'etcd-1.yaml'), variables.join(''));
    });

    test('is refused where one would be seen in a process', async () => {
      const ended = await run('plan', inventory, '-p', await playbook('login.yaml', login));
      expect(ended.status).not.toBe(0);
      expect(ended.stderr + ended.stdout).toMatch(/login\.yaml:\d+:\d+: cmd: holds a vault value/);
    });

    test('has them on the host, and in no output, saved plan or journal', async () => {
      const files_ = await playbook('files.yaml', files);
      for (const words of [
        ['plan', inventory, '-p', files_, '-o', saved],
        ['plan', inventory, '-p', files_, '--format', 'json'],
        ['apply', inventory, '-p', files_, '--plan', saved, '--yes', '--format', 'json'],
        ['history', inventory, 'last'],
      ]) {
        const ended = words[0] === 'history' ? await runProvision(...words) : await run(...words);
        ran.push(ended);
        expect({ words, ...ended }).toMatchObject({ status: 0 });
      }
      // They were used.
      const written = await lab.ssh('etcd-1', 'cat /etc/secret1 /etc/secret2; stat -c %a /etc/secret1 /etc/secret2');
      expect(written.stdout).toContain(Buffer.from(`admin:${secrets.vault_plain}`).toString('base64'));
      expect(written.stdout).toContain(`upper: ${secrets.vault_plain.toUpperCase()}\n`);
      expect(written.stdout).toContain(JSON.stringify(secrets.vault_quoted));
      expect(written.stdout).toMatch(/600\n600\n$/);
      const beside = (await readdir(room, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
      const kept = beside.filter((path) => /\/journal\/|saved\.plan$/.test(path));
      expect(kept.length).toBeGreaterThanOrEqual(2);
      const texts = [
        ...ran.map(({ stdout, stderr }) => stdout + stderr),
        ...(await Promise.all(kept.map((path) => readFile(path, 'utf8')))),
      ];
      for (const text of texts) expect(secretsIn(text, secrets)).toEqual([]);
      expect(texts.join('')).toContain('[redacted]');
      // The same search finds each where it is.
      expect(secretsIn(written.stdout, secrets)).toEqual(Object.keys(secrets));
    });
  });
});
