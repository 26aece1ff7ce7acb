import type { AnyAuthMethod, ParsedKey } from 'ssh2';
import { counted } from '../model/counted.js';
import { RemoteError } from '../model/errors.js';
import type { Secret } from '../model/secret.js';
import { openAgent, type Agent } from './agent.js';
import { causeMessage } from './cause.js';
import { hasCertificate, type KeyFile, type PrivateKeys } from './private-keys.js';
import type { Settings } from './settings.js';

/** What a host is offered, and what a person needs to know when it takes none of it. */
export interface Credentials {
  /** In the order of trying. */
  readonly methods: readonly AnyAuthMethod[];
  /** The same in words. */
  readonly tried: readonly string[];
  /** What was left out, and why. */
  readonly skipped: readonly string[];
}

/** Whom the credentials are for. */
interface CredentialRequest {
  /** Inventory name. */
  readonly host: string;
  readonly settings: Settings;
  /** The key that the inventory or the command line names. */
  readonly privateKeyFile: string | undefined;
  /** What names it: a variable with its place, or an option. */
  readonly privateKeyNamedBy?: string | undefined;
  readonly password: Secret | undefined;
}

/** Finds credentials. */
export type FindCredentials = (request: CredentialRequest) => Promise<Credentials>;

/** Collects methods with what to say about them. */
interface Draft {
  readonly methods: AnyAuthMethod[];
  readonly tried: string[];
  readonly skipped: string[];
  readonly username: string;
}

function unusableKey(host: string, file: string, reason: string, hint: string): RemoteError {
  return new RemoteError({ code: 'key-unusable', host, message: `${host}: private key ${file}: ${reason}`, hint });
}

function addKey(draft: Draft, file: string, key: ParsedKey): void {
  draft.methods.push({ type: 'publickey', username: draft.username, key });
  draft.tried.push(file);
}

function addAgent(draft: Draft, agent: Agent | undefined, isWanted: (key: ParsedKey) => boolean): void {
  const keys = agent?.keys.filter(isWanted) ?? [];
  if (agent === undefined || keys.length === 0) return;
  draft.methods.push({ type: 'agent', username: draft.username, agent: agent.offering(keys) });
  draft.tried.push(`${counted(keys.length, 'key')} of the agent`);
}

/** Servers with PAM often take a password only as the answer to a question. */
function addPassword(draft: Draft, password: Secret): void {
  const { username } = draft;
  draft.methods.push(
    { type: 'password', username, password: password.reveal() },
    {
      type: 'keyboard-interactive',
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => {
        finish(prompts.map((prompt) => (prompt.echo === true ? '' : password.reveal())));
      },
    },
  );
  draft.tried.push('the password');
}

function publicKeyOf(file: KeyFile): Buffer | undefined {
  if (file.kind === 'key') return file.key.getPublicSSH();
  return file.kind === 'encrypted' ? file.publicKey : undefined;
}

/** Where keys come from. */
interface Sources {
  readonly keys: PrivateKeys;
  readonly agent: Agent | undefined;
}

function holds(agent: Agent | undefined, publicKey: Buffer | undefined): boolean {
  return publicKey !== undefined && agent?.keys.some((key) => publicKey.equals(key.getPublicSSH())) === true;
}

/** Said where the login is refused: a server that takes certificates only refuses the bare key. */
async function noteCertificate(draft: Draft, file: string): Promise<void> {
  if (await hasCertificate(file))
    draft.skipped.push(
      `${file}-cert.pub: this program can't present a user certificate; put the key itself into authorized_keys`,
    );
}

/** The key that was asked for by name: it must work, so whatever is wrong with it is an error. */
async function addNamedKey(draft: Draft, request: CredentialRequest, { keys, agent }: Sources): Promise<void> {
  const { host, privateKeyFile: file, privateKeyNamedBy: by } = request;
  if (file === undefined) return;
  const found = await keys.read(file);
  await noteCertificate(draft, file);
  if (found.kind === 'missing')
    throw unusableKey(
      host,
      file,
      `no such file${by === undefined ? '' : `, named by ${by}`}`,
      'put the key there, or correct the path; a relative one starts at the inventory, else at the working directory',
    );
  if (found.kind === 'encrypted' && holds(agent, found.publicKey)) {
    addAgent(draft, agent, (key) => found.publicKey?.equals(key.getPublicSSH()) === true);
    return;
  }
  const opened = found.kind === 'encrypted' ? await keys.unlock(file) : found;
  if (opened.kind === 'unusable') throw unusableKey(host, file, opened.reason, opened.hint);
  if (opened.kind === 'key') addKey(draft, file, opened.key);
}

/** Key files of ~/.ssh/config and ssh's default ones, and the keys of the agent: tried as far as they can be. */
async function addFoundKeys(draft: Draft, request: CredentialRequest, { keys, agent }: Sources): Promise<void> {
  const { settings, privateKeyFile, password } = request;
  const names = settings.identityFiles.filter((file) => file !== privateKeyFile);
  const files = await Promise.all(names.map(async (name) => ({ name, found: await keys.read(name) })));
  const listed = files.flatMap(({ found }) => publicKeyOf(found) ?? []);
  const isListed = (key: ParsedKey): boolean => listed.some((each) => each.equals(key.getPublicSSH()));
  addAgent(draft, agent, (key) => !settings.identitiesOnly || isListed(key));
  for (const { name, found } of files) {
    await noteCertificate(draft, name);
    if (holds(agent, publicKeyOf(found))) continue;
    if (found.kind === 'key') addKey(draft, name, found.key);
    else if (found.kind === 'unusable') draft.skipped.push(`${name}: ${found.reason} (${found.hint})`);
    else if (found.kind === 'encrypted') await addEncrypted(name);
  }

  // Nobody is asked for a passphrase as long as something else may do.
  async function addEncrypted(name: string): Promise<void> {
    const opened = draft.methods.length === 0 && password === undefined ? await keys.unlock(name) : undefined;
    if (opened?.kind === 'key') addKey(draft, name, opened.key);
    else if (opened?.kind === 'unusable') draft.skipped.push(`${name}: ${opened.reason} (${opened.hint})`);
    else draft.skipped.push(`${name}: encrypted, and not in the agent (ssh-add ${name})`);
  }
}

/**
 * Makes the search for credentials. An agent is asked for its keys once.
 * @param env for SSH_AUTH_SOCK
 */
export function createCredentials(
  keys: PrivateKeys,
  env: Readonly<Record<string, string | undefined>>,
): FindCredentials {
  const agents = new Map<string, Promise<Agent>>();

  async function agentFor(settings: Settings, draft: Draft): Promise<Agent | undefined> {
    const configured = settings.identityAgent ?? 'SSH_AUTH_SOCK';
    // IdentityAgent may name an environment variable: SSH_AUTH_SOCK as it is, any other with a dollar sign.
    const [, variable] = /^(?:\$\{?)?(SSH_AUTH_SOCK|(?<=\$\{?)\w+)\}?$/.exec(configured) ?? [];
    const socket = variable === undefined ? configured : env[variable];
    if (socket === undefined || socket === '' || socket === 'none') return undefined;
    const opened = agents.get(socket) ?? openAgent(socket);
    agents.set(socket, opened);
    return opened.catch((error: unknown) => {
      draft.skipped.push(`the agent at ${socket}: ${causeMessage(error)}`);
      return undefined;
    });
  }

  return async (request) => {
    const draft: Draft = { methods: [], tried: [], skipped: [], username: request.settings.user };
    const agent = await agentFor(request.settings, draft);
    await addNamedKey(draft, request, { keys, agent });
    await addFoundKeys(draft, request, { keys, agent });
    if (request.password !== undefined) addPassword(draft, request.password);
    return draft;
  };
}
