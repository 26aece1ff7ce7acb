import { counted } from '../model/counted.js';
import type { Event } from '../model/events.js';
import { plannedSteps } from '../model/plan.js';
import { duration } from './wording.js';

/** How far a whole run is. */
export interface RunProgress {
  note(event: Event): void;
  /** `apply: 41 of 80 changes, 3 of 5 hosts done, 48 s`; empty before a run has begun, and after it. */
  line(now: Date): string;
}

/** @param now is asked when a run begins, and when it begins to change something: what a person thinks over is no part of it */
export function createRunProgress(now: () => Date): RunProgress {
  let command = '';
  let began = 0;
  let done = 0;
  let isChanging = false;
  /** Changes that are left on each host, as far as the plan could know. */
  let left = new Map<string, number>();
  let planned = 0;

  function figures(): readonly string[] {
    if (planned === 0) return [];
    const hosts = [...left.values()];
    const finished = hosts.filter((count) => count <= 0).length;
    // What was known only after apply is more than was planned.
    return [
      `${done} of ${counted(Math.max(planned, done), 'change')}`,
      `${finished} of ${counted(hosts.length, 'host')} done`,
    ];
  }

  return {
    note(event) {
      if (event.type === 'run-started') {
        command = event.command;
        began = now().getTime();
      } else if (event.type === 'planned') {
        const changes = plannedSteps(event.plan).filter(({ step }) => step.outcome.kind === 'change');
        planned = changes.length;
        left = new Map();
        for (const { host } of changes) left.set(host, (left.get(host) ?? 0) + 1);
      } else if (event.type === 'play-started' && !isChanging) {
        isChanging = true;
        began = now().getTime();
      } else if (event.type === 'change-done') {
        done += 1;
        const before = left.get(event.host);
        if (before !== undefined) left.set(event.host, before - 1);
      } else if (event.type === 'run-finished' || event.type === 'run-failed') command = '';
    },
    line(at) {
      if (command === '') return '';
      return `${command}: ${[...figures(), duration(Math.max(0, at.getTime() - began))].join(', ')}`;
    },
  };
}
