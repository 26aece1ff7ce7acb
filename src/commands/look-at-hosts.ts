import { homedir } from 'node:os';
import { MANIFESTS, stackedMembers } from '../adopt/pick-pod.js';
import { addressInUse } from '../facts/address-in-use.js';
import { certainSkewMs, clock, NOW } from '../facts/clock.js';
import { ETCD, etcdOnHost } from '../facts/etcd-process.js';
import { ALL_ADDRESSES, hostAddresses } from '../facts/host-addresses.js';
import { hostOutline, OUTLINE } from '../facts/host-outline.js';
import { listeners } from '../facts/listeners.js';
import { LISTEN_S, routerIds } from '../facts/router-ids.js';
import { staticPodFiles } from '../facts/static-pods.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import type { Connector, Probe } from '../model/remote.js';
import type {
  HostLook,
  HostLooks,
  Login,
  LookAtHosts,
  LookAtNetwork,
  NetworkLook,
  SeenHost,
} from '../wizard/host-look.js';
import type { NamedHost } from '../wizard/inventory-answers.js';
import { createConnector, DEFAULT_FORKS } from './connection-options.js';
import type { Context } from './context.js';
import { lookThrough } from './look-through.js';

/** The ways in which the wizard looks at hosts. */
export function hostLooks(context: Context): HostLooks {
  return { lookAtHosts: createLookAtHosts(context), lookAtNetwork: createLookAtNetwork(context) };
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

/** One connection each. The first host does both at once, in an exec each, for both take some seconds. */
function createLookAtNetwork(context: Context): LookAtNetwork {
  return async (login, addresses, tell) => {
    const connector = await connectorFor(login, context);
    const [asked] = login.hosts;
    try {
      const [held, heard] = await Promise.all([
        Promise.all(
          asked === undefined ? [] : addresses.map((each) => probeOn(connector, asked).ask(addressInUse, each)),
        ),
        Promise.all(login.hosts.map(async (host) => listenOn(connector, host, tell))),
      ]);
      return {
        free: addresses.filter((_, index) => held[index] === undefined),
        listened: heard.flatMap(({ listened }) => listened),
        usedIds: heard.flatMap(({ usedIds }) => usedIds),
      };
    } finally {
      await connector.close();
    }
  };
}

/** Each in a look of its own, for what is asked in one waits for all of it. */
function probeOn(connector: Connector, { name }: NamedHost): Probe {
  return lookThrough(connector, () => undefined).probe(name);
}

/** A host that is lost meanwhile has heard nothing; the others are enough. */
async function listenOn(
  connector: Connector,
  host: NamedHost,
  tell: Parameters<LookAtNetwork>[2],
): Promise<Omit<NetworkLook, 'free'>> {
  tell(host.name, `listening for ${LISTEN_S} s`);
  try {
    const { listened, used } = await probeOn(connector, host).ask(routerIds, host.address);
    tell(host.name, listened ? '✔ listened' : '✖ can not listen');
    return {
      listened: listened ? [host.name] : [],
      usedIds: used.map((each) => ({ ...each, host: host.name })),
    };
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    tell(host.name, `✖ ${error.code}`);
    return { listened: [], usedIds: [] };
  }
}

async function see(probe: Probe): Promise<SeenHost> {
  const sent = Date.now();
  const [outline, addresses, clients, peers, servers, etcd, manifests, skewMs] = await Promise.all([
    probe.ask(hostOutline, OUTLINE),
    probe.ask(hostAddresses, ALL_ADDRESSES),
    probe.ask(listeners, '2379'),
    probe.ask(listeners, '2380'),
    probe.ask(listeners, '6443'),
    probe.ask(etcdOnHost, ETCD),
    probe.ask(staticPodFiles, MANIFESTS),
    probe.ask(clock, NOW).then((host) => certainSkewMs({ sent, host, received: Date.now() })),
  ]);
  const [pod] = stackedMembers(etcd, { directory: MANIFESTS, files: manifests });
  const stacked =
    pod === undefined ? undefined : { manifest: pod.manifest.path, hasEtcdctl: etcd.etcdctl !== undefined };
  return { outline, addresses, listeners: [...clients, ...peers, ...servers], stacked, skewMs };
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
      timing: context.timing,
    },
  );
}
