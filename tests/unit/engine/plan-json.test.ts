import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { planToJson } from '../../../src/engine/plan-json.js';
import { planSchema } from '../../../src/engine/plan-schema.js';
import type { Plan } from '../../../src/model/plan.js';
import { expectGolden } from '../../support/golden.js';
import {
  BARE_HOSTS,
  NOTHING_TO_DO,
  PLANTED,
  ROLLING_RESTART,
  SECRETS_AND_ESCAPES,
} from '../../support/sample-plans.js';

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
