import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { actionSchema, type ActionJson } from '../../../src/engine/action-schema.js';
import { actionsToJson } from '../../../src/engine/action-json.js';
import { type Action } from '../../../src/model/action.js';
import { AUTHORITY_MOVES } from '../../../src/model/authority-move.js';
import { plainContent } from '../../../src/model/content.js';
import { NODE_PRODUCTS } from '../../../src/model/kubernetes.js';
import { Secret } from '../../../src/model/secret.js';
import { SERVER_PROFILE } from '../../support/test-authority.js';

const ROOT = { owner: 'root', group: 'root', mode: '0644' } as const;
const command = { summary: 's', script: 'x', stdin: 'in', timeoutMs: 5 };
const AUTHORITY = { commonName: 'ca', days: 1, keyType: 'ecdsa-p256' } as const;
const ETCD = { version: '3.5.16', sha256: 'ab', source: '/srv/etcd.tar.gz', fetch: 'control' } as const;

/** What a text is in a plan. */
function digest(text: string): { readonly sha256: string; readonly bytes: number } {
  return { sha256: createHash('sha256').update(text).digest('hex'), bytes: Buffer.byteLength(text) };
}

const COMMAND = { summary: 's', script: 'x', stdin: digest('in'), timeoutMs: 5 };

/** Each kind of action with all that it may say, and what a plan says of it. */
const CASES: { readonly [K in Action['kind']]: readonly [Extract<Action, { kind: K }>, object] } = {
  'write-file': [
    {
      ...{ kind: 'write-file', path: '/p', ...ROOT, content: plainContent('a\n'), validate: 'v' },
      ...{ validateMs: 7, stagingDirectory: '/stage' },
    },
    { kind: 'write-file', path: '/p', ...ROOT, content: digest('a\n'), validate: 'v', stagingDirectory: '/stage' },
  ],
  'remove-file': [
    { kind: 'remove-file', path: '/p' },
    { kind: 'remove-file', path: '/p' },
  ],
  'make-directory': [
    { kind: 'make-directory', path: '/p', ...ROOT },
    { kind: 'make-directory', path: '/p', ...ROOT },
  ],
  run: [
    { kind: 'run', command, undo: { summary: 'u', script: 'y' } },
    {
      ...{ kind: 'run', command: COMMAND, lasting: null },
      undo: { summary: 'u', script: 'y', stdin: null, timeoutMs: null },
    },
  ],
  'run-on': [
    { kind: 'run-on', on: 'b', command, lasting: 'l' },
    { kind: 'run-on', on: 'b', command: COMMAND, lasting: 'l' },
  ],
  'run-on-each': [
    { kind: 'run-on-each', hosts: ['b', 'c'], command, next: 'n' },
    { kind: 'run-on-each', hosts: ['b', 'c'], command: COMMAND, next: 'n' },
  ],
  'reboot-host': [{ kind: 'reboot-host' }, { kind: 'reboot-host' }],
  'create-authority': [
    { kind: 'create-authority', profile: AUTHORITY },
    { kind: 'create-authority', profile: AUTHORITY },
  ],
  'move-authority': [
    { kind: 'move-authority', to: 'finish', profile: AUTHORITY },
    { kind: 'move-authority', to: 'finish', profile: AUTHORITY },
  ],
  'keep-secret': [
    { kind: 'keep-secret', name: 'keepalived-auth-pass' },
    { kind: 'keep-secret', name: 'keepalived-auth-pass' },
  ],
  'save-snapshot': [
    { kind: 'save-snapshot', per: 'run' },
    { kind: 'save-snapshot', per: 'run' },
  ],
  'send-release': [
    { kind: 'send-release', release: { ...ETCD, query: new Secret('?t=x') }, command },
    { kind: 'send-release', release: ETCD, command: COMMAND },
  ],
  'issue-certificate': [
    {
      ...{ kind: 'issue-certificate', certificate: 'c', profile: SERVER_PROFILE, ...ROOT },
      destination: { layout: 'pair', certificatePath: '/c', keyPath: '/k' },
    },
    {
      ...{ kind: 'issue-certificate', certificate: 'c', profile: SERVER_PROFILE, ...ROOT },
      destination: { layout: 'pair', certificatePath: '/c', keyPath: '/k' },
    },
  ],
  'install-trust': [
    { kind: 'install-trust', path: '/p', ...ROOT },
    { kind: 'install-trust', path: '/p', ...ROOT },
  ],
  'join-kubernetes': [
    {
      ...{ kind: 'join-kubernetes', through: 'b', invitation: command, join: { ...command, script: 'j' } },
      ...{ revocation: { ...command, script: 'r' }, configuration: { invitation: 'i', join: 'jj' } },
    },
    {
      ...{ kind: 'join-kubernetes', through: 'b', invitation: COMMAND, join: { ...COMMAND, script: 'j' } },
      revocation: { ...COMMAND, script: 'r' },
      configuration: { invitation: digest('i'), join: digest('jj') },
    },
  ],
  await: [
    { kind: 'await', gate: 'g', parameters: { a: 1 } },
    { kind: 'await', gate: 'g', parameters: { a: 1 } },
  ],
};

const change = { summary: 's', diff: [], effect: 'change', disruptive: false } as const;
const jsonOf = (action: Action): ActionJson | undefined => actionsToJson({ ...change, actions: [action] })[0];

/** Others of a kind, which differ in what the schema tells apart. */
const OTHERS: readonly (readonly [Action, object])[] = [
  ...NODE_PRODUCTS.map((product): readonly [Action, object] => [
    { kind: 'send-release', release: { product, source: 's', sha256: 'ab' }, command },
    { kind: 'send-release', release: { product, source: 's', sha256: 'ab' }, command: COMMAND },
  ]),
  [
    { kind: 'send-release', release: { ...ETCD, fetch: 'host' }, command },
    { kind: 'send-release', release: { ...ETCD, fetch: 'host' }, command: COMMAND },
  ],
  ...AUTHORITY_MOVES.map((to): readonly [Action, object] => [
    { kind: 'move-authority', to, profile: AUTHORITY },
    { kind: 'move-authority', to, profile: AUTHORITY },
  ]),
  [
    { kind: 'save-snapshot', per: 'change' },
    { kind: 'save-snapshot', per: 'change' },
  ],
  [
    { ...CASES['issue-certificate'][0], destination: { layout: 'bundle', path: '/b' } },
    { ...CASES['issue-certificate'][1], destination: { layout: 'bundle', path: '/b' } },
  ],
  [
    { kind: 'run', command: { summary: 's', script: 'x', stdin: new Secret('planted') }, undo: { lasting: 'l' } },
    { kind: 'run', command: { ...COMMAND, stdin: 'secret', timeoutMs: null }, undo: null, lasting: 'l' },
  ],
  [
    { kind: 'run', command: { summary: 's', script: 'x', stdin: new Uint8Array([97]) }, undo: 'nothing' },
    { kind: 'run', command: { ...COMMAND, stdin: digest('a'), timeoutMs: null }, undo: null, lasting: null },
  ],
  [
    { kind: 'write-file', path: '/p', ...ROOT, content: plainContent('') },
    { kind: 'write-file', path: '/p', ...ROOT, content: digest(''), validate: null, stagingDirectory: null },
  ],
];

const ALL: readonly (readonly [Action, object])[] = [...Object.values(CASES), ...OTHERS];

test.each(ALL.map(([action, json]) => ({ kind: action.kind, action, json })))(
  '$kind is in a plan as it is read back: $json',
  ({ action, json }) => {
    expect(jsonOf(action)).toEqual(json);
    expect(actionSchema.parse(JSON.parse(JSON.stringify(json)))).toEqual(json);
  },
);

/** The ways to all properties of an object, and of those in it. */
function waysIn(value: unknown): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [[key], ...waysIn(inner).map((way) => [key, ...way])]);
}

function changedAt(value: object, [key = '', ...way]: readonly string[], to: 'missing' | 'more'): object {
  const inner = (value as Readonly<Record<string, unknown>>)[key];
  if (way.length > 0 && typeof inner === 'object' && inner !== null)
    return { ...value, [key]: changedAt(inner, way, to) };
  return to === 'more'
    ? { ...value, more: 1 }
    : Object.fromEntries(Object.entries(value).filter(([each]) => each !== key));
}

/** A profile and what a gate is given have names of their own; of a release, each kind has its part. */
const isFree = (way: readonly string[]): boolean =>
  (/^(?:profile|parameters)$/.test(way[0] ?? '') && way.length > 1) ||
  /^release (?:product|version|fetch)$/.test(way.join(' '));

describe('a plan of others is refused where', () => {
  test.each(Object.values(CASES).map(([{ kind }, json]) => ({ kind, json })))(
    '$kind is missing a property',
    ({ json }) => {
      for (const way of waysIn(json).filter((each) => !isFree(each)))
        expect([way, actionSchema.safeParse(changedAt(json, way, 'missing')).success]).toEqual([way, false]);
    },
  );

  test.each(Object.values(CASES).map(([{ kind }, json]) => ({ kind, json })))('$kind has one more', ({ json }) => {
    for (const way of waysIn(json).filter((each) => !isFree(each)))
      expect([way, actionSchema.safeParse(changedAt(json, way, 'more')).success]).toEqual([way, false]);
  });
});
