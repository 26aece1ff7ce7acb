import { PassThrough } from 'node:stream';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { render } from '@inquirer/testing';
import type { Questions } from '../../../src/model/questions.js';
import type { Terminal } from '../../../src/wizard/terminal.js';
import { everShown } from '../../support/person.js';
import { terminalQuestions } from '../../../src/wizard/terminal-questions.js';

const PLANTED = 'correct-horse-planted';

/** A person before a terminal, who is asked something. */
function asked<T>(question: (questions: Questions) => Promise<T>) {
  return render((_: object, context) => {
    const terminal = context as Terminal;
    // A terminal stays open after a question; the test's output would be closed by it.
    terminal.output.end = () => terminal.output;
    Object.assign(terminal.input, { isTTY: true });
    Object.assign(terminal.output, { isTTY: true });
    return question(terminalQuestions(terminal));
  }, {});
}

type Person = Awaited<ReturnType<typeof asked>>;

async function type(person: Person, seen: string, text: string): Promise<void> {
  while (!person.getScreen().includes(seen)) await person.nextRender();
  person.events.type(text);
  person.events.keypress('enter');
}

describe('terminalQuestions', () => {
  test('a secret is not shown while it is typed', async () => {
    const person = await asked((questions) => questions.secret('sudo password'));
    await type(person, 'sudo password', PLANTED);
    const secret = await person.answer;
    expect(secret.reveal()).toBe(PLANTED);
    const shown = await everShown(person);
    expect(shown).toContain('sudo password');
    expect(shown).not.toContain(PLANTED);
    expect(inspect(secret)).toBe('[redacted]');
  });

  test('an existing passphrase is asked for once', async () => {
    const person = await asked((questions) => questions.passphrase('Passphrase of ca.key.age', 'existing'));
    await type(person, 'Passphrase of ca.key.age', PLANTED);
    expect((await person.answer).reveal()).toBe(PLANTED);
  });

  test.each([
    ['the same', PLANTED],
    ['another', 'battery-staple'],
  ])('a new passphrase is asked for twice; the second is %s', async (_, second) => {
    const person = await asked((questions) => questions.passphrase('New passphrase', 'new'));
    const answer = person.answer.then(
      (secret) => secret.reveal(),
      (error: unknown) => error,
    );
    await type(person, 'New passphrase', PLANTED);
    await type(person, 'Repeat the passphrase', second);
    if (second === PLANTED) {
      expect(await answer).toBe(PLANTED);
      return;
    }
    await type(person, 'They differ. New passphrase', PLANTED);
    await type(person, 'Repeat the passphrase', PLANTED);
    expect(await answer).toBe(PLANTED);
  });

  test('a new passphrase that differs three times ends the question', async () => {
    const person = await asked((questions) => questions.passphrase('New passphrase', 'new'));
    const answer = person.answer.then(
      () => undefined,
      (error: unknown) => error,
    );
    for (const question of ['New passphrase', 'They differ. New passphrase', 'They differ. New passphrase']) {
      await type(person, question, PLANTED);
      await type(person, 'Repeat the passphrase', 'battery-staple');
    }
    expect(await answer).toMatchObject({ code: 'passphrases-differ' });
  });

  test.each([
    ['y', true],
    ['n', false],
    ['', false],
  ])('yes or no: %j is %p', async (typed, expected) => {
    const person = await asked((questions) => questions.confirm('Perform these 3 changes?'));
    await type(person, 'Perform these 3 changes?', typed);
    expect(await person.answer).toBe(expected);
  });

  test.each([
    ['secret', (questions: Questions) => questions.secret('sudo password'), 'terminal'],
    ['passphrase', (questions: Questions) => questions.passphrase('New passphrase', 'new'), '--passphrase-file'],
    ['confirm', (questions: Questions) => questions.confirm('Go?'), '--yes'],
    ['typed', (questions: Questions) => questions.typed('Type x', 'give --yes --confirm x'), 'give --yes --confirm x'],
  ])('without a terminal, %s names the other way', async (_, ask, way) => {
    const nowhere = terminalQuestions({ input: new PassThrough(), output: new PassThrough() });
    await expect(ask(nowhere)).rejects.toMatchObject({ code: 'no-terminal', hint: expect.stringContaining(way) });
  });
});
