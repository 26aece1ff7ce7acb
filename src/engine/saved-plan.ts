import { stat } from 'node:fs/promises';
import { ProvisionError } from '../model/errors.js';
import { fileReason } from '../model/file-reason.js';
import { plannedSteps, type Plan } from '../model/plan.js';
import { LARGE_FILE_BYTES, readTextBounded } from '../model/read-bounded.js';
import { writePrivately } from '../pki/store-files.js';
import { quote } from '../shell/quote.js';
import { changedUnder, describeStep, essenceOf, linesSince } from './drift.js';
import { planToJson } from './plan-json.js';
import { PLAN_FORMAT, planSchema, type PlanJson, type PlayJson, type StepJson } from './plan-schema.js';

/** Write permission of the group and of all others: chmod(2). */
const WRITABLE_BY_OTHERS = 0o022;

const MAKE_ONE = 'make one with: provision plan INVENTORY -o FILE';

/**
 * Writes a plan to a file that only its owner may read: it names hosts, paths and versions, but holds no secret.
 * @throws ProvisionError `file-not-written`
 */
export async function savePlan(file: string, plan: Plan): Promise<void> {
  await writePrivately(file, `${JSON.stringify(planToJson(plan), undefined, 2)}\n`, 'the plan');
}

/**
 * Compares a saved plan with what would be done now: the whole decision, and what was there before.
 * @throws ProvisionError `plan-stale` with every difference, or that nothing of it is left to do; what {@link readSavedPlan} throws
 */
export async function refuseDrift(file: string, now: Plan): Promise<void> {
  const saved = await readSavedPlan(file);
  const fresh = planToJson(now);
  const inputs = inputDrift(saved, fresh);
  if (inputs.length === 0 && isDone(saved, fresh)) throw alreadyDone(file, fresh);
  const drift = [...inputs, ...playDrift(saved, fresh), ...stepDrift(saved, fresh)];
  if (drift.length === 0) return;
  throw new ProvisionError({
    code: 'plan-stale',
    message: [`${file} is not what would be done now:`, ...drift.map((line) => `  ${line}`)].join('\n'),
    hint: 'nothing was changed; look at a new plan, and apply that',
  });
}

/**
 * Reads what {@link savePlan} wrote.
 * @throws ProvisionError `plan-unreadable`, `plan-of-another-version`, `plan-writable-by-others`
 */
export async function readSavedPlan(file: string): Promise<PlanJson> {
  const read = await readJson(file);
  const format = typeof read === 'object' && read !== null && 'formatVersion' in read ? read.formatVersion : undefined;
  if (typeof format === 'number' && format !== PLAN_FORMAT)
    throw new ProvisionError({
      code: 'plan-of-another-version',
      message: `${file} is a saved plan of format ${format}; this version of provision reads format ${PLAN_FORMAT}`,
      hint: MAKE_ONE,
    });
  const parsed = planSchema.safeParse(read);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.join('.') ?? '';
  throw notAPlan(file, `${path === '' ? '' : `${path}: `}${issue?.message ?? ''}`, parsed.error);
}

async function readJson(file: string): Promise<unknown> {
  try {
    // Whoever reviewed it must not find that someone else has written another one.
    const { mode } = await stat(file).then((found) => (found.isFile() ? found : { mode: 0 }));
    if ((mode & WRITABLE_BY_OTHERS) !== 0) throw writableByOthers(file, mode);
    return JSON.parse(await readTextBounded(file, LARGE_FILE_BYTES));
  } catch (cause) {
    if (cause instanceof ProvisionError) throw cause;
    // What the parser says has a piece of the file, whatever that is.
    throw notAPlan(
      file,
      cause instanceof SyntaxError ? 'it is not JSON' : `it cannot be read: ${fileReason(cause)}`,
      cause,
    );
  }
}

function writableByOthers(file: string, mode: number): ProvisionError {
  return new ProvisionError({
    code: 'plan-writable-by-others',
    message: `${file}: other users may write this file (mode ${(mode & 0o7777).toString(8).padStart(4, '0')}), so it may not be the plan that was reviewed`,
    hint: `chmod go-w ${quote(file)}, then read it again: provision show ${quote(file)}; or ${MAKE_ONE}`,
  });
}

function notAPlan(file: string, why: string, cause: unknown): ProvisionError {
  return new ProvisionError({
    code: 'plan-unreadable',
    message: `${file} is not a saved plan: ${why}`,
    hint: MAKE_ONE,
    cause,
  });
}

function inputDrift(saved: PlanJson, fresh: PlanJson): readonly string[] {
  return [
    ...differs('provision', saved.tool, fresh.tool),
    ...differs('the inventory', saved.inventoryDigest.slice(0, 12), fresh.inventoryDigest.slice(0, 12)),
    ...(saved.playbookDigest === fresh.playbookDigest
      ? []
      : differs('the playbook, or a file that it uses', playbookOf(saved), playbookOf(fresh))),
    ...differs('--limit', saved.limit ?? 'none', fresh.limit ?? 'none'),
  ];
}

/** By its content: the same file may be typed in many ways. */
function playbookOf({ playbook, playbookDigest }: PlanJson): string {
  return `${playbook} (${playbookDigest.slice(0, 12)})`;
}

function differs(what: string, saved: string, now: string): readonly string[] {
  return saved === now ? [] : [`${what}: saved: ${saved}; now: ${now}`];
}

/** How carefully: the plays, and each one's gates, batches and order. */
function playDrift(saved: PlanJson, fresh: PlanJson): readonly string[] {
  const names = ({ plays }: PlanJson): string => plays.map(({ name }) => name).join(', then ') || 'none';
  const plays = differs('plays', names(saved), names(fresh));
  if (plays.length > 0) return plays;
  return saved.plays.flatMap((was, index) => {
    const is = fresh.plays[index];
    return is === undefined ? [] : careDrift(`play ${was.name}`, was, is);
  });
}

function careDrift(play: string, was: PlayJson, is: PlayJson): readonly string[] {
  const gates = (names: readonly string[]): string => names.join(', ') || 'none';
  const serial = (size: number | null): string => (size === null ? 'all at once' : String(size));
  const hosts = ({ batches }: PlayJson): string =>
    batches.map((batch) => batch.hosts.map(({ host }) => host).join(', ')).join('; then ') || 'none';
  return [
    ...differs(`${play}: gates before`, gates(was.gatesBefore), gates(is.gatesBefore)),
    ...differs(`${play}: gates after`, gates(was.gatesAfter), gates(is.gatesAfter)),
    ...differs(`${play}: serial`, serial(was.serial), serial(is.serial)),
    ...differs(`${play}: order`, was.order, is.order),
    ...differs(`${play}: hosts`, hosts(was), hosts(is)),
  ];
}

/** Every step that is in only one of the plans, is another one now, or would overwrite something else. */
function stepDrift(saved: PlanJson, fresh: PlanJson): readonly string[] {
  const before = stepsOf(saved);
  const after = stepsOf(fresh);
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((key) => {
    const [was, is] = [before.get(key), after.get(key)];
    if (essenceOf(was) !== essenceOf(is))
      return [`${key}: saved: ${describeStep(was)}; now: ${describeStep(is)}`, ...linesSince(was, is)];
    if (was?.kind !== 'change' || is?.kind !== 'change' || was.before === is.before) return [];
    return [changedUnder(key, is), ...linesSince(was, is)];
  });
}

/** Whether there was something to do, and a plan of the same inputs has no step for any of it. */
function isDone(saved: PlanJson, fresh: PlanJson): boolean {
  const left = stepsOf(fresh);
  const agreed = [...stepsOf(saved).keys()];
  return agreed.length > 0 && !agreed.some((key) => left.has(key));
}

/** Each step that was saved would be a difference, and none of them says more than this. */
function alreadyDone(file: string, fresh: PlanJson): ProvisionError {
  const others = [...stepsOf(fresh)].map(([key, step]) => `  ${key}: ${describeStep(step)}`);
  const done = `nothing of ${file} is left to do: it has been applied already, or was done otherwise`;
  const isMore = others.length > 0;
  return new ProvisionError({
    code: 'plan-stale',
    message: [isMore ? `${done}; what would be done now is not in it:` : done, ...others].join('\n'),
    hint: `nothing was changed; ${isMore ? 'look at a new plan, and apply that' : 'a new plan has no changes'}`,
  });
}

/** `play / host address` → step. */
function stepsOf(plan: PlanJson): ReadonlyMap<string, StepJson> {
  return new Map(
    plannedSteps<StepJson>(plan).map(({ play, host, step }) => [`${play} / ${host} ${step.address}`, step]),
  );
}
