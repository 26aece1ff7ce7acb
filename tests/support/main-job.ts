import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventJson } from '../../src/report/event-schema.js';
import type { Ended, TestLab } from './lab.js';

/** The passphrase of every lab's CA; planted, so that tests can look for it where it must not be. */
export const PASSPHRASE = 'planted-ca-passphrase-8d1f';

/** One run of `plan` or `apply` with `--format json`. */
export interface JsonRun extends Ended {
  readonly events: readonly EventJson[];
}

/** Runs a verb on the lab's control side and reads its events. */
export async function runVerb(lab: TestLab, verb: 'plan' | 'apply', ...args: readonly string[]): Promise<JsonRun> {
  const file = join(lab.files.inventory, '..', 'passphrase');
  await writeFile(file, `${PASSPHRASE}\n`, { mode: 0o600 });
  const inventory = args[0]?.startsWith('/') === true ? [] : [lab.files.inventory];
  const confirm = verb === 'apply' ? ['--yes'] : [];
  const ended = await lab.provision(
    verb,
    ...inventory,
    ...args,
    ...confirm,
    '--passphrase-file',
    file,
    '--format',
    'json',
  );
  const lines = ended.stdout.split('\n').filter((line) => line.startsWith('{'));
  return { ...ended, events: lines.map((line) => JSON.parse(line) as EventJson) };
}

/** What a plan lists: `play / host / address: summary`, in the order of the plan. */
export function plannedChanges({ events }: JsonRun): readonly string[] {
  const planned = events.find((event) => event.type === 'planned');
  if (planned === undefined) throw new Error('nothing was planned');
  return planned.plan.plays.flatMap(({ name, batches }) =>
    batches.flatMap(({ hosts }) =>
      hosts.flatMap(({ host, steps }) =>
        steps.map(
          (step) => `${name} / ${host} / ${step.address}: ${step.kind === 'change' ? step.summary : 'unknown'}`,
        ),
      ),
    ),
  );
}

/** What an apply performed, in the order in which it did. */
export function performedChanges({ events }: JsonRun): readonly string[] {
  return events.flatMap((event) =>
    event.type === 'change-done' ? [`${event.play} / ${event.host} / ${event.address}: ${event.summary}`] : [],
  );
}

/** The end of a run, for a readable failure of a test. */
export function endOf({ status, stdout, stderr }: Ended): string {
  return `status ${status}\n${stdout.split('\n').slice(-15).join('\n')}\n${stderr}`;
}

/** `etcdctl` with the member's own client certificate. */
export function etcdctl(endpoint: string, words: string): string {
  return `ETCDCTL_API=3 etcdctl --endpoints=${endpoint} --cacert=/etc/etcd/pki/ca.crt --cert=/etc/etcd/pki/client.crt --key=/etc/etcd/pki/client.key ${words}`;
}

/** The hosts among these that hold an address. */
export async function holdersOf(lab: TestLab, hosts: readonly string[], address: string): Promise<readonly string[]> {
  const found = await Promise.all(hosts.map(async (host) => lab.ssh(host, `ip -br address show to ${address}`)));
  return hosts.filter((_, index) => found[index]?.stdout.trim() !== '');
}

/** Lets the sshd of these hosts log every session, for {@link sessionsOn}. */
export async function countSessions(lab: TestLab, hosts: readonly string[]): Promise<void> {
  const script = 'echo LogLevel VERBOSE > /etc/ssh/sshd_config.d/count.conf && systemctl reload ssh';
  await Promise.all(hosts.map(async (host) => lab.ssh(host, script)));
}

/** How often sshd began a session on a host, by its own log: {@link countSessions} first. */
export async function sessionsOn(lab: TestLab, host: string): Promise<number> {
  const { stdout } = await lab.ssh(host, 'journalctl -o cat --no-pager -t sshd | grep -c "Starting session: command"');
  return Number(stdout);
}
