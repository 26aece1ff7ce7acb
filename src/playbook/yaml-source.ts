import { isMap, isPair, LineCounter, type Document } from 'yaml';
import type { z } from 'zod';
import { didYouMean } from '../model/did-you-mean.js';
import { parseBoundedYaml, YamlLimitError } from '../model/bounded-yaml.js';
import { InputError, type Problem, type SourcePosition } from '../model/errors.js';

/** A parsed YAML file that can tell where each of its values stands. */
export interface YamlSource {
  readonly file: string;
  readonly value: unknown;
  /** The place of the value at a path, or of its nearest parent that exists. */
  at(path: readonly PropertyKey[]): SourcePosition;
  /** The place of a key, for a key that should not be there. */
  atKey(path: readonly PropertyKey[], key: string): SourcePosition;
}

/** Parses YAML. @throws InputError with every syntax error and its place */
export function parseYaml(file: string, text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseWithin(file, text, lines);
  function position(offset: number): SourcePosition {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  }
  if (document.errors.length > 0)
    throw new InputError(
      document.errors.map((error): Problem => {
        const message = error.message.split('\n')[0] ?? error.message;
        return { severity: 'error', at: position(error.pos[0]), subject: 'YAML', message };
      }),
    );
  return {
    file,
    value: plainValue(document, file),
    at: (path) => position(nearestOffset(document, path)),
    atKey: (path, key) => position(keyOffset(document, path, key) ?? nearestOffset(document, path)),
  };
}

function parseWithin(file: string, text: string, lineCounter: LineCounter): Document.Parsed {
  try {
    return parseBoundedYaml(text, { lineCounter });
  } catch (error) {
    if (!(error instanceof YamlLimitError)) throw error;
    const { message, place } = error;
    throw new InputError([{ severity: 'error', at: { file, ...place }, subject: 'YAML', message }]);
  }
}

/** @throws InputError for aliases that stand for more than a playbook can hold */
function plainValue(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const at = { file, line: 1, column: 1 };
    throw new InputError([{ severity: 'error', at, subject: 'YAML', message }]);
  }
}

function nearestOffset(document: Document, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
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
 * Every issue that zod found, as a problem with its place; unknown keys with the known one that is near.
 * @param known the keys that may stand at a path
 */
export function problemsOf(
  source: YamlSource,
  issues: readonly z.core.$ZodIssue[],
  known: (path: readonly PropertyKey[]) => readonly string[],
): readonly Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const subject = issue.path.filter((part) => typeof part === 'string').join('.') || 'play';
    if (issue.code !== 'unrecognized_keys')
      return [{ severity: 'error', at: source.at(issue.path), subject, message: issue.message }];
    return issue.keys.map((key) => ({
      severity: 'error',
      at: source.atKey(issue.path, key),
      subject: key,
      message: `is not known here${didYouMean(key, known(issue.path))}`,
    }));
  });
}
