import { InputError, type Problem, type SourcePosition } from '../model/errors.js';
import { didYouMean } from '../model/did-you-mean.js';
import { expandHostPattern, NAMES_NO_HOST } from './host-ranges.js';
import {
  addChild,
  addGroup,
  addHost,
  setGroupVariable,
  setHostVariable,
  type GroupNode,
  type InventoryGraph,
} from './inventory-graph.js';
import { parsePythonLiteral } from './python-literal.js';
import { plainSetting, type RawValue } from './raw-value.js';
import { splitWords } from './shell-words.js';
import { type LoadLog, problemAt, type SourceText, warn } from './source-text.js';

// The grammar is Ansible's own, not that of any INI library: ansible/plugins/inventory/ini.py.
const SECTION = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/u;
const GROUP_NAME = /^([^:\]\s]+)\s*(?:#.*)?$/u;

type State = 'hosts' | 'children' | 'vars';

/** A group that was used before it was declared. */
interface Pending {
  readonly at: SourcePosition;
  readonly state: 'children' | 'vars';
  readonly parents: { readonly group: GroupNode; readonly at: SourcePosition }[];
}

interface Reader {
  readonly graph: InventoryGraph;
  readonly source: SourceText;
  /** Absolute path of the file. */
  readonly path: string;
  readonly log: LoadLog;
  readonly pending: Map<string, Pending>;
  group: GroupNode;
  state: State;
}

/**
 * Reads an INI inventory into the graph.
 * @throws InputError with every wrong line
 */
export function readIniInventory(graph: InventoryGraph, source: SourceText, path: string, log: LoadLog): void {
  const reader: Reader = {
    graph,
    source,
    path,
    log,
    pending: new Map(),
    group: addGroup(graph, 'ungrouped'),
    state: 'hosts',
  };
  const errors: InputError[] = [];
  for (const [index, raw] of source.text.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const at = { file: source.file, line: index + 1, column: raw.length - raw.trimStart().length + 1 };
    try {
      readLine(reader, line, at);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      errors.push(error);
    }
  }
  const problems = [...errors.flatMap((error) => error.problems), ...undeclared(reader)];
  if (problems.length === 0) return;
  // Any text is read as INI. One without a group may be a password that was given by mistake.
  const isInventory = [...graph.groups.keys()].some((name) => name !== 'ungrouped' && name !== 'all');
  throw new InputError(isInventory ? problems : problems.map(withoutWords));
}

function withoutWords({ severity, at }: Problem): Problem {
  const message = 'expected a host with key=value, or [group]; the line is not shown, as the file has no group';
  return { severity, at, subject: 'inventory', message };
}

function readLine(reader: Reader, line: string, at: SourcePosition): void {
  const section = SECTION.exec(line);
  if (section !== null) openSection(reader, section[1] ?? '', section[2] ?? 'hosts', at);
  else if (line.startsWith('[') && line.endsWith(']')) {
    throw problemAt(at, line, 'is not a section; expected [group], [group:children] or [group:vars] without spaces');
  } else if (reader.state === 'hosts') readHosts(reader, line, at);
  else if (reader.state === 'vars') readVariable(reader, line, at);
  else readChild(reader, line, at);
}

function openSection(reader: Reader, name: string, state: string, at: SourcePosition): void {
  if (state !== 'hosts' && state !== 'children' && state !== 'vars') {
    const near = didYouMean(state, ['hosts', 'children', 'vars']);
    throw problemAt(at, `[${name}:${state}]`, `unknown kind of section '${state}', expected children or vars${near}`);
  }
  const pending = reader.pending.get(name);
  if (!reader.graph.groups.has(name) && state === 'vars' && pending === undefined) {
    reader.pending.set(name, { at, state, parents: [] });
  }
  reader.group = addGroup(reader.graph, name, at);
  reader.state = state;
  if (pending !== undefined && state !== 'vars') {
    reader.pending.delete(name);
    for (const parent of pending.parents) addChild(parent.group, reader.group, parent.at);
  }
}

function readHosts(reader: Reader, line: string, at: SourcePosition): void {
  const words = attempt(at, line, () => splitWords(line));
  const pattern = words[0]?.text ?? '';
  const { names, port } = attempt(at, pattern, () => expandHostPattern(pattern));
  if (pattern === '' || pattern === '---' || (pattern.endsWith(':') && port === undefined)) {
    throw problemAt(at, line, `'${pattern}' is not a host name${pattern === '---' ? '; is this a YAML file?' : ''}`);
  }
  if (names.length === 0) warn(reader.log, at, pattern, NAMES_NO_HOST);
  const variables = words.slice(1).map((word) => {
    const place = { ...at, column: at.column + word.column - 1 };
    const equals = word.text.indexOf('=');
    if (equals < 0) throw problemAt(place, word.text, 'expected key=value after the host');
    return [word.text.slice(0, equals), plainSetting(literal(word.text.slice(equals + 1)), place)] as const;
  });
  for (const name of names) {
    const isNew = !reader.graph.hosts.has(name);
    const host = addHost(reader.graph, reader.group, { name, at, source: reader.path });
    if (isNew && port !== undefined) host.settings.set('ansible_port', plainSetting(port, at));
    for (const [key, setting] of variables) setHostVariable(reader.graph, host, key, setting);
  }
}

function readVariable(reader: Reader, line: string, at: SourcePosition): void {
  const equals = line.indexOf('=');
  if (equals < 0) throw problemAt(at, line, `expected key=value in [${reader.group.name}:vars]`);
  const setting = plainSetting(literal(line.slice(equals + 1).trim()), at);
  setGroupVariable(reader.group, line.slice(0, equals).trim(), setting);
}

function readChild(reader: Reader, line: string, at: SourcePosition): void {
  const name = GROUP_NAME.exec(line)?.[1];
  if (name === undefined) throw problemAt(at, line, `expected the name of a group in [${reader.group.name}:children]`);
  const known = reader.graph.groups.get(name);
  const pending = reader.pending.get(name);
  if (known !== undefined) addChild(reader.group, known, at);
  else if (pending !== undefined) pending.parents.push({ group: reader.group, at });
  else reader.pending.set(name, { at, state: 'children', parents: [{ group: reader.group, at }] });
}

function undeclared(reader: Reader): InputError['problems'] {
  return [...reader.pending].map(([name, pending]) => {
    const known = [...reader.graph.groups.keys()].filter((candidate) => !reader.pending.has(candidate));
    const section = pending.state === 'vars' ? `[${name}:vars] is for` : `[${reader.group.name}:children] names`;
    const used = pending.parents[0] === undefined ? section : `[${pending.parents[0].group.name}:children] names`;
    const message = `${used} a group that is declared nowhere; add a section [${name}]${didYouMean(name, known)}`;
    return { severity: 'error', at: pending.at, subject: name, message };
  });
}

/** Values are Python literals where they can be; all else is text. `true` is text, `True` is a truth value. */
function literal(text: string): RawValue {
  const parsed = parsePythonLiteral(text);
  return parsed === undefined ? text : parsed.value;
}

function attempt<T>(at: SourcePosition, subject: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError) throw problemAt(at, subject, error.message);
    throw error;
  }
}
