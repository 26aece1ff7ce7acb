import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { ProvisionError } from '../model/errors.js';
import type { Lab } from '../lab/state.js';
import type { LabPaths } from '../lab/paths.js';
import type { Context } from './context.js';

/** The demo's own lab. */
const NAME = 'demo';

const ETCDCTL = 'etcdctl --cacert=/etc/etcd/pki/ca.crt --cert=/etc/etcd/pki/client.crt --key=/etc/etcd/pki/client.key';

/** One thing to see after the main job: on which hosts, and the command that shows it. */
interface Sight {
  readonly title: string;
  readonly roles: readonly Lab['hosts'][number]['role'][];
  readonly only?: 'first';
  readonly script: (virtualIp: string) => string;
}

const SIGHTS: readonly Sight[] = [
  {
    title: 'etcd through the virtual IP, fully verified',
    roles: ['etcd'],
    only: 'first',
    script: (vip) =>
      `export ETCDCTL_API=3; ${ETCDCTL} --endpoints=https://${vip}:2379 member list -w table && ` +
      `${ETCDCTL} --endpoints=https://${vip}:2379 endpoint health --cluster`,
  },
  {
    title: 'who holds the virtual IP, and HAProxy everywhere',
    roles: ['etcd', 'lb'],
    script: (vip) =>
      `echo "haproxy $(systemctl is-active haproxy), keepalived $(systemctl is-active keepalived)" ` +
      `"$(ip -br addr show to ${vip} | grep -q . && echo "← holds ${vip}")"`,
  },
  {
    title: 'the API servers: ready, and connected to the virtual IP only',
    roles: ['control-plane'],
    script: () =>
      `grep -o -- '--etcd-servers=.*' /etc/kubernetes/manifests/kube-apiserver.yaml; ` +
      `printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -connect 127.0.0.1:6443 2>/dev/null | tail -n 1; ` +
      `echo; ss -Htn state established dport = :2379 | awk '{print $4}' | sort | uniq -c`,
  },
];

/** `provision lab demo`: bare hosts to a highly available etcd, and what it did. */
export function addDemo(lab: Command, context: Context): void {
  lab
    .command('demo')
    .description('boot a lab, set up the cluster on it, and show what was done')
    .option('--install-missing', 'let apt-get install what is missing on this machine')
    .action(async (flags: { readonly installMissing?: true }) => {
      const { labPaths } = await import('../lab/paths.js');
      await runDemo(labPaths(context.env), flags.installMissing === true, context);
    });
}

async function runDemo(paths: LabPaths, installMissing: boolean, context: Context): Promise<void> {
  const { runInLab } = await import('../lab/run.js');
  const lab = await ensureLab(paths, installMissing, context);
  const inventory = join(lab.directory, 'inventory.yaml');
  const passphrase = join(lab.directory, 'ca-passphrase');
  await writeFile(passphrase, `${randomBytes(18).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' }).catch(
    ignoreExisting,
  );
  const job = ['provision', 'apply', inventory, '--yes', '--passphrase-file', passphrase];
  say(context, `the main job: ${job.join(' ')}`);
  succeed(await runInLab(paths, NAME, job), 'the main job');
  await showSights(paths, lab, context);
  say(context, 'the same job again: nothing is left to do');
  succeed(await runInLab(paths, NAME, ['provision', 'plan', inventory]), 'the second plan');
  context.stdout.write(
    [
      '',
      'Look around:',
      `  provision lab ssh --name ${NAME} etcd-1`,
      `  provision lab run --name ${NAME} -- provision plan ${inventory}`,
      `  ${inventory}   the inventory; change it, plan, apply`,
      `  provision lab down --name ${NAME}   when done: nothing is left`,
      '(`provision` is `node dist/main.js` in this checkout)',
      '',
    ].join('\n'),
  );
}

async function ensureLab(paths: LabPaths, installMissing: boolean, context: Context): Promise<Lab> {
  const { findLab } = await import('../lab/state.js');
  const known = await findLab(paths, NAME);
  if (known !== undefined) return known;
  const { upLab } = await import('../lab/up.js');
  say(context, 'a lab of three etcd hosts and two control planes (the first time, images are built: about 8 minutes)');
  return upLab({
    name: NAME,
    etcd: 3,
    lb: 0,
    controlPlanes: 2,
    hosts: 0,
    release: 'bookworm',
    workers: 0,
    kubernetes: 'stand-in',
    directory: `lab-${NAME}`,
    installMissing: installMissing ? 'yes' : 'no',
    crashPauses: 'kubelet',
    paths,
    env: context.env,
    announce: (message) => {
      context.stderr.write(`${message}\n`);
    },
  });
}

async function showSights(paths: LabPaths, lab: Lab, context: Context): Promise<void> {
  const { sshToHost } = await import('../lab/run.js');
  for (const { title, roles, only, script } of SIGHTS) {
    say(context, title);
    const hosts = lab.hosts.filter(({ role }) => roles.includes(role));
    for (const { name } of only === 'first' ? hosts.slice(0, 1) : hosts) {
      context.stdout.write(`${name}:\n`);
      succeed(await sshToHost(paths, NAME, name, [script(lab.network.virtualIp)]), title);
    }
  }
}

function say(context: Context, text: string): void {
  context.stdout.write(`\n── ${text}\n`);
}

function succeed(status: number, what: string): void {
  if (status === 0) return;
  throw new ProvisionError({
    code: 'demo-failed',
    message: `demo: ${what} ended with status ${status}`,
    hint: `the lab is still running: provision lab ssh --name ${NAME} etcd-1; provision lab down --name ${NAME}`,
  });
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
