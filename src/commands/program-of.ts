import type { Command } from 'commander';

/** The program that a verb is one of. @throws Error where it is one of none: a fault of this program */
export function programOf(verb: Command): Command {
  if (verb.parent === null) throw new Error(`${verb.name()} is a verb of no program`);
  return verb.parent;
}
