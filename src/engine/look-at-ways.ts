import { posix } from 'node:path';
import { directoryWay } from '../facts/directory-way.js';
import type { Action } from '../model/action.js';
import type { Outcome } from '../model/change.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/**
 * A change, with a line for each symbolic link on the way to what it writes. All kinds of actions pass here, so that no
 * resource can forget it.
 * @throws ProvisionError `foreign-link` for a link that the action itself would refuse to follow
 */
export async function lookAtWays(outcome: Outcome, probe: Probe): Promise<Outcome> {
  if (outcome.kind !== 'change') return outcome;
  const { change } = outcome;
  const directories = [...new Set(change.actions.flatMap(pathsOf).map((path) => posix.dirname(path)))];
  const ways = await Promise.all(directories.map((directory) => probe.ask(directoryWay, directory)));
  const lines = ways.flatMap((way, index) => {
    const directory = directories[index] ?? '';
    if (way?.refused !== undefined) throw notFollowed(probe.host, directory, way.refused);
    return way?.leadsTo === undefined ? [] : [`${directory} leads to ${way.leadsTo}, by a symbolic link`];
  });
  return lines.length === 0 ? outcome : { kind: 'change', change: { ...change, diff: [...lines, ...change.diff] } };
}

/** Asks already what {@link lookAtWays} will ask if there is a change, so that this costs no further turn. */
export function askWays(paths: readonly string[], probe: Probe): void {
  for (const path of paths) probe.ask(directoryWay, posix.dirname(path)).catch(() => undefined);
}

/** What an action writes, removes or owns, as absolute paths. */
function pathsOf(action: Action): readonly string[] {
  switch (action.kind) {
    case 'write-file':
    case 'remove-file':
    case 'make-directory':
    case 'install-trust':
      return [action.path];
    case 'issue-certificate':
      return action.destination.layout === 'pair'
        ? [action.destination.certificatePath, action.destination.keyPath]
        : [action.destination.path];
    case 'run':
      return action.path === undefined ? [] : [action.path];
    case 'run-on':
    case 'run-on-each':
    case 'reboot-host':
    case 'create-authority':
    case 'move-authority':
    case 'keep-secret':
    case 'save-snapshot':
    case 'send-release':
    case 'join-kubernetes':
    case 'await':
      return [];
  }
}

function notFollowed(host: string, directory: string, refused: string): ProvisionError {
  return new ProvisionError({
    code: 'foreign-link',
    message: `${host}: ${directory}: ${refused}`,
    hint: `look at it with: namei -l ${quote(directory)}; remove the link, or name the directory that it leads to`,
  });
}
