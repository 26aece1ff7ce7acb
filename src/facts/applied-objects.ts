import type { Fact } from '../model/remote.js';
import { askAppliedObjects, askObject } from '../shell/apply-manifest.js';

/** By what an object of Kubernetes is found. */
export interface AppliedObject {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty: its manifest names none. */
  readonly namespace: string;
  readonly name: string;
}

/** The objects that were applied, by the list that is kept of them in the cluster; absent: there is none. A failed question is an error. */
export const appliedObjects: Fact<readonly AppliedObject[] | undefined> = {
  name: 'applied-objects',
  script: (keys) => keys.map(() => askAppliedObjects()).join('\n'),
  parse(stdout, keys) {
    const lines = stdout.split('\n');
    return new Map(keys.map((key, index) => [key, readList(lines[index] ?? '')]));
  },
};

/** The only key of {@link appliedObjects}. */
export const NETWORK_OBJECTS = 'network';

/** An object as the API server has it: `ours` where this program applied it, and is among those that set its fields. */
export type LiveObject = 'absent' | 'ours' | 'others' | 'unknown';

/** Key: {@link objectKey}. */
export const liveObject: Fact<LiveObject> = {
  name: 'live-objects',
  script: (keys) => keys.map((key) => askObject(fieldsOf(key))).join('\n'),
  parse(stdout, keys) {
    const lines = stdout.split('\n');
    return new Map(keys.map((key, index) => [key, readLive(lines[index] ?? '')]));
  },
};

/** An object as a line of the list, without what could end it: names of Kubernetes have none of that. */
export function objectKey({ apiVersion, kind, namespace, name }: AppliedObject): string {
  return [apiVersion, kind, namespace === '' ? '-' : namespace, name].join(' ');
}

function fieldsOf(line: string): AppliedObject {
  const [apiVersion = '', kind = '', namespace = '', name = ''] = line.split(' ');
  return { apiVersion, kind, namespace: namespace === '-' ? '' : namespace, name };
}

const WORD = /^[A-Za-z0-9][A-Za-z0-9._:/-]*$/;

/** Whatever stands in the list is of others: what is no name of Kubernetes is passed over. */
function objectIn(line: string): AppliedObject | undefined {
  const [apiVersion = '', kind = '', namespace = '', name = '', ...rest] = line.split(' ');
  const isOne =
    [apiVersion, kind, name].every((word) => WORD.test(word)) && /^(?:-|[a-z0-9][a-z0-9-]*)$/.test(namespace);
  if (!isOne || rest.length > 0) return undefined;
  return { apiVersion, kind, namespace: namespace === '-' ? '' : namespace, name };
}

/** What kubectl printed, and what it said beside that. */
interface Said {
  readonly isDone: boolean;
  readonly out: string;
  readonly beside: string;
}

function readSaid(line: string): Said | undefined {
  const [, status, out = '', beside = ''] = /^(\d+) ([A-Za-z0-9+/=]*) ([A-Za-z0-9+/=]*)$/.exec(line) ?? [];
  const text = (encoded: string): string => Buffer.from(encoded, 'base64').toString('utf8').trim();
  return status === undefined ? undefined : { isDone: status === '0', out: text(out), beside: text(beside) };
}

function readList(line: string): readonly AppliedObject[] | undefined {
  const said = readSaid(line);
  if (said?.isDone !== true) throw new Error('the list of applied objects could not be read');
  return said.out === '' ? undefined : said.out.split('\n').flatMap((each) => objectIn(each) ?? []);
}

/** All that kubectl says where a kind is gone. While an API server can't tell all of its kinds, it says that beside this. */
const NO_SUCH_KIND = /^error: the server doesn't have a resource type "[^"\n]*"$/;

function readLive(line: string): LiveObject {
  const said = readSaid(line);
  if (said === undefined) throw new Error('an object has no answer');
  const { isDone, out, beside } = said;
  // Its kind went, and it with that.
  if (!isDone) return out === '' && NO_SUCH_KIND.test(beside) ? 'absent' : 'unknown';
  if (out === '') return 'absent';
  return out.split(' ').includes('provision/Apply') ? 'ours' : 'others';
}
