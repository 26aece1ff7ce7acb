import { pathExists } from '../facts/path-exists.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';

/** A command of a playbook may download, build or initialize: to Ansible it has no end. */
const TIMEOUT_MS = 3_600_000;

/** A command, and how to know that it has been run: at least one of `creates` and `removes`. */
export interface CommandOptions {
  /** One line for the plan. */
  readonly name: string;
  /** POSIX shell. */
  readonly script: string;
  /** A path that the command makes: nothing to do once it is there. */
  readonly creates?: string | undefined;
  /** A path that the command removes: nothing to do once it is gone. */
  readonly removes?: string | undefined;
}

/** A command that is run once. */
export function command(options: CommandOptions): Resource {
  const { name, script, creates, removes } = options;
  return {
    address: `command:${name}`,
    paths: [],
    async plan(probe) {
      const [made, left] = await Promise.all([
        creates === undefined ? false : probe.ask(pathExists, creates),
        removes === undefined ? true : probe.ask(pathExists, removes),
      ]);
      if (made || !left) return UNCHANGED;
      return changed({
        summary: `run ${name}`,
        diff: [
          ...script.split('\n').map((line) => `$ ${line}`),
          ...(creates === undefined ? [] : [`creates ${creates}`]),
          ...(removes === undefined ? [] : [`removes ${removes}`]),
        ],
        actions: [
          {
            kind: 'run',
            command: { summary: name, script, timeoutMs: TIMEOUT_MS },
            undo: { lasting: 'what a command did stays' },
          },
        ],
        effect: 'change',
        disruptive: false,
      });
    },
  };
}
