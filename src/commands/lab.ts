import { Option } from 'commander';
import type { Command } from 'commander';
import { RELEASES, type Release } from '../lab/topology.js';
import { counted } from '../model/counted.js';
import { EXIT, InputError } from '../model/errors.js';
import type { Context } from './context.js';
import { addDemo } from './lab-demo.js';

/** Options of `lab up` as commander gives them. */
interface UpFlags {
  readonly name: string;
  readonly etcd: number;
  readonly lb: number;
  readonly controlPlanes: number;
  readonly workers: number;
  readonly kubernetes?: true;
  readonly hosts: number;
  readonly release: Release;
  readonly dir?: string;
  readonly installMissing?: true;
}

interface NameFlag {
  readonly name: string;
}

function parseCount(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InputError([{ severity: 'error', subject: text, message: 'expected a whole number' }]);
}

const nameOption = (): Option => new Option('--name <name>', 'which lab').default('default');

const UP_HELP = `
Environment:
  PROVISION_LAB_CACHE            where images are kept
                                 (default: /var/cache/provision-lab)
  PROVISION_LAB_MIRROR           URI of a Debian mirror (default: the one
                                 that this machine's apt sources name)
  PROVISION_LAB_SECURITY_MIRROR  URI of its security archive
                                 (default: beside the mirror)`;

function addUp(lab: Command, context: Context): void {
  lab
    .command('up')
    .description('boot the hosts of a new lab, and write its inventory and keys')
    .addOption(nameOption())
    .addOption(new Option('--etcd <n>', 'etcd hosts').default(3).argParser(parseCount))
    .addOption(new Option('--lb <n>', 'dedicated load balancers').default(0).argParser(parseCount))
    .addOption(new Option('--control-planes <n>', 'control-plane hosts').default(2).argParser(parseCount))
    .addOption(new Option('--workers <n>', 'Kubernetes workers, with --kubernetes').default(0).argParser(parseCount))
    .addOption(new Option('--hosts <n>', 'plain hosts, in no group').default(0).argParser(parseCount))
    .addOption(new Option('--release <name>', 'Debian release').choices(RELEASES).default('bookworm'))
    .option('--kubernetes', 'control planes and workers ready for a real kubelet, containerd and kubeadm')
    .option('--dir <directory>', 'where the inventory and keys go (default: lab-NAME)')
    .option('--install-missing', 'let apt-get install what is missing on this machine')
    .addHelpText('after', UP_HELP)
    .action(async (flags: UpFlags) => {
      const { upLab } = await import('../lab/up.js');
      const { labPaths } = await import('../lab/paths.js');
      const started = performance.now();
      process.once('SIGINT', () => {
        context.stderr.write(`\nstopped half-way\n  → provision lab down --name ${flags.name}\n`);
        process.exit(130);
      });
      const made = await upLab({
        ...flags,
        kubernetes: flags.kubernetes === true ? 'real' : 'stand-in',
        directory: flags.dir ?? `lab-${flags.name}`,
        installMissing: flags.installMissing === true ? 'yes' : 'no',
        crashPauses: 'kubelet',
        paths: labPaths(context.env),
        env: context.env,
        announce: (message) => {
          context.stderr.write(`${message}\n`);
        },
      });
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      context.stdout.write(
        `lab ${made.name}: ${counted(made.hosts.length, 'host')} up in ${seconds} s; inventory ${made.directory}/inventory.yaml\n` +
          `  → provision lab run --name ${made.name} -- provision plan ${made.directory}/inventory.yaml\n`,
      );
    });
}

function addDown(lab: Command, context: Context): void {
  lab
    .command('down')
    .description('remove a lab and everything that belongs to it')
    .addOption(nameOption())
    .action(async (flags: NameFlag) => {
      const { downLab } = await import('../lab/down.js');
      const { labPaths } = await import('../lab/paths.js');
      const was = await downLab(labPaths(context.env), flags.name);
      context.stdout.write(`lab ${flags.name}: ${was ? 'gone' : 'there was none'}\n`);
    });
}

function addStatus(lab: Command, context: Context): void {
  lab
    .command('status')
    .description('list the labs on this machine and their running hosts')
    .option('--name <name>', 'only this lab')
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
    .action(async (flags: Partial<NameFlag> & { readonly format: 'text' | 'json' }) => {
      const { labStatus, renderStatus } = await import('../lab/status.js');
      const { labPaths } = await import('../lab/paths.js');
      const status = await labStatus(labPaths(context.env), flags.name);
      context.stdout.write(
        flags.format === 'json' ? `${JSON.stringify(status, undefined, 2)}\n` : renderStatus(status),
      );
    });
}

function addRun(lab: Command, context: Context): void {
  lab
    .command('run')
    .description('run a command on the lab’s control side, from where its hosts can be reached')
    .addOption(nameOption())
    .argument('<command...>', 'program and arguments, after --; `provision` is this program')
    .action(async (command: readonly string[], flags: NameFlag) => {
      const { runInLab } = await import('../lab/run.js');
      const { labPaths } = await import('../lab/paths.js');
      context.exit(await runInLab(labPaths(context.env), flags.name, command));
    });
}

function addSsh(lab: Command, context: Context): void {
  lab
    .command('ssh')
    .description('log in to a host as root, or run a command there')
    .addOption(nameOption())
    .argument('<host>', 'its name')
    .argument('[command...]', 'after --')
    .action(async (host: string, command: readonly string[], flags: NameFlag) => {
      const { sshToHost } = await import('../lab/run.js');
      const { labPaths } = await import('../lab/paths.js');
      context.exit(await sshToHost(labPaths(context.env), flags.name, host, command));
    });
}

/** `provision lab`: real hosts on this machine, to try the product and for its tests. */
export function defineLabCommand(lab: Command, context: Context): void {
  for (const add of [addUp, addStatus, addSsh, addRun, addDown, addDemo]) add(lab, context);
  lab.addHelpText(
    'after',
    `\nExit codes: ${EXIT.done} done, ${EXIT.failed} failed; run and ssh: those of the command.`,
  );
}
