import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { planOutline, planToJson } from '../../../src/engine/plan-json.js';
import { planSchema } from '../../../src/engine/plan-schema.js';
import type { Plan } from '../../../src/model/plan.js';
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

  test('names the tasks of a playbook, also of a saved plan; not where the words say it already', () => {
    const named = (task: string): Plan => ({
      ...ROLLING_RESTART,
      plays: ROLLING_RESTART.plays.map((play) => ({
        ...play,
        batches: play.batches.map(({ hosts }) => ({
          hosts: hosts.map((host) => ({ ...host, steps: host.steps.map((step) => ({ ...step, task })) })),
        })),
      })),
    });
    const text = renderPlan(named('Tune\u001b[2J etcd'), { colour: false });
    expect(text).toContain('~ change /etc/default/etcd (task: Tune␛[2J etcd)');
    expect(text).toContain('(disruptive) (task: Tune␛[2J etcd)');
    const saved = planSchema.parse(JSON.parse(JSON.stringify(planToJson(named('Tune\u001b[2J etcd')))));
    expect(renderPlan(planOutline(saved), { colour: false })).toBe(text);
    expect(renderPlan(named('restart etcd'), { colour: false })).not.toContain('changes (disruptive) (task');
  });

  test('of several plays ends with each of them, its hosts in order, and what clients may notice', () => {
    const [restart] = ROLLING_RESTART.plays.slice(-1);
    const [first] = BARE_HOSTS.plays;
    if (restart === undefined || first === undefined) throw new Error('there are plays');
    const text = renderPlan({ ...ROLLING_RESTART, plays: [first, restart] }, { colour: false });
    const end = text.slice(text.indexOf('In this order:')).split('\n');
    expect(end.slice(0, 4)).toEqual([
      'In this order:',
      expect.stringMatching(/^ {2}1 /) as unknown,
      expect.stringMatching(/^ {2}2 etcd +etcd-2 → etcd-3 → etcd-1 +6 changes, ! 3 disruptive$/) as unknown,
      '',
    ]);
    expect(end.slice(4, 7)).toEqual([
      'Clients feel:',
      expect.stringContaining('! connections through a service that restarts or stops end') as unknown,
      '',
    ]);
    expect(end[7]).toMatch(/^Plan: /);
    expect(renderPlan(ROLLING_RESTART, { colour: false })).not.toContain('In this order');
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
