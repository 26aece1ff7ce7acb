import { isIP } from 'node:net';
import type { Member } from '../model/cluster.js';
import type { LB_PROVIDERS, ExternalBalancer } from '../model/etcd-way.js';
import type { Inventory } from '../model/inventory.js';
import { canonicalIp } from '../model/ip.js';
import { formerGroupOf, SERVICE_GROUPS } from '../model/virtual-service.js';
import { describeFormer, type ServiceSource } from './describe-service.js';
import { etcdTraits, type ServicesSource } from './services.js';
import { isUnusable } from './virtual-ip-checks.js';

const EXTERNAL: (typeof LB_PROVIDERS)[number] = 'external';

/** Whether others run the balancer of etcd; a wrong value is reported where it is read with the others. */
export function isExternal({ hosts }: Pick<Inventory, 'hosts'>, reader: ServiceSource['reader']): boolean {
  return [...hosts.values()].some((host) => reader.read(host, 'etcd_lb_provider') === EXTERNAL);
}

/** What an external balancer is described from. */
interface ExternalSource extends ServicesSource {
  readonly inventory: Inventory;
}

/** The balancer that others run; none where the inventory wants none. */
export function describeExternal(source: ExternalSource): ExternalBalancer | undefined {
  const { shared, reader, formerBalancers, inventory } = source;
  // Read once more for all that have a part: it must be the same for each.
  if (shared.valueOr('etcd_lb_provider') !== EXTERNAL || shared.value('etcd_lb_enabled') === false) return undefined;
  const ip = shared.value('etcd_lb_ip');
  const name = shared.value('etcd_lb_host');
  const port = shared.valueOr('etcd_lb_port');
  const isWrong = shared.at('etcd_lb_ip') !== undefined || shared.at('etcd_lb_host') !== undefined;
  if (ip === undefined && name === undefined) {
    const message = `is external, and neither etcd_lb_ip nor etcd_lb_host is set: expected the address or the name where others serve it`;
    if (!isWrong) reader.report('error', shared.at('etcd_lb_provider'), 'etcd_lb_provider', message);
    return undefined;
  }
  refuseOwnGroup(inventory, reader);
  if (shared.valueOr('etcd_lb_mode') === 'terminate')
    reader.report(
      'error',
      shared.at('etcd_lb_mode'),
      'etcd_lb_mode',
      'terminate, and etcd_lb_provider is external: only a load balancer of this program can end TLS, for members demand client certificates',
    );
  const own = { ...source, balancers: [], formerBalancers: formerBalancers.etcd };
  return {
    ...{ name: name?.replace(/\.$/, ''), port },
    ip: ip === undefined ? undefined : canonicalIp(ip),
    former: describeFormer('etcd', etcdTraits(source), own),
  };
}

/** Hosts of the group would be balancers of ours. */
function refuseOwnGroup(inventory: Inventory, reader: ServiceSource['reader']): void {
  const group = SERVICE_GROUPS.etcd;
  const hosts = inventory.groups.get(group) ?? [];
  if (hosts.length === 0) return;
  const former = formerGroupOf(group);
  const message = `has ${hosts.join(', ')}, and etcd_lb_provider is external: others run the load balancer. Rename the group to ${former}: its hosts are freed of what this program set up there`;
  reader.report('error', inventory.groupAt(group), `group ${group}`, message);
}

/** An endpoint that others can serve, and that is no member itself. */
export function checkExternal(
  external: ExternalBalancer | undefined,
  members: readonly Member[],
  { shared, reader }: Pick<ServiceSource, 'shared' | 'reader'>,
): void {
  if (external === undefined) return;
  const { ip, name, port } = external;
  const member = members.find((each) => each.address === ip && each.clientPort === port);
  if (member !== undefined)
    reader.report(
      'error',
      shared.at('etcd_lb_ip'),
      'etcd_lb_ip',
      `${member.address}:${port} is the member ${member.name} itself; expected the load balancer that others run`,
    );
  if (ip !== undefined && isIP(ip) !== 0 && isUnusable(ip))
    reader.report(
      'error',
      shared.at('etcd_lb_ip'),
      'etcd_lb_ip',
      `${ip} is unspecified, loopback, multicast or reserved: expected an address that all control planes reach`,
    );
  if (ip === undefined && name?.startsWith('*') === true)
    reader.report('error', shared.at('etcd_lb_host'), 'etcd_lb_host', `${name} stands for many names; expected one`);
}
