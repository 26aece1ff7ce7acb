import { createHash, scryptSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { planOutline, planToJson, stepToJson } from '../../../src/engine/plan-json.js';
import { planSchema } from '../../../src/engine/plan-schema.js';
import { plannedCertificates } from '../../../src/engine/planned-certificates.js';
import { lastingOf, type Action, type WriteFile } from '../../../src/model/action.js';
import { contentOf, plainContent } from '../../../src/model/content.js';
import { Secret } from '../../../src/model/secret.js';
import type { JsonObject } from '../../../src/model/json.js';
import type { Plan, PlannedStep, PlanOutline, StepOutline } from '../../../src/model/plan.js';
import { SERVER_PROFILE } from '../../support/test-authority.js';
import { expectGolden } from '../../support/golden.js';
import {
  BARE_HOSTS,
  NOTHING_TO_DO,
  PLANTED,
  ROLLING_RESTART,
  SECRETS_AND_ESCAPES,
} from '../../support/sample-plans.js';

const RUN: Action = { kind: 'run', command: { summary: 'r', script: 'r' }, undo: 'nothing' };

const PLANS: [string, Plan][] = [
  ['bare-hosts', BARE_HOSTS],
  ['nothing-to-do', NOTHING_TO_DO],
  ['rolling-restart', ROLLING_RESTART],
  ['secrets-and-escapes', SECRETS_AND_ESCAPES],
];

describe('planToJson', () => {
  test.each(PLANS)('%s is as in fixtures/plans', (name, plan) => {
    expectGolden(`fixtures/plans/${name}.json`, `${JSON.stringify(planToJson(plan), null, 2)}\n`);
  });

  test.each(PLANS)('%s passes its own schema, and survives being written and read', (_name, plan) => {
    const json = planToJson(plan);
    expect(planSchema.parse(JSON.parse(JSON.stringify(json)))).toEqual(json);
  });

  test('tells of the task of each step, and of the hosts that are left out, and is read back so', () => {
    const outcome = {
      kind: 'change',
      change: { summary: 's', diff: [], actions: [], effect: 'change', disruptive: false },
    } as const;
    const steps: readonly PlannedStep[] = [
      { address: 'a', task: 'first', outcome },
      { address: 'b', task: 'second', outcome: { kind: 'unknown', because: 'x' } },
    ];
    const play = { name: 'p', order: 'inventory', batchSize: 1, gatesBefore: [], gatesAfter: [] };
    const batches = [{ hosts: [{ host: 'h', steps, unchanged: 0 }] }];
    const json = planToJson({ ...BARE_HOSTS, plays: [{ ...play, leftOut: ['i', 'j'], batches }] });
    const [read] = planSchema.parse(JSON.parse(JSON.stringify(json))).plays;
    expect(read?.leftOut).toEqual(['i', 'j']);
    expect(read?.batches[0]?.hosts[0]?.steps.map(({ task }) => task)).toEqual(['first', 'second']);
  });

  test('holds no secret, not even its digest', () => {
    const text = JSON.stringify(planToJson(SECRETS_AND_ESCAPES));
    expect(text).not.toContain(PLANTED);
    expect(text).not.toContain(createHash('sha256').update(PLANTED).digest('hex'));
    expect(text).toContain('[redacted]');
  });

  test('the check above would find one', () => {
    const [first] = SECRETS_AND_ESCAPES.plays;
    const leaking = { ...SECRETS_AND_ESCAPES, plays: [{ ...first, name: PLANTED }] } as Plan;
    expect(JSON.stringify(planToJson(leaking))).toContain(PLANTED);
  });
});

describe('what people read of a plan that was read back', () => {
  const stepOf = ({ address, task, outcome }: PlannedStep): unknown => {
    if (outcome.kind === 'unknown') return { address, task, outcome };
    const { summary, effect, disruptive, diff, actions } = outcome.change;
    const outlines = actions.map((action) => ({ kind: action.kind, lasting: lastingOf(action) }));
    return {
      address,
      task,
      outcome: { kind: 'change', change: { summary, effect, disruptive, diff, actions: outlines } },
    };
  };
  const withLasting = (step: StepOutline): unknown => {
    if (step.outcome.kind === 'unknown') return step;
    const { actions, ...change } = step.outcome.change;
    const outlines = actions.map((action) => ({ kind: action.kind, lasting: lastingOf(action) }));
    return { ...step, outcome: { kind: 'change', change: { ...change, actions: outlines } } };
  };
  const shape = (plan: PlanOutline, ofStep: (step: never) => unknown): unknown => ({
    ...{ tool: plan.tool, limit: plan.limit, away: plan.away, playbook: plan.playbook },
    plays: plan.plays.map(({ name, order, batchSize, leftOut, gatesBefore, gatesAfter, batches }) => ({
      ...{ name, order, batchSize, leftOut, gatesBefore, gatesAfter },
      batches: batches.map(({ hosts }) =>
        hosts.map(({ host, unchanged, steps }) => ({
          host,
          unchanged,
          steps: steps.map((step) => ofStep(step as never)),
        })),
      ),
    })),
  });

  test.each(PLANS)('of %s is what was planned, but for contents', (_name, plan) => {
    expect(shape(planOutline(planToJson(plan)), withLasting)).toEqual(shape(plan, stepOf));
  });

  test('says what stays of each action', () => {
    const command = { summary: 's', script: 'x' };
    const actions: readonly Action[] = [
      RUN,
      { kind: 'run', command, undo: { lasting: 'packages stay' } },
      { kind: 'run-on', on: 'b', command, lasting: 'the node stays drained' },
      { kind: 'save-snapshot', per: 'run' },
    ];
    const step: PlannedStep = {
      address: 'a',
      task: 't',
      outcome: { kind: 'change', change: { summary: 's', diff: [], actions, effect: 'change', disruptive: false } },
    };
    const away = ['x', 'y'].map((host) => ({ host, because: `${host} is away` }));
    const play = { name: 'p', order: 'inventory', batchSize: 2, leftOut: [], gatesBefore: [], gatesAfter: [] };
    const hosts = ['a', 'b'].map((host) => ({ host, steps: [step], unchanged: 0 }));
    const plan: Plan = {
      ...BARE_HOSTS,
      away,
      plays: [play, play].map((each) => ({ ...each, batches: [{ hosts }, { hosts }] })),
    };
    expect(shape(planOutline(planToJson(plan)), withLasting)).toEqual(shape(plan, stepOf));
    expect(JSON.stringify(shape(plan, stepOf))).toContain('the node stays drained');
  });
});

describe('what was there', () => {
  const secret = contentOf('password=', new Secret('hunter2'), '\n');
  const plain = plainContent('a=1\n');
  const write = (content: WriteFile['content']): WriteFile => ({
    ...{ kind: 'write-file', path: '/etc/x', content, owner: 'root', group: 'root', mode: '0600' },
  });
  const beforeOf = (diff: readonly string[], actions: readonly Action[]): unknown => {
    const outcome = {
      kind: 'change',
      change: { summary: 's', diff, actions, effect: 'change', disruptive: false },
    } as const;
    const json = stepToJson({ address: 'a', before: 'what was there', outcome });
    return json.kind === 'change' ? json.before : undefined;
  };
  const quick = createHash('sha256').update('what was there').digest('hex');
  const slow = scryptSync('what was there', 'provision', 32).toString('hex');

  test.each<[string, readonly string[], readonly Action[], string]>([
    ['nothing secret', ['-a'], [RUN, write(plain)], quick],
    ['nothing at all', [], [], quick],
    ['a secret in a diff’s later line', ['-a', '-password=[redacted]'], [write(plain)], slow],
    ['a secret in a later file', ['-a'], [RUN, write(plain), write(secret)], slow],
  ])('is a digest that takes long to guess only where it holds a secret: %s', (_, diff, actions, digest) => {
    expect(beforeOf(diff, actions)).toBe(digest);
  });
});

test('parameters are in one order, whichever they were given in', () => {
  const text = (parameters: JsonObject): string => {
    const actions = [{ kind: 'await', gate: 'g', parameters }] as const;
    const outcome = {
      kind: 'change',
      change: { summary: 's', diff: [], actions, effect: 'change', disruptive: false },
    } as const;
    return JSON.stringify(stepToJson({ address: 'a', outcome }));
  };
  const sorted = text({ a: 1, b: [{ c: null, d: 'x' }], e: { f: true, g: 2 } });
  expect(text({ e: { g: 2, f: true }, b: [{ d: 'x', c: null }], a: 1 })).toBe(sorted);
  expect(sorted).toContain('{"a":1,"b":[{"c":null,"d":"x"}],"e":{"f":true,"g":2}}');
});

test('the certificates of a plan are those of every play, batch, host, step and action, in that order', () => {
  const leaf = (certificate: string): Action => ({
    ...{ kind: 'issue-certificate', certificate, owner: 'root', group: 'root', mode: '0600' },
    ...{ profile: SERVER_PROFILE, destination: { layout: 'bundle', path: '/etc/x' } },
  });
  const step = (...actions: readonly Action[]): PlannedStep => ({
    address: 'a',
    outcome: { kind: 'change', change: { summary: 's', diff: [], actions, effect: 'change', disruptive: false } },
  });
  const unknown: PlannedStep = { address: 'u', outcome: { kind: 'unknown', because: 'x' } };
  const host = (name: string, ...steps: readonly PlannedStep[]) => ({ host: name, steps, unchanged: 0 });
  const play = { name: 'p', order: 'inventory', batchSize: 1, leftOut: [], gatesBefore: [], gatesAfter: [] };
  const plan: Plan = {
    ...BARE_HOSTS,
    plays: [
      {
        ...play,
        batches: [
          { hosts: [host('a', unknown, step(RUN, leaf('1'), leaf('2')), step(leaf('3'))), host('b', step(leaf('4')))] },
          { hosts: [host('c', step(leaf('5')))] },
        ],
      },
      { ...play, batches: [{ hosts: [host('a', step(leaf('6')))] }] },
    ],
  };
  expect(plannedCertificates(plan).map((each) => `${each.host} ${each.action.certificate}`)).toEqual([
    ...['a 1', 'a 2', 'a 3', 'b 4', 'c 5', 'a 6'],
  ]);
});
