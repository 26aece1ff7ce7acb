import { cutNetwork, powerCut, restoreNetwork, startHost } from '../../src/lab/faults.js';
import { inControlNamespace } from '../../src/lab/network.js';
import type { HostHandle } from '../../src/lab/host.js';
import { waitUntil } from '../../src/lab/process.js';
import { firstLine } from '../../src/model/first-line.js';
import { isAt, MOST_KILLS, type KillPoint } from './kill-points.js';
import { run, type TestLab } from './lab.js';
import { endOf } from './main-job.js';
import { disturbedApply, type DisturbedRun } from './stopped-run.js';
import { tell, type Written } from './writers.js';

/** How a host is lost, and got back. */
export interface Loss {
  readonly name: 'network' | 'power' | 'ssh';
  /** What was done to the host being changed, for a sentence: `lost its power`. */
  readonly did: string;
  readonly cut: (host: HostHandle) => Promise<void>;
  readonly mend: (host: HostHandle) => Promise<void>;
}

/** Every way to lose a host; a sweep tries all, CI the one that the commit picks. */
export const LOSSES: readonly Loss[] = [
  { name: 'network', did: 'lost its network', cut: cutNetwork, mend: restoreNetwork },
  { name: 'power', did: 'lost its power', cut: powerCut, mend: startHost },
  {
    name: 'ssh',
    did: 'could not be reached by SSH any more, nor could any other, while all ran on',
    cut: async ({ lab }) => ruleOnSsh(lab.name, 'add'),
    mend: async ({ lab }) => ruleOnSsh(lab.name, 'del'),
  },
];

/** A rule by which nothing leaves the control side for a host's sshd: also connections that stand fall silent. */
async function ruleOnSsh(lab: string, verb: 'add' | 'del'): Promise<void> {
  const rule = ['ip', 'rule', verb, 'ipproto', 'tcp', 'dport', '22', 'blackhole'];
  const { status, stderr } = await run(inControlNamespace(lab, rule));
  if (status !== 0) throw new Error(stderr);
}

/** Nobody on the control side can log in on a host, or can again; whatever else goes on there goes on. */
export async function logInOn({ lab, host }: HostHandle, verb: 'refused' | 'possible'): Promise<void> {
  const to = ['to', host.address, 'ipproto', 'tcp', 'dport', '22', 'unreachable'];
  const { status, stderr } = await run(
    inControlNamespace(lab.name, ['ip', 'rule', verb === 'refused' ? 'add' : 'del', ...to]),
  );
  if (status !== 0) throw new Error(stderr);
}

/** A run that lost the host of a change. */
export interface Lost {
  readonly host: string;
  readonly summary: string;
  readonly run: DisturbedRun;
}

/** At each change in turn. Every run but the first comes a change further, also where the change in progress is undone. */
function* everyChange(type: KillPoint['type']): Generator<KillPoint> {
  for (let run = 0; run < MOST_KILLS; run += 1) yield { type, nth: type === 'change-started' && run > 0 ? 2 : 1 };
}

/**
 * Runs `apply` again and again: each run loses the host of one change, which is back for the next run, until one comes to
 * its end.
 * @param type whether the host is lost while the change is in progress, or right after it
 * @param isWell waited for after each run
 * @throws Error when a run that lost no host failed
 */
export async function loseOneAfterTheOther(
  lab: TestLab,
  type: KillPoint['type'],
  loss: Loss,
  isWell: () => Promise<boolean>,
): Promise<readonly Lost[]> {
  const lost: Lost[] = [];
  for (const point of everyChange(type)) {
    const isPoint = isAt(point);
    const hit = { host: '', summary: '' };
    const ended = await disturbedApply(
      lab,
      (event) => isPoint(event) && event.type === type && Object.assign(hit, event).host !== '',
      async () => loss.cut(await lab.host(hit.host)),
    );
    if (hit.host === '') {
      if (ended.status !== 0) throw new Error(endOf(ended));
      return lost;
    }
    lost.push({ host: hit.host, summary: hit.summary, run: ended });
    console.log(`lost by ${loss.name} at ${type} ${point.nth}: ${rowOf({ ...hit, run: ended })}`);
    await loss.mend(await lab.host(hit.host));
    if (!(await waitUntil(isWell, 120_000, 500)))
      throw new Error(`not healthy again after ${hit.host}: ${hit.summary}`);
  }
  throw new Error('the job makes no progress');
}

/** What a run said at its end, in a line: of whom, and why. */
function reasonOf({ events }: DisturbedRun): string {
  const last = events.at(-1);
  if (last?.type !== 'run-failed') return 'finished';
  const [failure] = last.failures;
  return firstLine(failure?.message ?? last.message);
}

function rowOf({ host, summary, run }: Lost): string {
  const cells = [`${host}: ${summary}`, `${Math.round(run.endedAfterMs / 1000)} s`, reasonOf(run)];
  return cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ');
}

/** The page in docs/ that keeps what a full sweep found. */
export function lostHostsPage(
  { did }: Loss,
  type: KillPoint['type'],
  lost: readonly Lost[],
  written: readonly Written[],
): string {
  const when = type === 'change-done' ? 'right after each change' : 'in the middle of a change';
  const lines = [
    `# A migration whose current host ${did}, ${when}`,
    '',
    `${new Date().toISOString().slice(0, 10)}, by \`npm run sweep\`: the migration of an existing live cluster, by ${lost.length} runs one after the other, each`,
    `until the host that it was working on ${did}. Each time etcd and the API servers were healthy again once the`,
    'host was back, and the next run went on. The last run, undisturbed, finished; then the plan was empty, and no half-written',
    'file, lock, mask or half-installed package was left. No acknowledged write was lost (one fails that is not acknowledged',
    'within 5 s: so long etcd, or an API server with its connections to etcd, may take to notice that a host is gone):',
    '',
    ...written.map((done) => `- ${tell(done)}`),
    '',
    '| run | lost at | ended after | and said |',
    '|---|---|---|---|',
    ...lost.map((row, index) => `| ${index + 1} | ${rowOf(row)} |`),
  ];
  return `${lines.join('\n')}\n`;
}
