import { setTimeout as pause } from 'node:timers/promises';
import pLimit from 'p-limit';
import { RemoteError } from '../model/errors.js';
import type { Connection } from '../model/inventory.js';
import type { Connector, Transport } from '../model/remote.js';
import { Secret, type AskSecret } from '../model/secret.js';
import { createCredentials } from './credentials.js';
import { createHostKeys } from './host-keys.js';
import { keepOpen } from './keep-open.js';
import { DEFAULT_TIMING, type Timing } from './link.js';
import { createLinks } from './links.js';
import { createPrivateKeys, PASSPHRASE_VARIABLE } from './private-keys.js';
import { createSettingsResolver, type Surroundings } from './resolve-settings.js';
import type { RetryTools } from './retry.js';
import { createSession } from './session.js';

/** What a connector needs. */
export interface ConnectorOptions extends Surroundings {
  /** By inventory name. */
  readonly hosts: ReadonlyMap<string, Connection>;
  /** How many hosts are connected to at once. */
  readonly forks: number;
  /** Accept unknown host keys, and remember them in known_hosts. A changed key is refused all the same. */
  readonly acceptNewHostKeys: boolean;
  /** Accept these unknown host keys only, and remember them: host → fingerprint, which a person has compared. */
  readonly confirmedHostKeys?: ReadonlyMap<string, string> | undefined;
  /** Asks for the passphrase of a key; absent when nobody can be asked. */
  readonly ask?: AskSecret | undefined;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Something that the user should know, and that is no failure. */
  readonly onNotice: (host: string, message: string) => void;
  readonly timing?: Partial<Timing> | undefined;
}

/** A transport that tells whether it still works. */
interface OpenHost {
  readonly transport: Transport;
  isOpen(): boolean;
}

function passphraseIn(env: ConnectorOptions['env']): Secret | undefined {
  const text = env[PASSPHRASE_VARIABLE];
  return text === undefined ? undefined : new Secret(text);
}

/** Makes the {@link Connector} over SSH. Nothing is read or opened before the first host is asked for. */
export function createSshConnector(options: ConnectorOptions): Connector {
  const { hosts, env, randomBytes, ask } = options;
  const retry: RetryTools = { randomBytes, pause: (ms) => pause(ms) };
  const resolve = createSettingsResolver(options);
  const timing = { ...DEFAULT_TIMING, ...options.timing };
  const links = createLinks({
    resolve,
    credentials: createCredentials(createPrivateKeys({ variable: passphraseIn(env), ask }), env),
    hostKeys: createHostKeys({
      acceptNew: options.acceptNewHostKeys,
      confirmed: options.confirmedHostKeys,
      randomBytes,
      onNotice: options.onNotice,
    }),
    timing,
    env,
    ...retry,
  });
  const limit = pLimit(options.forks);
  const opened = keepOpen<OpenHost>();

  async function open(host: string): Promise<OpenHost> {
    const connection = hosts.get(host);
    if (connection === undefined)
      throw new RemoteError({ code: 'unknown-host', host, message: `${host}: not in the inventory` });
    const { address, port, user, sshArgs, privateKeyFile, privateKeyNamedBy, password, become } = connection;
    const settings = await resolve({ host, address, port, user, sshArgs });
    const link = await links.open({ host, settings, privateKeyFile, privateKeyNamedBy, password, sshArgs });
    const transport = createSession({
      host,
      link,
      ...retry,
      timing,
      // As Ansible does (BECOME_ALLOW_SAME_USER): who is that user already needs no sudo.
      become: become?.user === settings.user ? undefined : become,
    });
    return { transport, isOpen: () => link.isOpen() };
  }

  return {
    async connect(host) {
      const { transport } = await opened.get(host, () => limit(() => open(host)));
      return transport;
    },
    async close() {
      await Promise.all((await opened.all()).map(({ transport }) => transport.close()));
      await links.close();
    },
  };
}
