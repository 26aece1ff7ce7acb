import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { ProvisionError } from '../model/errors.js';
import { fileReason } from '../model/file-reason.js';
import type { WritableStore } from '../pki/store.js';
import { addCaExportCommand, EXPORT_PASSPHRASE, importExportedAuthority, type MoveOptions } from './ca-move.js';
import { addCaRequestCommand } from './ca-request.js';
import { addCaRotateCommand } from './ca-rotate.js';
import type { Context } from './context.js';

interface ImportOptions extends MoveOptions {
  readonly certificate?: string;
  readonly key?: string;
  readonly exported?: string;
}

interface PassphraseOptions {
  readonly passphraseFile?: string;
  readonly newPassphraseFile?: string;
}

/** `provision ca show|import|export|passphrase STORE`, `provision ca request|rotate INVENTORY`: the certificate authority, and what it signs. */
export function defineCaCommand(ca: Command, context: Context): void {
  ca.command('show')
    .description('show the authority and when it expires; needs no passphrase')
    .argument('<store>', 'the PKI store: the directory `pki` beside the inventory, or etcd_pki_store')
    .action(async (store: string) => {
      const { describeAuthority } = await import('../pki/describe-authority.js');
      context.stdout.write(describeAuthority(await open(store, context, undefined), new Date()));
    });
  addCaImportCommand(ca, context);
  ca.command('passphrase')
    .description("change the passphrase of the authority's key")
    .argument('<store>', 'the PKI store, as for `ca show`')
    .option('--passphrase-file <file>', 'the passphrase that it has (or set PROVISION_CA_PASSPHRASE)')
    .option('--new-passphrase-file <file>', 'the new one; otherwise it is asked for')
    .action(async (store: string, options: PassphraseOptions) => {
      const { changePassphrase } = await import('../pki/change-passphrase.js');
      const { passphraseSource } = await import('../pki/passphrase.js');
      const ask: Context['ask']['passphrase'] = (...asked) => context.ask.passphrase(...asked);
      const files = await changePassphrase({
        directory: resolve(store),
        old: passphraseSource({ file: options.passphraseFile, env: context.env, ask }),
        wanted: passphraseSource({ file: options.newPassphraseFile, env: {}, ask }),
        suffix: randomBytes(6).toString('hex'),
      });
      context.stdout.write(
        `The new passphrase opens ${files.join(', ')}; the old one opens copies and backups only.\n`,
      );
    });
  addCaExportCommand(ca, context);
  addCaRequestCommand(ca, context);
  addCaRotateCommand(ca, context);
}

function addCaImportCommand(ca: Command, context: Context): void {
  ca.command('import')
    .description(
      'import an authority that another program made, or that `ca export` wrote; an existing one is never overwritten',
    )
    .argument('<store>', 'the PKI store; created if it is missing')
    .option('--certificate <file>', "the authority's certificate, PEM")
    .option(
      '--key <file>',
      'its private key, PEM, not encrypted; /dev/stdin reads it from a pipe; without it certificates are signed by an external CA',
    )
    .option('--exported <file>', 'in place of both: what `ca export` wrote on another machine')
    .option('--passphrase-file <file>', 'the new passphrase of the stored key (or set PROVISION_CA_PASSPHRASE)')
    .option(...EXPORT_PASSPHRASE)
    .action(async (directory: string, options: ImportOptions) => {
      const { certificate, exported } = options;
      if (
        (certificate === undefined) === (exported === undefined) ||
        (exported !== undefined && options.key !== undefined)
      )
        throw new ProvisionError({
          code: 'nothing-chosen',
          message: 'what is to be imported? Give --certificate, with or without --key, or --exported',
          hint: 'provision ca import STORE --certificate FILE --key FILE, or provision ca import STORE --exported FILE',
        });
      if (exported !== undefined)
        return importExportedAuthority({ store: directory, file: exported }, options, context);
      const store = await open(directory, context, options.passphraseFile);
      const certificatePem = await read(certificate ?? '');
      if (options.key === undefined) {
        await store.importCertificate(certificatePem);
        context.stdout.write(
          `The authority's certificate is in ${store.directory}; its key stays with the external CA.\n`,
        );
        context.stdout.write('Where a plan wants certificates, ask for them with: provision ca request INVENTORY\n');
        return;
      }
      const { Secret } = await import('../model/secret.js');
      await store.importAuthority({ certificatePem, keyPem: new Secret(await read(options.key)) });
      context.stdout.write(`The authority is in ${store.directory}; its key is encrypted there.\n`);
      context.stdout.write('Remove the unencrypted key that it came from, or keep it offline.\n');
    });
}

async function open(directory: string, context: Context, passphraseFile: string | undefined): Promise<WritableStore> {
  const [{ openStore }, { passphraseSource }] = await Promise.all([
    import('../pki/store.js'),
    import('../pki/passphrase.js'),
  ]);
  return openStore({
    directory: resolve(directory),
    passphrase: passphraseSource({
      file: passphraseFile,
      env: context.env,
      ask: (...asked) => context.ask.passphrase(...asked),
    }),
    now: () => new Date(),
    random: (count) => randomBytes(count),
  });
}

async function read(file: string): Promise<string> {
  const { readTextBounded, SECRET_FILE_BYTES } = await import('../model/read-bounded.js');
  return readTextBounded(file, SECRET_FILE_BYTES).catch((cause: unknown) => {
    const why = fileReason(cause);
    throw new ProvisionError({ code: 'file-unreadable', message: `${file} cannot be read: ${why}`, cause });
  });
}
