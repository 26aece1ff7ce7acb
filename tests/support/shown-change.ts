import type { Action, Run } from '../../src/model/action.js';
import type { Change, Effect, Outcome } from '../../src/model/change.js';
import type { Command } from '../../src/model/remote.js';

/** A script of one line as it is; of a longer one what the plan calls it. */
function said({ summary, script }: Command): string {
  return script.includes('\n') ? summary : script;
}

function undone(undo: Run['undo']): string {
  if (undo === 'nothing') return 'back: nothing';
  if (typeof undo === 'object' && 'lasting' in undo) return `stays: ${undo.lasting}`;
  return `back: ${typeof undo === 'object' && 'script' in undo ? said(undo) : JSON.stringify(undo)}`;
}

function lines(action: Action): readonly string[] {
  switch (action.kind) {
    case 'run':
      return [
        `$ ${said(action.command)}${action.path === undefined ? '' : ` (at ${action.path})`}`,
        undone(action.undo),
      ];
    case 'write-file':
      return [`write ${action.path} ${action.owner}:${action.group} ${action.mode}`];
    case 'make-directory':
      return [`make ${action.path} ${action.owner}:${action.group} ${action.mode}`];
    case 'remove-file':
      return [`remove ${action.path}`];
    case 'await':
      return [`wait for ${action.gate} ${JSON.stringify(action.parameters)}`];
    case 'run-on':
      return [`on ${action.on}: ${said(action.command)}`, `stays: ${action.lasting}`];
    default:
      return [action.kind];
  }
}

/** What the first words of a summary, or its last verb before the unit, say for programs; whatever else they are changes something. */
const VERBS: readonly (readonly [RegExp, readonly Effect[]])[] = [
  [/, and restart /, ['restart']],
  [/^(create|set up|unpack|save|keep|join|reset the host|bootstrap|add|make)\b/, ['create']],
  // Of several packages one may be there, in another version.
  [/^install\b/, ['create', 'change']],
  [/^(remove|delete|free|take)\b/, ['delete']],
  ...(['start', 'stop', 'restart', 'reload'] as const).map(
    (verb) => [RegExp(`^((unmask|enable|disable) and )*${verb}\\b`), [verb]] as const,
  ),
];

/** What a program is given is what a person reads. @throws Error where it is not */
function refuseOtherEffect({ summary, effect }: Change): void {
  const said = VERBS.find(([words]) => words.test(summary))?.[1] ?? ['change'];
  if (!said.includes(effect)) throw new Error(`"${summary}" has the effect ${effect}`);
}

/** A change as lines: its summary, its diff, each action with how it is taken back, and whether clients notice; none where nothing changes. */
export function shownChange(outcome: Outcome): readonly string[] {
  if (outcome.kind !== 'change') return outcome.kind === 'unknown' ? [outcome.because] : [];
  refuseOtherEffect(outcome.change);
  const { summary, diff, actions, disruptive } = outcome.change;
  return [summary, ...diff, ...actions.flatMap(lines), ...(disruptive ? ['clients notice'] : [])];
}
