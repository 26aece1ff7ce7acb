import type { RemoteDetails } from '../model/errors.js';

/** What to do after reading some of sudo's stderr. */
export type SudoStep = 'wait' | 'send-password' | 'granted' | 'wrong-password' | 'too-much';

/** What sudo and what is before it (PAM, banners of the login shell) may print before it lets the command in. */
const SUDO_LIMIT_BYTES = 16 * 1024;

/** Follows what sudo prints on stderr until it lets the command in. */
export interface SudoWatch {
  /** Takes the next piece of stderr; asked no more after `granted`, `wrong-password`, `too-much`. */
  read(chunk: Buffer): SudoStep;
  /** All that sudo said, without prompts. */
  said(): string;
  /** What the command itself printed behind the word of grant. */
  rest(): Buffer;
}

/**
 * Makes a {@link SudoWatch}. The password may be sent only on the prompt, and the command's stdin only when granted:
 * for a NOPASSWD user sudo asks nothing, and a password sent ahead would be read by the command.
 * @param prompt what sudo was asked to prompt with; random, so that nothing else prints it
 * @param granted the line that is printed once sudo has let the command in
 */
export function watchSudo(prompt: string, granted: string): SudoWatch {
  let text = Buffer.alloc(0);
  let prompts = 0;
  const grant = Buffer.from(`${granted}\n`);
  return {
    read(chunk) {
      text = Buffer.concat([text, chunk]);
      if (text.includes(grant)) return 'granted';
      if (text.length > SUDO_LIMIT_BYTES) return 'too-much';
      const seen = text.toString('latin1').split(prompt).length - 1;
      if (seen === prompts) return 'wait';
      prompts = seen;
      return seen === 1 ? 'send-password' : 'wrong-password';
    },
    said() {
      const end = text.indexOf(grant);
      return (end < 0 ? text : text.subarray(0, end)).toString('utf8').replaceAll(prompt, '').trim();
    },
    rest() {
      const start = text.indexOf(grant);
      return start < 0 ? Buffer.alloc(0) : text.subarray(start + grant.length);
    },
  };
}

/** Why sudo did not let a command in: what is wrong, and what helps. */
type Refusal = Pick<RemoteDetails, 'code' | 'message' | 'hint'>;

/** sudo's own messages in the C locale (plugins/sudoers/check.c, auth/sudo_auth.c, logging.c; src/exec.c). */
const REFUSALS: readonly (readonly [RegExp, (user: string) => Refusal])[] = [
  [
    /incorrect password|try again/i,
    () => ({
      code: 'become-password-wrong',
      message: 'sudo refuses the become password',
      hint: 'check ansible_become_password, or give the password with --ask-become-pass',
    }),
  ],
  [
    /password is required|terminal is required/i,
    () => ({
      code: 'become-password-missing',
      message: 'sudo wants a password, and none is set',
      hint: 'set ansible_become_password, or run again with --ask-become-pass',
    }),
  ],
  [
    /must have a tty/i,
    () => ({
      code: 'become-needs-tty',
      message: 'sudo works only on a terminal there (requiretty)',
      hint: 'add to its sudoers: Defaults:USER !requiretty (USER is the login user)',
    }),
  ],
  [
    /not in the sudoers|not allowed to|may not run/i,
    (user) => ({
      code: 'become-refused',
      message: `the login user may not become ${user} with sudo`,
      hint: 'allow it on the host: visudo, or add the user to the group sudo',
    }),
  ],
  [
    /unknown user/i,
    (user) => ({
      code: 'become-refused',
      message: `there is no user ${user} there`,
      hint: 'check ansible_become_user',
    }),
  ],
  [
    /sudo.*(not found|No such file)/i,
    () => ({
      code: 'become-no-sudo',
      message: 'sudo is not installed there',
      hint: 'log in as root and leave out ansible_become, or install sudo',
    }),
  ],
];

/**
 * Names the reason why sudo did not let a command in.
 * @param said what sudo printed
 * @param user whom to become
 */
export function explainRefusal(said: string, user: string): Refusal {
  const known = REFUSALS.find(([pattern]) => pattern.test(said));
  if (known !== undefined) return known[1](user);
  return { code: 'become-failed', message: `sudo failed${said === '' ? '' : `: ${said}`}` };
}
