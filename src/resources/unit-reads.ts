import { unitCommand } from '../facts/unit-command.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import { ProvisionError } from '../model/errors.js';

/** How a unit would be, or was, started. */
export interface StartedWith {
  /** The program first. */
  readonly argv: readonly string[];
  readonly environmentFiles: readonly string[];
}

/** A unit that must run with the file that is kept for it. */
export interface UnitReadsOptions {
  /** Without `.service`. */
  readonly unit: string;
  /** Why it does not read that file, for a sentence: `reads /etc/x.cfg, not /etc/y.cfg`; nothing when it does. */
  readonly problem: (started: StartedWith) => string | undefined;
  /** What to do, for the hint. */
  readonly wayOut: string;
}

/**
 * The unit that runs, and the one that the host would start next, read the file that is kept for them: an old unit below
 * /etc, a drop-in or a variable in /etc/default may say otherwise. It changes nothing: what is wrong is refused while
 * planning, for every change of that file would be without effect.
 */
export function unitReads({ unit, problem, wayOut }: UnitReadsOptions): Resource {
  return {
    address: `unit:${unit}`,
    paths: [],
    async plan(probe) {
      const { files, environmentFiles, next, running } = await probe.ask(unitCommand, unit);
      const ofNext = next.length === 0 ? undefined : problem({ argv: next, environmentFiles });
      const ofRunning = running.length === 0 ? undefined : problem({ argv: running, environmentFiles });
      const found = ofNext ?? ofRunning;
      if (found === undefined) return UNCHANGED;
      const read = [...files, ...environmentFiles].join(', ');
      throw new ProvisionError({
        code: 'unit-reads-another-file',
        message: `${probe.host}: ${unit} ${ofNext === undefined ? 'was started so that it ' : ''}${found} (its unit is ${read})`,
        hint: [
          `ssh ${probe.host} systemctl cat ${unit}   shows who says so`,
          ofNext === undefined ? `ssh ${probe.host} sudo systemctl restart ${unit}` : wayOut,
        ].join('\n'),
      });
    },
  };
}
