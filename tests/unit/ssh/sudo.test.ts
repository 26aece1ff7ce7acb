import { describe, expect, test } from '@jest/globals';
import { explainRefusal, watchSudo, type SudoStep } from '../../../src/ssh/sudo.js';

const PROMPT = 'prompt-0123';
const GRANTED = 'granted-4567';

function steps(...chunks: readonly string[]): readonly SudoStep[] {
  const watch = watchSudo(PROMPT, GRANTED);
  return chunks.map((chunk) => watch.read(Buffer.from(chunk)));
}

describe('what to do when sudo prints', () => {
  test.each<[string, readonly string[], readonly SudoStep[]]>([
    ['a prompt, then the grant', [PROMPT, `${GRANTED}\n`], ['send-password', 'granted']],
    ['the grant at once (NOPASSWD)', [`${GRANTED}\n`], ['granted']],
    ['a prompt in pieces', ['prom', 'pt-01', '23'], ['wait', 'wait', 'send-password']],
    ['the grant in pieces', ['granted', '-4567', '\n'], ['wait', 'wait', 'granted']],
    ['a lecture, then the prompt', ['We trust you …\n', PROMPT], ['wait', 'send-password']],
    ['the prompt again', [PROMPT, 'Sorry, try again.\n', PROMPT], ['send-password', 'wait', 'wrong-password']],
    ['a warning after the prompt', [PROMPT, 'sudo: unable to resolve host x\n'], ['send-password', 'wait']],
    ['the word of grant inside another line', [`${GRANTED}x\n`], ['wait']],
  ])('%s', (_, chunks, expected) => {
    expect(steps(...chunks)).toEqual(expected);
  });
});

test('keeps what the command printed apart from what sudo said', () => {
  const watch = watchSudo(PROMPT, GRANTED);
  expect(watch.rest()).toEqual(Buffer.alloc(0));
  watch.read(Buffer.from(`sudo: unable to resolve host x\n${PROMPT}`));
  // Before the grant, too: that is all there is where it refuses.
  expect(watch.said()).toBe('sudo: unable to resolve host x');
  watch.read(Buffer.from(`${GRANTED}\nfirst line of the command`));
  expect(watch.said()).toBe('sudo: unable to resolve host x');
  expect(watch.rest().toString()).toBe('first line of the command');
});

test.each([
  ['Sorry, try again.', 'become-password-wrong'],
  ['sudo: 1 incorrect password attempt', 'become-password-wrong'],
  // What sudo says in the end of a wrong one, too.
  ['Sorry, try again.\nsudo: no password was provided\nsudo: a password is required', 'become-password-wrong'],
  ['sudo: a password is required', 'become-password-missing'],
  ['sudo: a terminal is required to read the password; either use the -S option', 'become-password-missing'],
  ['sudo: sorry, you must have a tty to run sudo', 'become-needs-tty'],
  ['ops is not in the sudoers file.', 'become-refused'],
  ['Sorry, user ops is not allowed to execute /bin/sh as root on etcd-1.', 'become-refused'],
  ['Sorry, user ops may not run sudo on etcd-1.', 'become-refused'],
  ['sudo: unknown user nobodyhere', 'become-refused'],
  ["env: 'sudo': No such file or directory", 'become-no-sudo'],
  ['sudo: something new', 'become-failed'],
])('%j is %s', (said, code) => {
  expect(explainRefusal(said, 'root').code).toBe(code);
});

test('a reason that is not known is passed on in its own words', () => {
  expect(explainRefusal('sudo: something new', 'root').message).toBe('sudo failed: sudo: something new');
});
