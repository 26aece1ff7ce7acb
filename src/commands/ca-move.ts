import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { quote } from '../shell/quote.js';
import type { AuthorityTransfer } from '../pki/authority-export.js';
import type { Context } from './context.js';

/** Where the passphrases of a move come from. */
export interface MoveOptions {
  readonly passphraseFile?: string;
  readonly exportPassphraseFile?: string;
}

interface ExportOptions extends MoveOptions {
  readonly output: string;
}

/** As both verbs have it. */
export const EXPORT_PASSPHRASE = [
  '--export-passphrase-file <file>',
  'the passphrase of the exported file; otherwise it is asked for',
] as const;

/** `provision ca export STORE`: the authority in one encrypted file, for another machine. */
export function addCaExportCommand(ca: Command, context: Context): void {
  ca.command('export')
    .description(
      'write the authority and its key into one file, encrypted with a passphrase of its own, for another machine',
    )
    .argument('<store>', 'the PKI store, as for `ca show`')
    .requiredOption('-o, --output <file>', 'where to; no file is replaced')
    .option('--passphrase-file <file>', 'the passphrase of the stored key (or set PROVISION_CA_PASSPHRASE)')
    .option(...EXPORT_PASSPHRASE)
    .action(async (store: string, options: ExportOptions) => {
      const { exportAuthority } = await import('../pki/authority-export.js');
      const transfer = await transferOf({ store, file: options.output }, options, context);
      const { isRotating } = await exportAuthority(transfer);
      context.stdout.write(`${whatNow(transfer, isRotating)}\n`);
    });
}

/** Makes a store of an exported authority. */
export async function importExportedAuthority(
  { store, file }: { readonly store: string; readonly file: string },
  options: MoveOptions,
  context: Context,
): Promise<void> {
  const { importExported } = await import('../pki/authority-export.js');
  const transfer = await transferOf({ store, file }, options, context);
  const { isRotating } = await importExported(transfer);
  const lines = [
    `The authority is in ${transfer.directory}; its key is encrypted there.`,
    ...(isRotating ? ['It is in the middle of a rotation, which goes on here: provision ca rotate INVENTORY'] : []),
    'A plan of its cluster should have nothing to do: provision plan INVENTORY',
    `Then remove ${quote(transfer.file)}, and the key on the machine that it came from.`,
  ];
  context.stdout.write(`${lines.join('\n')}\n`);
}

async function transferOf(
  { store, file }: { readonly store: string; readonly file: string },
  { passphraseFile, exportPassphraseFile }: MoveOptions,
  context: Context,
): Promise<AuthorityTransfer> {
  const { passphraseSource } = await import('../pki/passphrase.js');
  const ask: Context['ask']['passphrase'] = (...asked) => context.ask.passphrase(...asked);
  return {
    directory: resolve(store),
    file: resolve(file),
    stored: passphraseSource({ file: passphraseFile, env: context.env, ask }),
    // Another one than that of the store, which the environment has.
    travelling: passphraseSource({ file: exportPassphraseFile, env: {}, ask }),
    now: new Date(),
    suffix: randomBytes(6).toString('hex'),
  };
}

/** Two machines with the key are two that can sign, and of two that rotate one is wrong. */
function whatNow({ directory, file }: AuthorityTransfer, isRotating: boolean): string {
  const key = quote(join(directory, 'ca.key.age'));
  return [
    `${file} holds the authority of ${directory} and its key, encrypted with its own passphrase.`,
    'On the other machine, with the same inventory: provision ca import STORE --exported FILE',
    'Requests that wait for an external CA, and former authorities, stay here.',
    ...(isRotating
      ? [
          'A rotation is in progress: go on with it there, never on both machines.',
          `When a plan there has nothing to do, move this store out of use: mv ${quote(directory)} ${quote(`${directory}.moved`)}`,
        ]
      : [
          `When a plan there has nothing to do, remove the key here: rm ${key}`,
          'Without it this machine plans and verifies, and signs nothing.',
        ]),
    `Remove ${quote(file)} on both sides; keep a backup of the other machine's store.`,
  ].join('\n');
}
