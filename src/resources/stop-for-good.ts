import type { UnitState } from '../facts/unit-state.js';
import type { Action } from '../model/action.js';
import { serviceCommand } from '../shell/service-command.js';

/** Stops a unit now and at the next boot; taken back, it is as it was. */
export function stopForGood(
  unit: string,
  { active, enabled }: Pick<UnitState, 'active' | 'enabled'>,
): readonly Action[] {
  const disable: Action = {
    kind: 'run',
    command: serviceCommand('disable', unit),
    undo: serviceCommand('enable', unit),
  };
  return [
    ...(enabled ? [disable] : []),
    // One that systemd tries to start again and again is not active, and must not come up later.
    {
      kind: 'run',
      command: serviceCommand('stop', unit),
      undo: active ? serviceCommand('start', unit) : 'nothing',
    },
  ];
}
