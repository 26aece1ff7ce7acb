import pLimit, { type LimitFunction } from 'p-limit';
import { RemoteError } from '../model/errors.js';
import type { Secret } from '../model/secret.js';
import type { FindCredentials } from './credentials.js';
import type { HostKeys } from './host-keys.js';
import { keepOpen } from './keep-open.js';
import { openLink, type Link, type LinkRequest, type Timing } from './link.js';
import type { ResolveSettings } from './resolve-settings.js';
import { connectWithRetry, type RetryTools } from './retry.js';
import { lastHop, type Settings } from './settings.js';
import { openTcp, openThroughCommand, openThroughJump, type Socket } from './socket.js';
import { unreachable } from './unreachable.js';

/**
 * Logins at once to one server. sshd starts to drop unauthenticated connections at 10 (MaxStartups 10:30:100), and
 * others may be logging in as well.
 */
const LOGINS_PER_SERVER = 8;
/** More hops than anyone has: a chain of ProxyJump that leads back to itself. */
const MAX_HOPS = 8;

/** One machine to connect to, on behalf of a host. */
interface Machine {
  /** Inventory name of the host. */
  readonly host: string;
  readonly settings: Settings;
  /** The key that the inventory names for the host; jump hosts have none. */
  readonly privateKeyFile?: string | undefined;
  readonly privateKeyNamedBy?: string | undefined;
  readonly password?: Secret | undefined;
  readonly sshArgs?: string | undefined;
}

/** What links are made with. */
export interface LinkTools extends RetryTools {
  readonly resolve: ResolveSettings;
  readonly credentials: FindCredentials;
  readonly hostKeys: HostKeys;
  readonly timing: Timing;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Opens links, through jump hosts where there are some. */
export interface Links {
  /** @throws RemoteError unreachable, refused host key, refused login */
  open(machine: Machine): Promise<Link>;
  /** Closes the connections to jump hosts, which all hosts behind them share. */
  close(): Promise<void>;
}

/** `-F` is the one argument that ssh also hands to its jump hosts (ssh.c, "jump_host"). */
function argumentsForJump(sshArgs: string | undefined): string | undefined {
  return /(?:^|\s)(-F\s*(?:"[^"]*"|'[^']*'|\S+))/.exec(sshArgs ?? '')?.[1];
}

function throughJump(host: string, jump: string, error: unknown): RemoteError {
  const inner = error instanceof RemoteError ? error : undefined;
  const message = (inner?.message ?? String(error)).replace(`${inner?.host ?? ''}: `, '');
  return new RemoteError({
    code: inner?.code ?? 'unreachable',
    host,
    message: `${host}: through jump host ${jump}: ${message}`,
    hint: inner?.hint,
    cause: error,
  });
}

/** Speaks SSH over a socket, which may know better why that failed. */
async function openLinkOver(socket: Socket, request: Omit<LinkRequest, 'stream'>): Promise<Link> {
  try {
    return await openLink({ ...request, stream: socket.stream });
  } catch (error) {
    throw error instanceof RemoteError ? error : await socket.explain(error);
  }
}

/** Makes {@link Links}. */
export function createLinks(tools: LinkTools): Links {
  const jumps = keepOpen<Link>();
  const limits = new Map<string, LimitFunction>();

  function limitOf(server: string): LimitFunction {
    const limit = limits.get(server) ?? pLimit(LOGINS_PER_SERVER);
    limits.set(server, limit);
    return limit;
  }

  /** The machine before this one, by the last hop of its ProxyJump; none when that is the machine itself. */
  async function machineBefore({ host, settings, sshArgs }: Machine): Promise<Machine | undefined> {
    if (settings.proxyJump === undefined) return undefined;
    const { hop, before } = lastHop(settings.proxyJump);
    const forJump = argumentsForJump(sshArgs);
    const target = { host, ...hop, sshArgs: [forJump, before && `-J ${before}`].filter(Boolean).join(' ') };
    const resolved = await tools.resolve(target);
    const isItself = resolved.hostname === settings.hostname && resolved.port === settings.port;
    return isItself ? undefined : { host, settings: resolved, sshArgs: forJump };
  }

  async function jumpLink(machine: Machine, hops: number): Promise<Link | undefined> {
    const before = await machineBefore(machine);
    if (before === undefined) return undefined;
    const { user, hostname, port, proxyJump } = before.settings;
    const jump = `${user}@${hostname}:${port}`;
    try {
      if (hops >= MAX_HOPS) throw new Error(`more than ${MAX_HOPS} jump hosts: does ProxyJump lead back to itself?`);
      return await jumps.get(`${jump} ${proxyJump ?? ''}`, () => openMachine(before, hops + 1));
    } catch (error) {
      throw throughJump(machine.host, jump, error);
    }
  }

  function openSocket(settings: Settings, jump: Link | undefined): Promise<Socket> {
    const { proxyCommand, hostname, port, connectTimeoutMs = tools.timing.connectTimeoutMs } = settings;
    if (jump !== undefined) return openThroughJump(jump, settings, connectTimeoutMs);
    if (proxyCommand !== undefined) return Promise.resolve(openThroughCommand(proxyCommand.expanded, tools.env));
    return openTcp(hostname, port, connectTimeoutMs);
  }

  async function openMachine(machine: Machine, hops: number): Promise<Link> {
    const { host, settings } = machine;
    const jump = await jumpLink(machine, hops);
    const [credentials, hostKey] = await Promise.all([
      tools.credentials({ ...machine, privateKeyFile: machine.privateKeyFile, password: machine.password }),
      tools.hostKeys.checkFor(host, settings),
    ]);
    const timing = { ...tools.timing, connectTimeoutMs: settings.connectTimeoutMs ?? tools.timing.connectTimeoutMs };
    const connect = async (): Promise<Link> =>
      openLinkOver(await openSocket(settings, jump), { host, settings, hostKey, credentials, timing });
    try {
      // The hosts behind one ProxyCommand log in to one server as well: the bastion.
      const server = settings.proxyCommand?.template ?? `${settings.hostname}:${settings.port}`;
      return await limitOf(server)(() => connectWithRetry(connect, tools));
    } catch (error) {
      throw error instanceof RemoteError ? error : unreachable(host, settings, error);
    }
  }

  return {
    open: (machine) => openMachine(machine, 0),
    async close() {
      await Promise.all((await jumps.all()).map((link) => link.close()));
    },
  };
}
