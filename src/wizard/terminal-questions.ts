import { ProvisionError } from '../model/errors.js';
import type { Questions } from '../model/questions.js';
import { Secret } from '../model/secret.js';

/** The terminal that questions are asked on; stdout stays free for what the verb prints. */
export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

/** Questions on a terminal. @throws ProvisionError `no-terminal`, `cancelled` */
export function terminalQuestions(terminal: Terminal): Questions {
  return {
    secret: (question) => askSecret(terminal, question, 'run it on a terminal, or put the password into the inventory'),
    async passphrase(question, kind) {
      const way = 'give --passphrase-file, or set PROVISION_CA_PASSPHRASE';
      const first = await askSecret(terminal, question, way);
      if (kind === 'existing') return first;
      const second = await askSecret(terminal, 'The same again', way);
      if (first.reveal() === second.reveal()) return first;
      throw new ProvisionError({
        code: 'passphrases-differ',
        message: 'the two passphrases differ',
        hint: 'try again',
      });
    },
    async confirm(question) {
      requireTerminal(terminal, 'give --yes, or apply a saved plan: --plan FILE');
      const { confirm } = await import('@inquirer/prompts');
      return translateCancel(() => confirm({ message: question, default: false }, terminal));
    },
  };
}

async function askSecret(terminal: Terminal, question: string, otherWay: string): Promise<Secret> {
  requireTerminal(terminal, otherWay);
  const { password } = await import('@inquirer/prompts');
  return new Secret(await translateCancel(() => password({ message: question, mask: '*' }, terminal)));
}

/** inquirer tells Ctrl-C and a missing terminal alike: so the terminal is looked at first. */
function requireTerminal({ input, output }: Terminal, otherWay: string): void {
  if (input.isTTY && output.isTTY) return;
  throw new ProvisionError({ code: 'no-terminal', message: 'there is no terminal to ask on', hint: otherWay });
}

async function translateCancel<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ExitPromptError') throw error;
    throw new ProvisionError({ code: 'cancelled', message: 'cancelled: nothing was changed', cause: error });
  }
}
