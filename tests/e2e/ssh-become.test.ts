import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { inControlNamespace } from '../../src/lab/network.js';
import { readLab } from '../../src/lab/state.js';
import type { Connection } from '../../src/model/inventory.js';
import type { Connector, Output } from '../../src/model/remote.js';
import { Secret } from '../../src/model/secret.js';
import { createSshConnector } from '../../src/ssh/connector.js';
import { LAB_PATHS, describeOnLab, type TestLab } from '../support/lab.js';

/** What every lab host's `ops` has (src/lab/directory.ts). */
const OPS_PASSWORD = 'ops-sudo-password';

/** Bytes from a socket to stdout and back: this process is outside the network of the lab. */
const RELAY = `const s=require('net').connect(+process.argv[2],process.argv[1]);process.stdin.pipe(s).pipe(process.stdout)`;

function becoming(user: string, password?: string): Connection['become'] {
  return { method: 'sudo', user, password: password === undefined ? undefined : new Secret(password) };
}

const USERS: Readonly<Record<string, Pick<Connection, 'user' | 'become'>>> = {
  root: { user: 'root' },
  'root as root': { user: 'root', become: becoming('root') },
  'root as ops': { user: 'root', become: becoming('ops') },
  'ops with password': { user: 'ops', become: becoming('root', OPS_PASSWORD) },
  'ops without password': { user: 'ops', become: becoming('root') },
  'ops with a wrong password': { user: 'ops', become: becoming('root', 'wrong-canary') },
  'ops as nobody known': { user: 'ops', become: becoming('nobodyhere', OPS_PASSWORD) },
  deploy: { user: 'deploy', become: becoming('root') },
  'deploy with a password that nobody asks for': { user: 'deploy', become: becoming('root', 'leak-canary') },
};

for (const release of ['bookworm', 'trixie'] as const) {
  describeOnLab(`becoming another user on ${release}`, release.slice(0, 6), { hosts: 1, release }, (lab: TestLab) => {
    let connector: Connector;
    let open: () => Connector;

    beforeAll(async () => {
      const { hosts } = await readLab(LAB_PATHS, lab.name);
      const relay = inControlNamespace(lab.name, [process.execPath, '-e', `"${RELAY}"`, '%h', '%p']).join(' ');
      const way = { address: hosts[0]?.address ?? '', privateKeyFile: lab.files.privateKey };
      const sshArgs = `-F ${lab.files.sshConfig} -o 'ProxyCommand=${relay.replaceAll("'", `'\\''`)}'`;
      open = () =>
        createSshConnector({
          hosts: new Map(Object.entries(USERS).map(([name, who]) => [name, { ...way, ...who, sshArgs }])),
          forks: 50,
          env: process.env,
          home: '/nonexistent',
          user: 'nobody',
          acceptNewHostKeys: false,
          randomBytes,
          onNotice: () => undefined,
        });
      connector = open();
    });

    afterAll(() => connector.close());

    async function run(who: string, script: string, stdin?: string | Uint8Array): Promise<Output> {
      const transport = await connector.connect(who);
      return transport.run({ summary: 'try', script, stdin });
    }

    test.each([
      ['root', 'root /root'],
      ['root as root', 'root /root'],
      ['root as ops', 'ops /home/ops'],
      ['ops with password', 'root /root'],
      ['deploy', 'root /root'],
      ['deploy with a password that nobody asks for', 'root /root'],
    ])('%s is %s, with stdin, outputs and status as they are', async (who, expected) => {
      const output = await run(who, 'echo $(id -un) $HOME; cat; echo err >&2; exit 3', 'payload\n');
      expect(output).toMatchObject({ status: 3, stdout: `${expected}\npayload\n`, stderr: 'err\n' });
    });

    test.each(['ops with password', 'deploy'])('%s gets 10 MB of any bytes unharmed', async (who) => {
      const bytes = randomBytes(10 * 1024 * 1024);
      const sum = createHash('sha256').update(bytes).digest('hex');
      expect((await run(who, 'sha256sum', bytes)).stdout).toBe(`${sum}  -\n`);
    });

    test('a time-out ends what runs as another user', async () => {
      const transport = await connector.connect('ops with password');
      const output = await transport.run({ summary: 'wait', script: 'sleep 4711', timeoutMs: 500 });
      expect(output.status).toBe(124);
      expect((await run('root', `ps -ef | grep '[s]leep 4711'`)).stdout).toBe('');
    });

    test.each([
      ['ops without password', 'become-password-missing', '--ask-become-pass'],
      ['ops with a wrong password', 'become-password-wrong', 'ansible_become_password'],
      ['ops as nobody known', 'become-refused', 'ansible_become_user'],
    ])('%s: %s', async (who, code, hint) => {
      const error: unknown = await run(who, 'touch /tmp/must-not-exist').catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code, host: who, command: 'try', hint: expect.stringContaining(hint) });
      expect(JSON.stringify(error) + String(error)).not.toContain('canary');
      expect((await run('root', 'ls /tmp/must-not-exist')).status).not.toBe(0);
    });

    test('a wrong password is tried once', async () => {
      const asked = `journalctl -q -t sudo --grep 'authentication failure|incorrect password' | wc -l`;
      const before = Number((await run('root', asked)).stdout);
      await expect(run('ops with a wrong password', 'true')).rejects.toMatchObject({ code: 'become-password-wrong' });
      const after = Number((await run('root', asked)).stdout);
      expect(after - before).toBeLessThanOrEqual(2);
    });

    test.each([
      ['Defaults requiretty', 'become-needs-tty'],
      ['ops ALL=(ALL) !ALL', 'become-refused'],
    ])('sudoers with %j: %s', async (line, code) => {
      const file = '/etc/sudoers.d/zz-test';
      await run('root', `umask 337; cat > ${file}`, `${line}\n`);
      await expect(run('ops with password', 'true')).rejects.toMatchObject({ code });
      await run('root', `rm ${file}`);
      expect((await run('ops with password', 'true')).status).toBe(0);
    });

    describe('whatever a login finds there', () => {
      const WHO = ['root', 'ops with password', 'deploy'];
      /** What a command sees of its surroundings. */
      const LOOK =
        'env | sed "s/=.*//" | sort; echo "$PATH"; umask; command -v sysctl; rm -rf /tmp/made; mkdir -p /tmp/made/deep; stat -c %a /tmp/made /tmp/made/deep';
      const NOISE = `set -e
for home in /root /home/ops /home/deploy; do
  { echo 'echo Welcome to .bashrc; echo noise >&2'; cat $home/.bashrc 2>/dev/null || :; } >/tmp/bashrc
  cat /tmp/bashrc >$home/.bashrc
done
printf 'echo Welcome to the profile; echo noise >&2\\numask 077\\n' >/etc/profile.d/zz-noise.sh
cp /etc/environment /tmp/environment 2>/dev/null || : >/tmp/environment
printf 'ETCDCTL_ENDPOINTS=https://203.0.113.1:1\\nETCDCTL_CACERT=/nonexistent\\nPATH=/usr/bin:/bin\\n' >>/etc/environment
printf 'Defaults !secure_path\\nDefaults env_keep += "ETCDCTL_ENDPOINTS ETCDCTL_CACERT PATH"\\n' >/etc/sudoers.d/zz-noise
chmod 0440 /etc/sudoers.d/zz-noise
printf '#!/bin/sh\\nexec bash -l "$@"\\n' >/usr/local/bin/login-shell
chmod 755 /usr/local/bin/login-shell
usermod -s /usr/local/bin/login-shell ops
usermod -s /usr/local/bin/login-shell deploy`;
      const QUIET = `rm -f /etc/profile.d/zz-noise.sh /etc/sudoers.d/zz-noise; cat /tmp/environment >/etc/environment
usermod -s /bin/bash ops; usermod -s /bin/bash deploy
for home in /root /home/ops /home/deploy; do sed -i 1d $home/.bashrc; done`;
      const clean = new Map<string, string>();
      const lookAs = async (through: Connector, who: string): Promise<Output> =>
        (await through.connect(who)).run({ summary: 'look', script: LOOK });
      let later: Connector;

      beforeAll(async () => {
        for (const who of WHO) clean.set(who, (await lookAs(connector, who)).stdout);
        const planted = await run('root', NOISE);
        if (planted.status !== 0) throw new Error(planted.stderr);
        // What is read at a login is read by a new one.
        later = open();
      });

      afterAll(async () => {
        await later.close();
        await run('root', QUIET);
      });

      test('the control: a plain ssh sees all of it', async () => {
        const { hosts } = await readLab(LAB_PATHS, lab.name);
        const seen = await lab.ssh(hosts[0]?.name ?? '', 'env; umask; sudo -n true', 'deploy');
        expect(seen.stdout).toMatch(/^Welcome to /m);
        expect(seen.stdout).toContain('Welcome to the profile');
        expect(seen.stdout).toContain('ETCDCTL_ENDPOINTS=https://203.0.113.1:1');
        expect(seen.stdout).toMatch(/^0077$/m);
        expect(seen.stderr).toContain('noise');
      });

      test.each(WHO)('%s runs in the one environment, and gives the answer alone', async (who) => {
        const output = await lookAs(later, who);
        expect(output).toMatchObject({ status: 0, stdout: clean.get(who), stderr: '' });
        expect(output.stdout).toMatch(/\/sbin/);
        expect(output.stdout).toMatch(/^0022$/m);
        expect(output.stdout).toMatch(/755\n755\n$/);
        expect(output.stdout).not.toMatch(/ETCDCTL|Welcome/);
      });
    });

    test('no password shows in any process there', async () => {
      const look = `cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'`;
      const begun = `until tr '\\0' ' ' </proc/$!/cmdline | grep -q canary; do sleep 0.1; done`;
      const planted = await run(
        'root',
        `sh -c 'while :; do sleep 1; done' planted-canary >/dev/null 2>&1 & ${begun}; ${look}; kill $!`,
      );
      expect(planted.stdout).toContain('planted-canary');
      const shown = await run('ops with password', look, 'stdin-canary');
      expect(shown.stdout).toContain('sudo');
      expect(shown.stdout).not.toContain(OPS_PASSWORD);
      expect(shown.stdout).not.toContain('stdin-canary');
    });
  });
}
