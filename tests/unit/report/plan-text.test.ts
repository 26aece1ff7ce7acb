import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { planOutline, planToJson } from '../../../src/engine/plan-json.js';
import { planSchema } from '../../../src/engine/plan-schema.js';
import { renderPlan } from '../../../src/report/plan-text.js';
import { expectGolden } from '../../support/golden.js';
import {
  BARE_HOSTS,
  NOTHING_TO_DO,
  PLANTED,
  ROLLING_RESTART,
  SECRETS_AND_ESCAPES,
  THIRTY_HOSTS,
} from '../../support/sample-plans.js';

describe('renderPlan', () => {
  test.each([
    ['bare-hosts', BARE_HOSTS],
    ['nothing-to-do', NOTHING_TO_DO],
    ['rolling-restart', ROLLING_RESTART],
    ['thirty-hosts', THIRTY_HOSTS],
    ['secrets-and-escapes', SECRETS_AND_ESCAPES],
  ])('%s reads as in fixtures/plans', (name, plan) => {
    expectGolden(`fixtures/plans/${name}.txt`, renderPlan(plan, { colour: false }));
  });

  test.each([BARE_HOSTS, NOTHING_TO_DO, ROLLING_RESTART, THIRTY_HOSTS, SECRETS_AND_ESCAPES])(
    'a saved plan reads as the plan did',
    (plan) => {
      const saved = planSchema.parse(JSON.parse(JSON.stringify(planToJson(plan))));
      expect(renderPlan(planOutline(saved), { colour: true })).toBe(renderPlan(plan, { colour: true }));
    },
  );

  test('counts no more hosts than there are, also where none could be asked', () => {
    const away = ['etcd-1', 'etcd-2', 'etcd-3'].map((host) => ({ host, because: 'no route to host' }));
    const text = renderPlan({ ...ROLLING_RESTART, away }, { colour: false });
    expect(text).toMatch(/^Plan: \d+ changes on 3 hosts, /m);
    expect(text).not.toMatch(/of 0 hosts/);
  });

  test('thirty hosts with the same changes fit on one screen', () => {
    expect(renderPlan(THIRTY_HOSTS, { colour: false }).split('\n').length).toBeLessThan(30);
  });

  test.each([ROLLING_RESTART, BARE_HOSTS])('colours change no word', (plan) => {
    const coloured = renderPlan(plan, { colour: true });
    expect(coloured).toContain('\u001b[');
    expect(stripVTControlCharacters(coloured)).toBe(renderPlan(plan, { colour: false }));
  });

  test('no host can paint the terminal, and no secret is shown', () => {
    const text = renderPlan(SECRETS_AND_ESCAPES, { colour: false });

    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(text).toContain('␛[31mred');
    expect(text).not.toContain(PLANTED);
    expect(text).toContain('auth_pass [redacted]');
  });
});
