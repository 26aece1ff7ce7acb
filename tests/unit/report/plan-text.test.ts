import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from '@jest/globals';
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
