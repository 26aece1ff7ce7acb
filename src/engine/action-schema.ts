import { z } from 'zod';
import { AUTHORITY_MOVES } from '../model/authority-move.js';
import { NODE_PRODUCTS } from '../model/kubernetes.js';

// What a plan says of each kind of action: plan-schema.ts has the rest of it.

const digest = z
  .strictObject({
    sha256: z.string().describe('SHA-256 in hex, of the text with `[redacted]` in place of each secret.'),
    bytes: z.number().describe('Length of the same text in bytes, UTF-8.'),
  })
  .describe('Stands for a content.');

const parameters = z.record(z.string(), z.json());

const ownership = {
  owner: z.string(),
  group: z.string(),
  mode: z.string().describe('Octal, as for `chmod`: `0644`.'),
};

const command = z
  .strictObject({
    summary: z.string().describe('What it does, in a few words.'),
    script: z.string().describe('The POSIX shell script. Secrets are never in it.'),
    stdin: z.union([digest, z.literal('secret'), z.null()]).describe('What it is fed with.'),
    timeoutMs: z.number().nullable().describe('Ended after this long; `null`: the default.'),
  })
  .describe('A command that runs on the host.');

const destination = z.discriminatedUnion('layout', [
  z.strictObject({ layout: z.literal('pair'), certificatePath: z.string(), keyPath: z.string() }),
  z.strictObject({ layout: z.literal('bundle'), path: z.string() }),
]);

/** An action, as it is in a plan. */
export const actionSchema = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('write-file'),
      path: z.string(),
      ...ownership,
      content: digest,
      validate: z.string().nullable().describe('The check that the staged file must pass before it lands.'),
      stagingDirectory: z
        .string()
        .nullable()
        .describe('Where the stage is made; `null`: in the directory of the file.'),
    })
    .describe('Puts a file in place atomically, keeping a copy of the one it replaces.'),
  z.strictObject({ kind: z.literal('remove-file'), path: z.string() }).describe('Removes a file, keeping a copy.'),
  z
    .strictObject({ kind: z.literal('make-directory'), path: z.string(), ...ownership })
    .describe('Makes a directory, and those above it that are missing.'),
  z
    .strictObject({
      kind: z.literal('run'),
      command,
      undo: command
        .nullable()
        .describe('Takes it back when a later action of the same host fails; fields as of `command`.'),
      lasting: z.string().nullable().describe('What stays of it when the run fails, where it can’t be rolled back.'),
    })
    .describe('Runs a command.'),
  z
    .strictObject({
      kind: z.literal('run-on'),
      on: z.string().describe('The host that runs it, which is not the one that is changed.'),
      command,
      lasting: z.string().describe('What stays of it when the run fails.'),
    })
    .describe('Runs a command on another host, as `kubectl` on a control plane.'),
  z
    .strictObject({
      kind: z.literal('run-on-each'),
      hosts: z.array(z.string()),
      command,
      next: z.string().describe('What to type for a host where it failed.'),
    })
    .describe('Runs a command on other hosts; where it fails, that is reported, and the run goes on.'),
  z.strictObject({ kind: z.literal('reboot-host') }).describe('Reboots the host, and waits until it is back.'),
  z
    .strictObject({ kind: z.literal('create-authority'), profile: parameters })
    .describe('Makes the certificate authority on the control machine.'),
  z
    .strictObject({
      kind: z.literal('move-authority'),
      to: z.enum(AUTHORITY_MOVES),
      profile: parameters.describe('Of the new authority.'),
    })
    .describe('Takes a step of a rotation of the authority, in the store on the control machine.'),
  z
    .strictObject({ kind: z.literal('keep-secret'), name: z.literal('keepalived-auth-pass') })
    .describe('Keeps a generated secret in the store on the control machine.'),
  z
    .strictObject({
      kind: z.literal('save-snapshot'),
      per: z.enum(['change', 'run']).describe('`run`: one suffices for all changes of a run that ask for it so.'),
    })
    .describe('Saves a snapshot of the cluster on the control machine.'),
  z
    .strictObject({
      kind: z.literal('send-release'),
      release: z.strictObject({
        product: z.enum(NODE_PRODUCTS).optional().describe('What it is of; absent: etcd.'),
        version: z.string().optional().describe('Of etcd.'),
        sha256: z.string().describe('Of the file, in hex.'),
        source: z.string().describe('A URL without its query, or an absolute path on the control machine.'),
        fetch: z.enum(['control', 'host']).optional().describe('Of etcd.'),
      }),
      command,
    })
    .describe('Feeds a command with a release of etcd, or of what nodes have in place of packages.'),
  z
    .strictObject({
      kind: z.literal('issue-certificate'),
      certificate: z.string().describe('Its name in the list of certificates.'),
      profile: parameters.describe('Subject, SANs, usages, days, key type.'),
      destination,
      ...ownership,
    })
    .describe('Signs one leaf, or installs one from an external CA. Its key is in no plan.'),
  z
    .strictObject({ kind: z.literal('install-trust'), path: z.string(), ...ownership })
    .describe("Installs the authority's public certificate."),
  z
    .strictObject({
      kind: z.literal('join-kubernetes'),
      through: z.string().describe('The control plane that lets the host in.'),
      invitation: command.describe('There: makes a token known; fields as of `command`.'),
      join: command.describe('On the host: fields as of `command`.'),
      revocation: command.describe('On the control plane again, whatever came of it; fields as of `command`.'),
      configuration: z
        .strictObject({ invitation: digest, join: digest })
        .describe('What the first two are fed with, before the token and the key of this run are in it.'),
    })
    .describe('Lets the host join Kubernetes, with a token that is made for it and deleted again.'),
  z
    .strictObject({ kind: z.literal('await'), gate: z.string(), parameters })
    .describe('Waits on the host until a gate opens.'),
]);

/** The type of {@link actionSchema}. */
export type ActionJson = z.infer<typeof actionSchema>;
/** A command of an action. */
export type CommandJson = z.infer<typeof command>;
