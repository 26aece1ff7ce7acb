import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { beforeAll, expect, test } from '@jest/globals';
import { encryptVault } from '../support/encrypt-vault.js';
import { createHandMadeCluster, type HandMadeCluster } from '../support/hand-made-cluster.js';
import { describeOnLab, type Ended } from '../support/lab.js';
import { endOf } from '../support/main-job.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];

/** Texts that no one else on this machine uses. */
const PLANTED = {
  passphrase: `planted-ca-passphrase-${process.pid}`,
  sudoPassword: `planted-sudo-password-${process.pid}`,
  vaultPassword: `planted-vault-password-${process.pid}`,
  // keepalived takes eight characters.
  authPass: `pl${String(process.pid).padStart(6, '0').slice(-6)}`,
} as const;

/** A line in the middle of a private key: what a search for the key can find in one piece. */
function lineOfKey(pem: string): string {
  const key = pem.slice(pem.indexOf('PRIVATE KEY-----'));
  const line = key.split('\n')[2] ?? '';
  if (!/^[\w+/=]{20,}$/.test(line)) throw new Error(`no private key: ${pem.slice(0, 80)}`);
  return line;
}

const vault = (text: string): string =>
  `!vault |\n${encryptVault(text, PLANTED.vaultPassword)
    .split('\n')
    .map((line) => `        ${line}\n`)
    .join('')}`;

describeOnLab('secrets of a full run', 'secrets', { etcd: 3 }, (lab) => {
  const directory = dirname(lab.files.becomeInventory);
  const inventory = join(directory, 'secret', 'inventory.yaml');
  const planFile = join(directory, 'saved.plan');
  const ran: Ended[] = [];
  let made: HandMadeCluster;
  let processes: string;
  /** Each with the name that a failure shows. */
  let secrets: Readonly<Record<string, string>>;

  async function provision(...words: readonly string[]): Promise<void> {
    const ended = await lab.provision(...words);
    if (ended.status !== 0) throw new Error(`${words.join(' ')}\n${endOf(ended)}`);
    ran.push(ended);
  }

  async function file(name: string, content: string): Promise<string> {
    await writeFile(join(directory, name), `${content}\n`, { mode: 0o600 });
    return join(directory, name);
  }

  /** Another sudo password than that of every lab, told to hosts on standard input. */
  async function plant(): Promise<void> {
    const set = async (host: string): Promise<Ended> =>
      lab.onControlSide(
        ['ssh', '-F', lab.files.sshConfig, '-l', 'root', host, 'chpasswd'],
        `ops:${PLANTED.sudoPassword}\n`,
      );
    expect((await Promise.all(MEMBERS.map(set))).map(({ status }) => status)).toEqual([0, 0, 0]);
    const text = await readFile(lab.files.becomeInventory, 'utf8');
    const sealed = `ansible_become_password: ${vault(PLANTED.sudoPassword)}    keepalived_auth_pass: ${vault(PLANTED.authPass)}`;
    await mkdir(dirname(inventory));
    await writeFile(inventory, text.replace(/ansible_become_password: .*\n/, sealed));
  }

  async function fullRun(): Promise<void> {
    const vaulted = ['--vault-password-file', await file('vault-password', PLANTED.vaultPassword)];
    const passphrase = ['--passphrase-file', await file('ca-passphrase', PLANTED.passphrase)];
    const store = join(dirname(inventory), 'pki');
    await provision('adopt', inventory, '--yes', ...vaulted);
    await provision('ca', 'import', store, '--certificate', made.caCertificate, '--key', made.caKey, ...passphrase);
    await provision('plan', inventory, ...vaulted, ...passphrase, '-o', planFile);
    await provision('plan', inventory, ...vaulted, ...passphrase, '--format', 'json');
    await provision('apply', inventory, '--plan', planFile, '--yes', ...vaulted, ...passphrase, '--format', 'json');
    await provision('verify', inventory, ...vaulted);
    await provision('history', inventory, 'last');
    await provision('ca', 'show', store);
  }

  beforeAll(async () => {
    made = await createHandMadeCluster(lab);
    await plant();
    const watch = spawn(process.execPath, ['--import', 'tsx', 'tests/support/watch-processes.ts']);
    const seen = readAll(watch.stdout);
    const ended = once(watch, 'exit');
    try {
      await fullRun();
      // Put together on the host, so that they are in no process of this side.
      const control = `p=planted; PLANTED_ENVIRON=$p-environ-${process.pid} sh -c "sleep 5; : $p-argument-${process.pid}"`;
      await lab.ssh('etcd-2', control);
    } finally {
      watch.stdin.end();
      await ended;
    }
    processes = (await seen)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as string)
      .join('\n');
    const read = async (path: string): Promise<string> => (await lab.ssh('etcd-1', `cat ${path}`)).stdout;
    secrets = {
      ...PLANTED,
      caKey: lineOfKey(await readFile(made.caKey, 'utf8')),
      memberKey: lineOfKey(await read('/etc/ssl/etcd/private/etcd-1-dev_key.pem')),
      haproxyKey: lineOfKey(await read('/etc/haproxy/etcd-client.pem')),
      sshKey: lineOfKey(await readFile(lab.files.privateKey, 'utf8')),
    };
  });

  const secretsIn = (text: string): readonly string[] =>
    Object.entries(secrets).flatMap(([name, secret]) => (text.includes(secret) ? [name] : []));

  test('are where they belong, so that they were used', async () => {
    const conf = (await lab.ssh('etcd-1', 'cat /etc/keepalived/keepalived.conf')).stdout;
    expect(secretsIn(conf)).toEqual(['authPass']);
    expect(Object.keys(secrets)).toHaveLength(8);
  });

  test('are in no output', () => {
    const shown = ran.map(({ stdout, stderr }) => stdout + stderr).join('\n');
    expect(secretsIn(shown)).toEqual([]);
    expect(shown).not.toContain('PRIVATE KEY');
    expect(shown).toContain('/etc/keepalived/keepalived.conf');
    expect(secretsIn(`${shown}${PLANTED.authPass}`)).toEqual(['authPass']);
  });

  test('are in no saved plan, journal, variables or store', async () => {
    const root = dirname(inventory);
    const paths = (await readdir(root, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const kinds = [/\/journal\//, /_vars\//, /\/pki\//, /\/inventory\.yaml$/];
    expect(kinds.filter((kind) => !paths.some((path) => kind.test(path)))).toEqual([]);
    const found: string[] = [];
    for (const path of [planFile, ...paths]) {
      const content = await readFile(path, 'latin1');
      found.push(...secretsIn(content).map((name) => `${name} in ${path}`));
      if (/\/journal\/|saved\.plan$/.test(path)) expect(content).toContain('/etc/keepalived/keepalived.conf');
    }
    expect(found).toEqual([]);
    expect(secretsIn(await readFile(made.caKey, 'utf8'))).toEqual(['caKey']);
  });

  test('are in no argument and no environment of any process, on the hosts or here', () => {
    expect(secretsIn(processes)).toEqual([]);
    // The look sees both, on a host, with sudo, and here.
    expect(processes).toContain(`planted-argument-${process.pid}`);
    expect(processes).toContain(`PLANTED_ENVIRON=planted-environ-${process.pid}`);
    expect(processes).toContain('--passphrase-file');
    expect(processes).toMatch(/apt-get[^]*keepalived/);
    expect(processes).toContain('sudo');
  });
});
