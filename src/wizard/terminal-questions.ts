import { ProvisionError } from '../model/errors.js';
import type { Questions } from '../model/questions.js';
import { Secret } from '../model/secret.js';
import { cancellable, requireTerminal, type Terminal } from './terminal.js';

/** How often a new passphrase may be typed in two ways before the question ends. */
const ATTEMPTS = 3;

/** Questions on a terminal. @throws ProvisionError `no-terminal`, `cancelled` */
export function terminalQuestions(terminal: Terminal): Questions {
  return {
    secret: (question) => askSecret(terminal, question, 'run it on a terminal, or put the password into the inventory'),
    async passphrase(question, kind) {
      const way = 'give --passphrase-file, or set PROVISION_CA_PASSPHRASE';
      for (let left = ATTEMPTS - 1; ; left -= 1) {
        const again = left === ATTEMPTS - 1 ? question : `They differ. ${question}`;
        const first = await askSecret(terminal, again, way, "the CA's passphrase");
        if (kind === 'existing') return first;
        const second = await askSecret(terminal, 'Repeat the passphrase', way);
        if (first.reveal() === second.reveal()) return first;
        if (left === 0) throw new ProvisionError({ code: 'passphrases-differ', message: 'the two passphrases differ' });
      }
    },
    async typed(question, otherWay) {
      requireTerminal(terminal, otherWay);
      const { input } = await import('./prompts.js');
      return cancellable(() => input({ message: question }, terminal));
    },
    async confirm(question) {
      requireTerminal(terminal, 'give --yes; to `apply`, a saved plan is consent, too: --plan FILE');
      const { confirm } = await import('./prompts.js');
      return cancellable(() => confirm({ message: question, default: false }, terminal));
    },
  };
}

async function askSecret(terminal: Terminal, question: string, otherWay: string, what?: string): Promise<Secret> {
  requireTerminal(terminal, otherWay, what);
  const { password } = await import('./prompts.js');
  return new Secret(await cancellable(() => password({ message: question, mask: '*' }, terminal)));
}
