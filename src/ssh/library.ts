import type * as NodeSshModule from 'node-ssh';
import type * as Ssh2Module from 'ssh2';
import { causeMessage } from './cause.js';

/** What this room uses of node-ssh and of ssh2 beneath it. */
export interface Library {
  readonly NodeSSH: typeof NodeSshModule.NodeSSH;
  readonly OpenSSHAgent: typeof Ssh2Module.OpenSSHAgent;
  readonly BaseAgent: typeof Ssh2Module.BaseAgent;
  /** Reads one private or public key; a text says why it can't. */
  parseKey(text: string, passphrase?: string): Ssh2Module.ParsedKey | string;
}

let loading: Promise<Library> | undefined;

function isParsedKey(value: unknown): value is Ssh2Module.ParsedKey {
  return typeof value === 'object' && value !== null && 'getPublicSSH' in value;
}

async function load(): Promise<Library> {
  const [{ NodeSSH }, { default: ssh2 }] = await Promise.all([import('node-ssh'), import('ssh2')]);
  return {
    NodeSSH,
    OpenSSHAgent: ssh2.OpenSSHAgent,
    BaseAgent: ssh2.BaseAgent,
    parseKey(text, passphrase) {
      const parsed: unknown = ssh2.utils.parseKey(text, passphrase);
      const first: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
      return isParsedKey(first) ? first : causeMessage(first);
    },
  };
}

/** Loads the libraries when the first host is reached: a verb that touches no host does not pay for them. */
export function loadLibrary(): Promise<Library> {
  loading ??= load();
  return loading;
}
