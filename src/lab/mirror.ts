import { join } from 'node:path';
import { listIfThere, readIfThere } from './files.js';

/** Where packages come from. */
export interface Mirror {
  /** URI of the Debian archive: the main suite and its updates. */
  readonly main: string;
  readonly security: string;
}

/** One `deb` source: its URI and suites. */
interface Source {
  readonly uri: string;
  readonly suites: readonly string[];
}

/** One-line sources: `deb [options] URI suite component…` (sources.list(5)). */
function parseLines(text: string): readonly Source[] {
  return [...text.matchAll(/^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/gm)].map(([, uri, suite]) => ({
    uri: uri ?? '',
    suites: [suite ?? ''],
  }));
}

/** Deb822 sources: stanzas with `Types`, `URIs` and `Suites`. */
function parseStanzas(text: string): readonly Source[] {
  const withoutComments = text.replace(/^#.*\n?/gm, '');
  return withoutComments.split(/\n\s*\n/).flatMap((stanza) => {
    const words = (key: string): readonly string[] =>
      new RegExp(`^${key}:((?:.*(?:\\n[ \\t])?)*)`, 'im').exec(stanza)?.[1]?.trim().split(/\s+/) ?? [];
    if (!words('Types').includes('deb') || words('Enabled')[0] === 'no') return [];
    return words('URIs').map((uri) => ({ uri, suites: words('Suites') }));
  });
}

/**
 * The Debian mirror that a machine's apt sources name.
 * @param files the sources, by file name: `*.sources` holds stanzas, everything else lines
 * @returns undefined when no source is Debian's
 */
export function findMirror(files: ReadonlyMap<string, string>): Mirror | undefined {
  const sources = [...files].flatMap(([name, text]) =>
    name.endsWith('.sources') ? parseStanzas(text) : parseLines(text),
  );
  // Only Debian's own archives: a machine may also name Ubuntu's or a vendor's.
  const trimmed = sources.map(({ uri, suites }) => ({ uri: uri.replace(/\/+$/, ''), suites }));
  const main = trimmed.find(({ uri }) => uri.endsWith('/debian'))?.uri;
  if (main === undefined) return undefined;
  const security = trimmed.find(({ suites }) => suites.some((suite) => suite.endsWith('-security')))?.uri;
  return { main, security: security ?? `${main}-security` };
}

/** Reads this machine's apt sources, by file name. @param directory `/etc/apt` */
export async function readAptSources(directory: string): Promise<ReadonlyMap<string, string>> {
  const parts = join(directory, 'sources.list.d');
  const names = (await listIfThere(parts)).filter((name) => /\.(list|sources)$/.test(name));
  const paths = [join(directory, 'sources.list'), ...names.sort().map((name) => join(parts, name))];
  const texts = await Promise.all(paths.map(readIfThere));
  return new Map(paths.map((path, index) => [path, texts[index] ?? '']));
}

/** The mirror that the environment names, else that of this machine's apt sources. @returns undefined when neither has one */
export async function chosenMirror(env: Readonly<Record<string, string | undefined>>): Promise<Mirror | undefined> {
  const chosen = env['PROVISION_LAB_MIRROR'];
  if (chosen !== undefined)
    return { main: chosen, security: env['PROVISION_LAB_SECURITY_MIRROR'] ?? `${chosen}-security` };
  return findMirror(await readAptSources('/etc/apt'));
}
