import type { Document } from 'yaml';
import { parseBoundedYaml } from '../model/bounded-yaml.js';

/** More than a control plane has; each is at most as large as what is fetched of a file. */
const MOST_KNOWN = 64;

const known = new Map<string, Document.Parsed>();

/**
 * A static pod manifest as YAML. Each is parsed once: a plan reads the one of an API server some twenty times, in roles, gates
 * and resources that know nothing of each other. Nobody changes what it gets: files are changed as text.
 * @returns the first document, with its syntax errors in `errors`
 * @throws YamlLimitError
 */
export function manifestDocument(text: string): Document.Parsed {
  const before = known.get(text);
  if (before !== undefined) return before;
  const document = parseBoundedYaml(text, { merge: true });
  const [oldest] = known.keys();
  if (known.size >= MOST_KNOWN && oldest !== undefined) known.delete(oldest);
  known.set(text, document);
  return document;
}
