import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitUntil } from '../../src/lab/process.js';
import type { EventJson } from '../../src/report/event-schema.js';
import type { Ended, TestLab } from './lab.js';

/** The passphrase of every lab's CA; planted, so that tests can look for it where it must not be. */
export const PASSPHRASE = 'planted-ca-passphrase-8d1f';

/** One run of `plan` or `apply` with `--format json`. */
export interface JsonRun extends Ended {
  readonly events: readonly EventJson[];
}

/** Writes the passphrase where `--passphrase-file` finds it. */
export async function passphraseFile(lab: TestLab): Promise<string> {
  const file = join(lab.files.inventory, '..', 'passphrase');
  await writeFile(file, `${PASSPHRASE}\n`, { mode: 0o600 });
  return file;
}

/** Runs a verb on the lab's control side and reads its events. */
export async function runVerb(
  lab: TestLab,
  verb: 'plan' | 'apply' | 'bypass',
  ...args: readonly string[]
): Promise<JsonRun> {
  const file = await passphraseFile(lab);
  const inventory = args[0]?.startsWith('/') === true ? [] : [lab.files.inventory];
  const confirm = verb === 'plan' ? [] : ['--yes'];
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

/** The lab's inventory with further variables for all hosts, beside it: the certificates are those of the same store. */
export async function inventoryWith(lab: TestLab, name: string, lines: readonly string[]): Promise<string> {
  const text = await readFile(lab.files.inventory, 'utf8');
  const file = lab.files.inventory.replace(/inventory\.yaml$/, `${name}.yaml`);
  await writeFile(file, text.replace('  vars:\n', `  vars:\n${lines.map((line) => `    ${line}\n`).join('')}`));
  return file;
}

/** What a command that must succeed wrote to standard output. @throws Error with its end when it failed */
export async function must(ended: Promise<Ended>): Promise<string> {
  const done = await ended;
  if (done.status !== 0) throw new Error(endOf(done));
  return done.stdout;
}

/** What a plan lists: `play / host / address: summary`, in the order of the plan. */
export function plannedChanges({ events }: Pick<JsonRun, 'events'>): readonly string[] {
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
export function performedChanges({ events }: Pick<JsonRun, 'events'>): readonly string[] {
  return events.flatMap((event) =>
    event.type === 'change-done' ? [`${event.play} / ${event.host} / ${event.address}: ${event.summary}`] : [],
  );
}

/** Against hanging, on a slow machine. */
const VERIFY_PATIENCE_MS = 300_000;

/**
 * Verifies again until the result is as a test waits for, by default that all is healthy; then, and when patience ends, the
 * last result. After a virtual IP has moved unplanned, an API server answers 500 once for each of its old connections.
 */
export async function verifyUntil(
  lab: TestLab,
  inventory: string = lab.files.inventory,
  isDone: (ended: Ended) => boolean = ({ status }) => status === 0,
): Promise<Ended> {
  const until = Date.now() + VERIFY_PATIENCE_MS;
  let verified = await lab.provision('verify', inventory);
  while (!isDone(verified) && Date.now() < until) verified = await lab.provision('verify', inventory);
  return verified;
}

/** The end of a run, for a readable failure of a test. */
export function endOf({ status, stdout, stderr }: Ended): string {
  return `status ${status}\n${stdout.split('\n').slice(-15).join('\n')}\n${stderr}`;
}

/** `etcdctl` with the member's own client certificate. */
export function etcdctl(endpoint: string, words: string): string {
  return `ETCDCTL_API=3 etcdctl --endpoints=${endpoint} --cacert=/etc/etcd/pki/ca.crt --cert=/etc/etcd/pki/client.crt --key=/etc/etcd/pki/client.key ${words}`;
}

/**
 * Waits until a member finds all three healthy through the virtual IP: HAProxy has to find those that have restarted.
 * @returns nothing, or what etcdctl said last
 */
export async function unhealthyThrough(lab: TestLab, vip: string): Promise<string> {
  const ask = `${etcdctl(`https://${vip}:2379`, 'endpoint health --cluster')} 2>&1`;
  let said = '';
  const isHealthy = async (): Promise<boolean> => {
    said = (await lab.ssh('etcd-1', ask)).stdout;
    return said.match(/is healthy/g)?.length === 3;
  };
  return (await waitUntil(isHealthy, 120_000, 500)) ? '' : said;
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

/**
 * How often sshd began a session on a host, by its own log, this one included: {@link countSessions} first. On a busy machine the line of a session,
 * also of this one, waits to be read by journald while its command runs already: one that is counted by the next question only is one too many there.
 */
export async function sessionsOn(lab: TestLab, host: string): Promise<number> {
  const count = 'journalctl --sync && journalctl -o cat --no-pager -t sshd | grep -c "Starting session: command"';
  const { stdout } = await lab.ssh(host, count);
  return Number(stdout);
}

/** The virtual IP that a lab's inventory names. */
export async function vipOf(lab: TestLab): Promise<string> {
  const { stdout } = await lab.provision('inventory', lab.files.inventory, '--format', 'json');
  const vars = JSON.parse(stdout) as { _meta: { hostvars: Record<string, { etcd_lb_ip: string }> } };
  const [first] = Object.values(vars._meta.hostvars);
  if (first === undefined) throw new Error('the inventory has no hosts');
  return first.etcd_lb_ip;
}

/** The yes to what replaces the data of a lab's cluster, as a script gives it. */
export async function consentTyped(lab: TestLab): Promise<readonly string[]> {
  return ['--yes', '--confirm', await vipOf(lab)];
}

/** Prints `ok` when the API server of a host is ready. */
export const READYZ =
  "printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -connect 127.0.0.1:6443 2>/dev/null | tail -n 1";

/** Where a host's kube-apiserver is connected to etcd. */
export const ETCD_PEERS = "ss -Htn state established '( dport = :2379 )' | awk '{print $4}' | sort -u";

/**
 * Puts a key through the virtual IP over and over, until told to stop; prints the time of each success.
 * @param run tells the files of one test from those of another
 */
export function writer(vip: string, run: string): string {
  const put = etcdctl(`https://${vip}:2379`, '--dial-timeout=1s --command-timeout=1s put drill "$(date +%s.%N)"');
  const success = `${put} >/dev/null 2>&1 && date +%s.%N && touch /tmp/${run}.begun`;
  // It ends only with a success: one that is told to stop in the middle of an outage sees the end of it.
  return `until { ${success} && [ -e /tmp/${run}.stop ]; }; do sleep 0.05; done`;
}

/** The longest time between two successes, in seconds. */
export function longestGap(stdout: string): number {
  const times = stdout.trim().split('\n').map(Number);
  return Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? 0)));
}
