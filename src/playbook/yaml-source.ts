import { dirname, resolve } from 'node:path';
import { isAlias, isMap, isPair, visit, type Document, type LineCounter } from 'yaml';
import type { z } from 'zod';
import { fromRaw } from '../ansible/raw-value.js';
import { startLog } from '../ansible/source-text.js';
import { parseYaml as parseAsAnsible } from '../ansible/yaml-file.js';
import { valueOf } from '../ansible/yaml-values.js';
import { didYouMean } from '../model/did-you-mean.js';
import { InputError, type Problem, type SourcePosition } from '../model/errors.js';

/** A parsed YAML file that can tell where each of its values is. */
export interface YamlSource {
  readonly file: string;
  readonly value: unknown;
  /** The place of the value at a path, or of its nearest parent that exists. */
  at(path: readonly PropertyKey[]): SourcePosition;
  /** The place of a key, for a key that should not be there. */
  atKey(path: readonly PropertyKey[], key: string): SourcePosition;
}

/**
 * Parses YAML as Ansible reads it, which is not YAML 1.2: `017` is 15, `yes` is a truth value.
 * @throws InputError with every syntax error and its place, and for what a playbook cannot hold
 */
export function parseYaml(file: string, text: string): YamlSource {
  const log = startLog(dirname(resolve(file)));
  const parsed = parseAsAnsible({ file, text, confidential: false }, log);
  const { document, lines } = parsed;
  refuse([...log.warnings, ...secretsIn(file, document, lines)]);
  function position(offset: number): SourcePosition {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  }
  return {
    file,
    value: fromRaw(valueOf(parsed, parsed.root)),
    at: (path) => position(nearestOffset(document, path)),
    atKey: (path, key) => position(keyOffset(document, path, key) ?? nearestOffset(document, path)),
  };
}

function refuse(problems: readonly Omit<Problem, 'severity'>[]): void {
  if (problems.length > 0) throw new InputError(problems.map((problem) => ({ ...problem, severity: 'error' })));
}

/** `!vault` and `!unsafe` are values of variables, which have their places. */
function secretsIn(file: string, document: Document, lines: LineCounter): readonly Omit<Problem, 'severity'>[] {
  const problems: Omit<Problem, 'severity'>[] = [];
  visit(document, {
    Node(_, node) {
      if (isAlias(node) || node.tag === undefined || !/^!(?:vault|vault-encrypted|unsafe)$/.test(node.tag)) return;
      const { line, col } = lines.linePos(node.range?.[0] ?? 0);
      const message = 'is not read in a playbook; set it as a variable in group_vars or host_vars, and use that here';
      problems.push({ at: { file, line, column: col }, subject: node.tag, message });
    },
  });
  return problems;
}

function nearestOffset(document: Document, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const node = document.getIn(path.slice(0, depth), true);
    const offset = rangeStart(node);
    if (offset !== undefined) return offset;
  }
  return 0;
}

function keyOffset(document: Document, path: readonly PropertyKey[], key: string): number | undefined {
  const parent = path.length === 0 ? document.contents : document.getIn(path, true);
  if (!isMap(parent)) return undefined;
  const pair = parent.items.find((item) => isPair(item) && String(item.key) === key);
  return rangeStart(pair?.key);
}

function rangeStart(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return undefined;
  const [start] = node.range as unknown[];
  return typeof start === 'number' ? start : undefined;
}

/**
 * Every issue that zod found, as a problem with its place; unknown keys with the known one that is near, or with all.
 * @param known the keys that may stand at a path
 * @param instead what is said of a key that another program has
 */
export function problemsOf(
  source: YamlSource,
  issues: readonly z.core.$ZodIssue[],
  known: (path: readonly PropertyKey[]) => readonly string[],
  instead: (key: string) => string | undefined = () => undefined,
): readonly Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const subject = issue.path.filter((part) => typeof part === 'string').join('.') || 'play';
    if (issue.code !== 'unrecognized_keys')
      return [{ severity: 'error', at: source.at(issue.path), subject, message: messageOf(issue) }];
    return issue.keys.map((key) => ({
      severity: 'error',
      at: source.atKey(issue.path, key),
      subject: key,
      message: instead(key) ?? whyUnknown(key, known(issue.path)),
    }));
  });
}

function messageOf({ message }: z.core.$ZodIssue): string {
  return message.endsWith(', received undefined') ? 'is missing' : message;
}

function whyUnknown(key: string, known: readonly string[]): string {
  const near = didYouMean(key, known);
  return `is not known here${near === '' ? `; known: ${known.join(', ')}` : near}`;
}

/**
 * Gives what a template finds wrong the place of the word that holds it. What has a place, in the inventory, keeps that.
 * @param path of the word in the document
 * @throws InputError what the work throws, with places
 */
export function atPlace<T>(source: YamlSource, path: readonly PropertyKey[], work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(
      error.problems.map((problem) => ({ ...problem, at: problem.at ?? source.at(path) })),
      error.hint,
    );
  }
}

/** @throws InputError where there are any */
export function refuseProblems(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new InputError(problems);
}
