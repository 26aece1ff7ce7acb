import { isMap, isScalar, LineCounter, type Document } from 'yaml';
import {
  ETCD_SETTINGS,
  etcdVariable,
  type EtcdProcess,
  type EtcdSettingName,
  type SettingPlaces,
} from '../facts/etcd-process.js';
import { parseBoundedYaml, YamlLimitError } from '../model/bounded-yaml.js';

/** One setting of a running etcd. */
export interface EtcdSetting {
  readonly value: string;
  readonly source: SettingSource;
}

/** Where etcd has it from. */
type SettingSource =
  | { readonly kind: 'flag' | 'variable'; readonly word: string }
  | { readonly kind: 'file'; readonly path: string; readonly word: string; readonly line: number };

/** What is set; what is absent has etcd's default. */
export type EtcdSettings = ReadonlyMap<EtcdSettingName, EtcdSetting>;

/** The configuration file that a process was given: then it reads nothing else (etcdmain/config.go, `parse`). */
export function configFileOf(process: EtcdProcess): string | undefined {
  const own = ownSettings(process).get('config-file')?.value;
  return own === undefined || own === '' ? undefined : absolute(own, process);
}

/**
 * What a process runs with.
 * @param config the text of its {@link configFileOf}
 * @throws Error when that is no YAML
 */
export function settingsOf(
  process: EtcdProcess,
  config?: { readonly path: string; readonly text: string },
): EtcdSettings {
  return config === undefined ? ownSettings(process) : fileSettings(config);
}

/** A path as etcd finds it. */
export function absolute(path: string, { workingDirectory }: Pick<EtcdProcess, 'workingDirectory'>): string {
  return path.startsWith('/')
    ? path
    : `${workingDirectory === '/' ? '' : workingDirectory}/${path.replace(/^\.\//, '')}`;
}

/** Flags over variables; etcd refuses to start with both (pkg/flags, `SetFlagsFromEnv`). */
function ownSettings({ argv, environment }: EtcdProcess): EtcdSettings {
  const variables = ETCD_SETTINGS.flatMap((name): [EtcdSettingName, EtcdSetting][] => {
    const word = etcdVariable(name);
    const value = environment.get(word);
    return value === undefined ? [] : [[name, { value, source: { kind: 'variable', word } }]];
  });
  return new Map([...variables, ...flags(argv.slice(1))]);
}

/** Go's flags: `-name value`, `--name=value`; one without a value is a switch. */
function flags(words: readonly string[]): [EtcdSettingName, EtcdSetting][] {
  return words.flatMap((text, index): [EtcdSettingName, EtcdSetting][] => {
    const [, word = '', given = '', value] = /^(--?([a-z-]+))(?:=([\s\S]*))?$/.exec(text) ?? [];
    const name = ETCD_SETTINGS.find((known) => known === given);
    if (name === undefined) return [];
    const next = words[index + 1];
    const follows = next === undefined || next.startsWith('-') ? 'true' : next;
    return [[name, { value: value ?? follows, source: { kind: 'flag', word } }]];
  });
}

/** Settings that are in a section of a configuration file (etcd.conf.yml.sample). */
const SECTIONS: Partial<Readonly<Record<EtcdSettingName, readonly [string, string]>>> = {
  'cert-file': ['client-transport-security', 'cert-file'],
  'key-file': ['client-transport-security', 'key-file'],
  'trusted-ca-file': ['client-transport-security', 'trusted-ca-file'],
  'auto-tls': ['client-transport-security', 'auto-tls'],
  'peer-cert-file': ['peer-transport-security', 'cert-file'],
  'peer-key-file': ['peer-transport-security', 'key-file'],
};

function fileSettings({ path, text }: { readonly path: string; readonly text: string }): EtcdSettings {
  const lines = new LineCounter();
  const document = parseFile(path, text, lines);
  if (document.errors[0] !== undefined) throw new Error(document.errors[0].message);
  return new Map(
    ETCD_SETTINGS.flatMap((name): [EtcdSettingName, EtcdSetting][] => {
      const keys = SECTIONS[name] ?? [name];
      const node = nodeAt(document, keys);
      if (!isScalar(node) || node.source === undefined || node.value === null) return [];
      const source = {
        kind: 'file',
        path,
        word: keys.join('.'),
        line: lines.linePos(node.range?.[0] ?? 0).line,
      } as const;
      return [[name, { value: node.source, source }]];
    }),
  );
}

function parseFile(path: string, text: string, lineCounter: LineCounter): Document.Parsed {
  try {
    return parseBoundedYaml(text, { lineCounter, uniqueKeys: false });
  } catch (error) {
    if (!(error instanceof YamlLimitError)) throw error;
    throw new Error(`${path}:${error.place.line}:${error.place.column}: ${error.message}`, { cause: error });
  }
}

function nodeAt(document: Document.Parsed, keys: readonly string[]): unknown {
  return isMap(document.contents) ? document.getIn(keys, true) : undefined;
}

/** The files that a process's flags and variables may be written in, as they were looked through. */
export interface SearchedFiles {
  readonly unit: readonly SearchedFile[];
  readonly environment: readonly SearchedFile[];
}

/** One of them. */
interface SearchedFile extends SettingPlaces {
  readonly path: string;
}

/** `--cert-file in /etc/systemd/system/etcd.service:12`: where a person finds the setting. */
export function describePlace({ source }: EtcdSetting, files: SearchedFiles): string {
  if (source.kind === 'file') return `${source.word} in ${source.path}:${source.line}`;
  const { word } = source;
  // What is read later wins; environment files win over Environment= (systemd.exec(5)), and may hold flags ($DAEMON_ARGS).
  for (const { path, lines } of [...files.unit, ...files.environment].reverse()) {
    const line = lines.get(word);
    if (line !== undefined) return `${word} in ${path}:${line}`;
  }
  return `${word} of the running etcd`;
}
