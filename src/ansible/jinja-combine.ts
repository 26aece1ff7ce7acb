import { isList, isMapping, type PythonValue } from '../model/python-value.js';
import { entries, has, isTrue, items, member } from './python-builtins.js';
import { pythonStr } from './python-text.js';

/** How lists in a mapping are joined, by the words of `list_merge`. */
const LIST_MERGES: ReadonlyMap<string, (left: readonly PythonValue[], right: readonly PythonValue[]) => PythonValue> =
  new Map([
    ['replace', (_, right) => right],
    ['keep', (left) => left],
    ['append', (left, right) => [...left, ...right]],
    ['prepend', (left, right) => [...right, ...left]],
    ['append_rp', (left, right) => [...left.filter((item) => !has(right, item)), ...right]],
    ['prepend_rp', (left, right) => [...right, ...left.filter((item) => !has(right, item))]],
  ]);

type Mapping = Readonly<Record<string, PythonValue>>;

/** How mappings are combined. */
interface Combining {
  readonly isRecursive: boolean;
  readonly listMerge: string;
}

/**
 * Ansible's filter of that name.
 * @param others what is put over the value; last perhaps `recursive` and `list_merge`
 * @throws Error for what is no mapping
 */
export function combine(value: PythonValue, others: readonly PythonValue[]): PythonValue {
  const last = others.at(-1) ?? null;
  const isHow = isMapping(last) && Object.keys(last).every((key) => key === 'recursive' || key === 'list_merge');
  const how = { isRecursive: isHow && isTrue(member(last, 'recursive')), listMerge: 'replace' };
  if (isHow && member(last, 'list_merge') !== null) how.listMerge = pythonStr(member(last, 'list_merge'));
  const all = [value, ...(isHow && Object.keys(last).length > 0 ? others.slice(0, -1) : others)].flatMap(items);
  return all.filter((item) => item !== null).reduce<Mapping>((left, right) => merge(left, asMapping(right), how), {});
}

function asMapping(value: PythonValue): Mapping {
  if (!isMapping(value)) throw new Error(`${pythonStr(value)} is no mapping`);
  return value;
}

/** ansible/utils/vars.py, merge_hash. */
function merge(left: Mapping, right: Mapping, how: Combining): Mapping {
  const merged = new Map(entries(left));
  for (const [key, item] of entries(right)) merged.set(key, mergeItem(merged.get(key), item, how));
  return Object.fromEntries(merged);
}

function mergeItem(left: PythonValue | undefined, right: PythonValue, how: Combining): PythonValue {
  if (left === undefined) return right;
  if (isMapping(left) && isMapping(right)) return how.isRecursive ? merge(left, right, how) : right;
  if (!isList(left) || !isList(right)) return right;
  const join = LIST_MERGES.get(how.listMerge);
  if (join === undefined)
    throw new Error(`list_merge '${how.listMerge}' is none of ${[...LIST_MERGES.keys()].join(', ')}`);
  return join(left, right);
}
