import { httpsUrl } from '../model/endpoint.js';
import { canonicalIp } from '../model/ip.js';
import type { Inventory } from '../model/inventory.js';
import type { Json } from '../model/json.js';
import { VARIABLES, type VariableName, type VariableValue } from './known-variables.js';
import type { ServiceName } from '../model/virtual-service.js';
import { nodeAddress } from './node-address.js';
import { SERVICE_VARIABLES } from './service-variables.js';

/** A variable that this program provides to templates. */
interface DerivedVariable {
  readonly description: string;
  /** @param host inventory name of the host whose template asks */
  compute(inventory: Inventory, host: string): Json | undefined;
}

/**
 * Variables that templates may use without setting them, by the names of the usual guides to etcd behind a load balancer.
 * They need only addresses and ports, so that other variables may use them.
 */
export const DERIVED_VARIABLES: Readonly<Record<string, DerivedVariable>> = {
  etcd_access_addresses: {
    description: 'What clients use: the load balancer when there is one, else all members: `https://10.0.0.1:2379,…`.',
    compute: (inventory) => balancedUrl(inventory, 'etcd') ?? directUrls(inventory),
  },
  etcd_lb_address: {
    description: 'The load balancer: `https://etcd.example.com:2379`. Undefined without one.',
    compute: (inventory) => balancedUrl(inventory, 'etcd'),
  },
  kube_apiserver_lb_address: {
    description: 'The virtual IP of the API servers: `https://10.0.0.200:8443`. Undefined without one.',
    compute: (inventory) => balancedUrl(inventory, 'kube-apiserver'),
  },
  etcd_access_addresses_direct: {
    description: 'All members, bypassing the load balancer: `https://10.0.0.1:2379,https://10.0.0.2:2379`.',
    compute: directUrls,
  },
  etcd_peer_addresses: {
    description: 'Names and peer URLs of all members: `etcd-1=https://10.0.0.1:2380,…`.',
    compute: (inventory) =>
      members(inventory)
        .map(({ host, address }) => {
          const port = value(inventory, host, 'etcd_peer_port') ?? VARIABLES.etcd_peer_port.fallback;
          return `${value(inventory, host, 'etcd_member_name') ?? host}=${httpsUrl(address, port)}`;
        })
        .join(','),
  },
  etcd_cert_paths: {
    description:
      'Files of this host by part: `etcd_cert_paths.client.ca`, `.cert`, `.key`; also `server` and `peer` on members.',
    compute: (inventory, host) => {
      const directory = value(inventory, host, 'etcd_pki_dir') ?? VARIABLES.etcd_pki_dir.fallback;
      const files = (name: string): { ca: string; cert: string; key: string } => ({
        ca: `${directory}/ca.crt`,
        cert: `${directory}/${name}.crt`,
        key: `${directory}/${name}.key`,
      });
      const found = (name: 'etcd_trusted_ca_file' | 'etcd_cert_file' | 'etcd_key_file', file: string): string =>
        value(inventory, host, name) ?? file;
      const own = files('server');
      const server: Json = {
        ca: found('etcd_trusted_ca_file', own.ca),
        cert: found('etcd_cert_file', own.cert),
        key: found('etcd_key_file', own.key),
      };
      // Where an adopted member has its peer certificate is nobody's concern here.
      const isManaged = value(inventory, host, 'etcd_managed') ?? VARIABLES.etcd_managed.fallback;
      return { client: APISERVER_CLIENT, server, ...(isManaged ? { peer: files('peer') } : {}) };
    },
  },
};

/** Where kubeadm's documentation for an external etcd has the apiserver's client certificate. */
const APISERVER_CLIENT: Json = {
  ca: '/etc/kubernetes/pki/etcd/ca.crt',
  cert: '/etc/kubernetes/pki/apiserver-etcd-client.crt',
  key: '/etc/kubernetes/pki/apiserver-etcd-client.key',
};

/** The derived variables, as the loader of inventories takes them. */
export const PROVIDED_VARIABLES = {
  names: Object.keys(DERIVED_VARIABLES),
  get: (inventory: Inventory, host: string, name: string): Json | undefined =>
    Object.hasOwn(DERIVED_VARIABLES, name) ? DERIVED_VARIABLES[name]?.compute(inventory, host) : undefined,
} as const;

function members(inventory: Inventory): readonly { readonly host: string; readonly address: string }[] {
  return (inventory.groups.get('etcd') ?? []).flatMap((name) => {
    const host = inventory.hosts.get(name);
    const address = host === undefined ? undefined : nodeAddress(host)?.address;
    return address === undefined ? [] : [{ host: name, address }];
  });
}

function directUrls(inventory: Inventory): string {
  return members(inventory)
    .map(({ host, address }) =>
      httpsUrl(address, value(inventory, host, 'etcd_client_port') ?? VARIABLES.etcd_client_port.fallback),
    )
    .join(',');
}

function balancedUrl(inventory: Inventory, service: ServiceName): string | undefined {
  const variables = SERVICE_VARIABLES[service];
  function shared<Name extends VariableName>(name: Name): VariableValue<Name> | undefined {
    return [...inventory.hosts.keys()].map((host) => value(inventory, host, name)).find((found) => found !== undefined);
  }
  const ip = shared(variables.ip);
  const name = shared(variables.host);
  const isOfOthers = service === 'etcd' && shared('etcd_lb_provider') === 'external';
  const isThere = ip !== undefined || (isOfOthers && name !== undefined);
  if (!isThere || shared(variables.enabled) === false) return undefined;
  return httpsUrl(name ?? canonicalIp(ip ?? ''), shared(variables.port) ?? VARIABLES[variables.port].fallback);
}

/** A checked value; undefined when it is not set, or wrong, which describeCluster tells. */
function value<Name extends VariableName>(
  inventory: Inventory,
  host: string,
  name: Name,
): VariableValue<Name> | undefined {
  const raw = inventory.hosts.get(host)?.variables.get(name);
  const result = raw === undefined ? undefined : VARIABLES[name].schema.safeParse(raw);
  return result?.success === true ? (result.data as VariableValue<Name>) : undefined;
}
