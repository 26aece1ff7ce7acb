import { homedir } from 'node:os';
import { addressInUse } from '../facts/address-in-use.js';
import { certainSkewMs, clock, NOW } from '../facts/clock.js';
import { ALL_ADDRESSES, hostAddresses } from '../facts/host-addresses.js';
import { hostOutline, OUTLINE } from '../facts/host-outline.js';
import { listeners } from '../facts/listeners.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import type { Connector, Probe } from '../model/remote.js';
import type { HostLook, HostLooks, Login, LookAtHosts, SeenHost } from '../wizard/host-look.js';
import { createConnector, DEFAULT_FORKS } from './connection-options.js';
import type { Context } from './context.js';
import { lookThrough } from './session.js';

/** The ways in which the wizard looks at hosts. */
export function hostLooks(context: Context): HostLooks {
  return {
    lookAtHosts: createLookAtHosts(context),
    askForFree: (login, addresses) => askForFree(login, addresses, context),
  };
}

/** One connection and one exec each. */
function createLookAtHosts(context: Context): LookAtHosts {
  return async (login, tell) => {
    const connector = await connectorFor(login, context);
    const look = lookThrough(connector, () => undefined);
    async function lookAt(name: string): Promise<readonly [string, HostLook]> {
      tell(name, 'connecting');
      try {
        const host = await see(look.probe(name));
        tell(name, '✔ reached');
        return [name, { kind: 'seen', host }];
      } catch (error) {
        if (!(error instanceof ProvisionError)) throw error;
        tell(name, `✖ ${error.code}`);
        const fingerprint = error instanceof RemoteError ? error.fingerprint : undefined;
        return [name, { kind: 'failed', code: error.code, message: error.message, hint: error.hint, fingerprint }];
      }
    }
    try {
      return new Map(await Promise.all(login.hosts.map(({ name }) => lookAt(name))));
    } finally {
      await connector.close();
    }
  };
}

/** Asks on a host's network which of some addresses nobody has. @returns those */
async function askForFree(login: Login, addresses: readonly string[], context: Context): Promise<readonly string[]> {
  const [asked] = login.hosts;
  if (asked === undefined) return [];
  const connector = await connectorFor(login, context);
  try {
    const probe = lookThrough(connector, () => undefined).probe(asked.name);
    const held = await Promise.all(addresses.map((address) => probe.ask(addressInUse, address)));
    return addresses.filter((_, index) => held[index] === undefined);
  } finally {
    await connector.close();
  }
}

async function see(probe: Probe): Promise<SeenHost> {
  const sent = Date.now();
  const [outline, addresses, clients, peers, servers, skewMs] = await Promise.all([
    probe.ask(hostOutline, OUTLINE),
    probe.ask(hostAddresses, ALL_ADDRESSES),
    probe.ask(listeners, '2379'),
    probe.ask(listeners, '2380'),
    probe.ask(listeners, '6443'),
    probe.ask(clock, NOW).then((host) => certainSkewMs({ sent, host, received: Date.now() })),
  ]);
  return { outline, addresses, listeners: [...clients, ...peers, ...servers], skewMs };
}

function connectorFor(login: Login, context: Context): Promise<Connector> {
  const { user, privateKeyFile, sudoPassword, trusted } = login;
  const hosts = login.hosts.map(({ name, address, connection: own = {} }) => {
    const key = own.privateKeyFile ?? privateKeyFile;
    const connection = {
      ...{ address, user, ...own },
      ...(key === undefined ? {} : { privateKeyFile: key.replace(/^~(?=\/)/, homedir()) }),
      ...((own.user ?? user) === 'root'
        ? {}
        : { become: { method: 'sudo', user: 'root', password: sudoPassword } as const }),
    };
    return [name, { connection }] as const;
  });
  return createConnector(
    { forks: DEFAULT_FORKS, becomeUser: 'root' },
    { hosts: new Map(hosts) },
    {
      env: context.env,
      // While all hosts are connected to, there is no line to ask on.
      ask: (question) =>
        Promise.reject(
          new ProvisionError({
            code: 'key-unusable',
            message: `${question} is needed`,
            hint: 'unlock the key first: ssh-add FILE',
          }),
        ),
      onNotice: () => undefined,
      confirmedHostKeys: trusted,
    },
  );
}
