import { aptSourceKey, aptSources, type AptSourceFile } from '../facts/apt-sources.js';
import { changed, type Resource } from '../model/change.js';
import { plainContent } from '../model/content.js';
import { ProvisionError } from '../model/errors.js';
import { proveAptSource, PROOF_MS } from '../shell/apt.js';
import { quote } from '../shell/quote.js';
import { file, type ForeignFiles } from './file.js';
import type { OpenPgpKeys } from './openpgp-key.js';

/** A repository that apt should know. */
export interface AptSource {
  /** Of the file: it ends with `.sources`. */
  readonly path: string;
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  readonly keys: OpenPgpKeys;
  readonly foreign: ForeignFiles;
}

/**
 * A source of apt, in one file with the key that must have signed it, so that neither is ever there without the other. It lands only
 * after apt has read the lists of the repository by it: of one that another key signed, nothing is kept.
 * @throws ProvisionError `apt-source-taken` where another file names the repository, too
 */
export function aptSource(source: AptSource): Resource {
  const { path, keys } = source;
  const written = file({
    path,
    content: plainContent(sourceText(source)),
    ...{ owner: 'root', group: 'root', mode: '0644' },
    validate: proveAptSource(source.uri, keys.fingerprints),
    validateMs: PROOF_MS,
    foreign: source.foreign,
  });
  return {
    ...written,
    async plan(probe) {
      const [outcome, named] = await Promise.all([written.plan(probe), probe.ask(aptSources, aptSourceKey(source))]);
      const others = named.filter((each) => each.path !== path);
      if (others.length > 0) throw taken(probe.host, source, others);
      if (outcome.kind !== 'change') return outcome;
      const { change } = outcome;
      return changed({
        ...change,
        diff: [`signed by ${keys.fingerprints.join(', ')}`, ...change.diff],
        actions: [{ kind: 'await', gate: 'apt-unlocked', parameters: {} }, ...change.actions],
      });
    },
  };
}

/** sources.list(5): an empty line of a field is a dot. */
function sourceText({ uri, suite, components, keys }: AptSource): string {
  return [
    '# Written by provision.',
    'Types: deb',
    `URIs: ${uri}`,
    `Suites: ${suite}`,
    ...(components.length === 0 ? [] : [`Components: ${components.join(' ')}`]),
    'Signed-By:',
    ...keys.armor.map((line) => ` ${line === '' ? '.' : line}`),
    '',
  ].join('\n');
}

/** Nobody is told to remove a file: it may have the sources of the system itself. */
function taken(host: string, { uri, suite }: AptSource, files: readonly AptSourceFile[]): ProvisionError {
  const paths = files.map(({ path }) => path);
  const isNamed = files.length === 1 ? 'names' : 'name';
  const look = `sudo grep -n -F ${quote(uri.replace(/\/+$/, ''))} ${paths.map(quote).join(' ')}`;
  const others = files.some(({ namesOthers }) => namesOthers) ? ', and leave what else is there' : '';
  return new ProvisionError({
    code: 'apt-source-taken',
    message: `${host}: ${paths.join(', ')} ${isNamed} ${uri} ${suite}, too: with two keys for one repository, apt would refuse to work at all`,
    hint: [
      `where the one of the inventory is to be used, take the lines or the stanza of it out${others}; they are: ssh ${host} ${quote(look)}`,
      'else leave out kube_cluster_packages_repository, and install from there yourself',
    ].join('\n'),
  });
}
