import type { Host } from '../model/inventory.js';
import {
  PROXY_NAMES,
  type Balancer,
  type FormerProxy,
  type ProxyName,
  type ProxySettings,
  type ServiceName,
} from '../model/virtual-service.js';
import { haproxyStats, metricsPlace } from './read-metrics.js';
import type { VariableReader } from './variable-reader.js';

/** Where a program runs, and by what file. */
export type Instance = Pick<ProxySettings, 'unit' | 'unitFile' | 'configFile'>;

interface ProxyVariables {
  /** What it reads its own files from. */
  readonly directory: string;
  /** The package's own unit, where that can run it for us. */
  readonly packaged: ((host: Host, reader: VariableReader) => Instance) | undefined;
  /** @param address of the node */
  read(host: Host, reader: VariableReader, address: string): Omit<ProxySettings, keyof Instance>;
}

/** What each proxy's variables say. */
const PROXIES: Readonly<Record<ProxyName, ProxyVariables>> = {
  haproxy: { directory: '/etc/haproxy', packaged: packagedHaproxy, read: readHaproxy },
  nginx: { directory: '/etc/nginx', packaged: undefined, read: readNginx },
};

/** The directory that a proxy reads its own files from. */
export function proxyDirectory(proxy: ProxyName): string {
  return PROXIES[proxy].directory;
}

/** A proxy as a service wants it on a host. */
interface ProxyWanted {
  readonly service: ServiceName;
  readonly proxy: ProxyName;
  /** `beside`: as a unit of its own, beside the package's; `packaged`: by the package's unit, where it has one. */
  readonly place: 'beside' | 'packaged';
  /** Whether an earlier inventory may have had the service in the package's unit. */
  readonly mayHaveBeen: 'beside' | 'packaged';
  /** Of the node. */
  readonly address: string;
  /** What the service says of it in place of the proxy's own variables. */
  readonly settings: Partial<ProxySettings>;
}

/** The proxy that is wanted on a host, and all others that an earlier inventory may have put there. */
export function proxyOn(
  host: Host,
  { service, proxy, place, mayHaveBeen, address, settings }: ProxyWanted,
  reader: VariableReader,
): Pick<Balancer, 'proxy' | 'formerProxies'> {
  const packaged = PROXIES[proxy].packaged?.(host, reader);
  const instance = place === 'beside' || packaged === undefined ? ownProxy(service, proxy) : packaged;
  const wanted = { ...instance, ...PROXIES[proxy].read(host, reader, address), ...settings };
  const all = PROXY_NAMES.flatMap((each): readonly FormerProxy[] => {
    const unit = mayHaveBeen === 'packaged' ? PROXIES[each].packaged?.(host, reader) : undefined;
    const instances = unit === undefined ? [ownProxy(service, each)] : [unit, ownProxy(service, each)];
    return instances.map((found) => ({ ...pickInstance(found), name: each }));
  });
  return { proxy: wanted, formerProxies: all.filter(({ unit }) => unit !== wanted.unit) };
}

/** Where an instance runs, without how it is made. */
export function pickInstance({ unit, configFile }: Instance): Pick<FormerProxy, 'unit' | 'configFile'> {
  return { unit, configFile };
}

function ownProxy(service: ServiceName, proxy: ProxyName): Instance {
  return ownInstance(service, proxy, `${PROXIES[proxy].directory}/provision/${service}.cfg`);
}

/** Names that no one else takes; a directory of its own, for others may read all files of the program's directory. */
export function ownInstance(service: ServiceName, program: string, configFile: string): Instance {
  const unit = `provision-${service}-${program}`;
  return { unit, unitFile: `/etc/systemd/system/${unit}.service`, configFile };
}

function packagedHaproxy(host: Host, reader: VariableReader): Instance {
  return { unit: 'haproxy', unitFile: undefined, configFile: reader.readOr(host, 'haproxy_config_file') };
}

function readHaproxy(host: Host, reader: VariableReader, address: string): Omit<ProxySettings, keyof Instance> {
  return {
    maxConnections: reader.readOr(host, 'haproxy_maxconn'),
    timeoutConnect: reader.readOr(host, 'haproxy_timeout_connect'),
    timeoutClient: reader.readOr(host, 'haproxy_timeout_client'),
    timeoutServer: reader.readOr(host, 'haproxy_timeout_server'),
    timeoutTunnel: undefined,
    checkInter: reader.readOr(host, 'haproxy_check_inter'),
    checkRise: reader.readOr(host, 'haproxy_check_rise'),
    checkFall: reader.readOr(host, 'haproxy_check_fall'),
    statsPort: reader.read(host, 'haproxy_stats_port'),
    stats: haproxyStats(host, reader),
    metrics: metricsPlace('haproxy', { host, address, reader }),
    extraConfig: reader.marked(host, 'haproxy_extra_config'),
    extraVariable: 'haproxy_extra_config',
  };
}

/** nginx has one time-out of silence for both sides, and counts failed connections in place of health checks. */
function readNginx(host: Host, reader: VariableReader): Omit<ProxySettings, keyof Instance> {
  const timeout = reader.readOr(host, 'nginx_timeout');
  return {
    maxConnections: reader.readOr(host, 'nginx_maxconn'),
    timeoutConnect: reader.readOr(host, 'nginx_timeout_connect'),
    timeoutClient: timeout,
    timeoutServer: timeout,
    timeoutTunnel: undefined,
    checkInter: reader.readOr(host, 'nginx_fail_timeout'),
    checkRise: 1,
    checkFall: reader.readOr(host, 'nginx_max_fails'),
    statsPort: undefined,
    extraConfig: reader.marked(host, 'nginx_extra_config'),
    extraVariable: 'nginx_extra_config',
  };
}
