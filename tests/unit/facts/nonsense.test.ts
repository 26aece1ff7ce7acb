import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { createLook } from '../../../src/facts/batched-probe.js';
import { RemoteError } from '../../../src/model/errors.js';
import { outputOf, type Fact } from '../../../src/model/remote.js';

const DIRECTORY = new URL('../../../src/facts/', import.meta.url);
/** Stands for what the host keeps to itself. */
const CANARY = 'secret-canary';
/** Read as a key of any fact: a path, a name, or a list of those. */
const KEY = '["https://a:1","/b","/c","/d"]';

const NONSENSE: Readonly<Record<string, string>> = {
  nothing: '',
  'a greeting': `Welcome ${CANARY}\n`,
  'an escape sequence': `\u001b]52;c;cm0=\u0007\u009d${CANARY}\u202e\n`,
  'letters of frames, and no JSON': `D data\nS [{\nM }\nE\nS ok raftIndex ${CANARY}\nH ok\nM ok {\nA ok {\nQ\nC 0 eHh4\n`,
  'JSON of another shape': 'D data\nS [null]\nM 7\nE\nS ok [{"raftIndex":1}]\nH ok\nM ok []\nA ok null\n',
  'one long line': `${CANARY}${'x'.repeat(100_000)}`,
};

function isFact(value: unknown): value is Fact<unknown> {
  return typeof value === 'object' && value !== null && 'parse' in value && 'script' in value && 'name' in value;
}

let facts: readonly Fact<unknown>[];

beforeAll(async () => {
  const found: Fact<unknown>[] = [];
  // One after the other: jest's modules can't be loaded by two at once.
  for (const name of readdirSync(DIRECTORY).filter((file) => file.endsWith('.ts'))) {
    const module = (await import(new URL(name, DIRECTORY).href)) as Readonly<Record<string, unknown>>;
    found.push(...Object.values(module).filter(isFact));
  }
  facts = found;
});

function ask(fact: Fact<unknown>, answer: string): Promise<unknown> {
  const send = (): Promise<ReturnType<typeof outputOf>> => Promise.resolve(outputOf(0, `${answer}\ntoken 0\n`));
  return createLook({ send, token: () => 'token' })
    .probe('one')
    .ask(fact, KEY)
    .catch((error: unknown) => error);
}

describe.each(Object.entries(NONSENSE))('a host that answers with %s', (_, answer) => {
  test('every fact reads it, or says that it is about this fact of this host', async () => {
    for (const fact of facts) {
      const outcome = await ask(fact, answer);
      if (!(outcome instanceof Error)) continue;
      expect(outcome).toBeInstanceOf(RemoteError);
      expect(outcome).toMatchObject({ code: 'look-failed', host: 'one', command: `fact ${fact.name}` });
      expect(outcome.message).toMatch(
        /^one: fact [a-z-]+: the answer can't be read: (?:it is empty|".*"(?:… \(\d+ bytes\))?|\d+ bytes, not shown because .*)$/,
      );
      expect(outcome.message).toMatch(/^[\u0020-\u007e…]{1,500}$/);
      if (fact.isConfidential) expect(outcome.message).not.toContain(CANARY);
    }
  });
});

test('the control: there are facts that can not read a greeting, and the error of one that is not confidential shows it', async () => {
  const outcomes = await Promise.all(facts.map((fact) => ask(fact, NONSENSE['a greeting'] ?? '')));
  const errors = outcomes.filter((outcome) => outcome instanceof Error);
  expect(facts.length).toBeGreaterThan(25);
  expect(errors.length).toBeGreaterThan(5);
  expect(errors.map(({ message }) => message)).toContainEqual(expect.stringContaining(`"Welcome ${CANARY}`));
});

test('one fact that can not be read leaves the others of the same exec as they are', async () => {
  const fact = (name: string, parse: Fact<string>['parse']): Fact<string> => ({ name, script: () => '', parse });
  const send = (): Promise<ReturnType<typeof outputOf>> => Promise.resolve(outputOf(0, 'a\ntoken 0\nb\ntoken 0\n'));
  const probe = createLook({ send, token: () => 'token' }).probe('one');
  const [bad, good] = await Promise.allSettled([
    probe.ask(
      fact('bad', () => JSON.parse('{') as never),
      'key',
    ),
    probe.ask(
      fact('good', (stdout, keys) => new Map(keys.map((key) => [key, stdout]))),
      'key',
    ),
  ]);
  expect(bad).toMatchObject({ status: 'rejected', reason: { command: 'fact bad' } });
  expect(good).toMatchObject({ status: 'fulfilled', value: expect.stringContaining('b') });
});
