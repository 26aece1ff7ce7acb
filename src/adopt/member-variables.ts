import { canonicalIp } from '../model/ip.js';
import { keyTypeOf } from '../pki/inspect.js';
import type { EtcdSettingName } from '../facts/etcd-process.js';
import { STACKED_DATA, STACKED_PKI } from '../cluster/describe-member.js';
import { VARIABLES, type VariableName } from '../cluster/known-variables.js';
import { httpsUrl } from '../model/endpoint.js';
import { describePlace } from './etcd-settings.js';
import type { FoundMember } from './look-at-member.js';

/** The variables that describe a member; `ip` is kubespray's name for a node's address. */
export type AdoptedName = VariableName | 'ip';

/** A variable as it must be for one host to be described rightly. */
export interface FoundVariable {
  readonly name: AdoptedName;
  readonly value: string | number | boolean;
  /** What holds where it is not set; absent: it must be set. */
  readonly fallback?: string | number | boolean | undefined;
  /** Where it was found on its host: `--cert-file in /etc/systemd/system/etcd.service:12`. */
  readonly found: string;
}

/** All variables that describe a member, those with their default included. @param inventoryAddress of the inventory */
export function memberVariables(member: FoundMember, inventoryAddress: string | undefined): readonly FoundVariable[] {
  if (member.manifest !== undefined) return stackedVariables(member, member.manifest, inventoryAddress);
  const { unit, server, client, trustedCaFile, address, clientPort, clientUrl } = member;
  const at = (...settings: readonly EtcdSettingName[]): string => placeOf(member, settings);
  const sameAddress = inventoryAddress !== undefined && canonicalIp(inventoryAddress) === address;
  return [
    {
      name: 'etcd_managed',
      value: false,
      found: 'existing etcd cluster: only what the load balancer needs is changed',
    },
    { name: 'etcd_unit', value: unit ?? 'etcd', fallback: 'etcd', found: 'systemd unit of the running etcd' },
    { name: 'etcd_member_name', value: member.name, fallback: member.host, found: at('name') },
    ...(sameAddress
      ? []
      : [{ name: 'ip', value: address, found: at('advertise-client-urls', 'listen-client-urls') } as const]),
    { ...fixed('etcd_client_port', clientPort), found: at('listen-client-urls') },
    ...peerPort(member),
    { ...fixed('etcd_data_dir', member.dataDir), found: at('data-dir') },
    { name: 'etcd_cert_file', value: server.certificate, found: at('cert-file') },
    { name: 'etcd_key_file', value: server.key, found: at('key-file') },
    { name: 'etcd_trusted_ca_file', value: trustedCaFile, found: at('trusted-ca-file') },
    {
      name: 'etcd_client_cert_file',
      value: client.certificate,
      found: 'accepted by etcd when it was tried as a client',
    },
    { name: 'etcd_client_key_file', value: client.key, found: 'key of etcd_client_cert_file' },
    {
      name: 'etcd_client_url',
      value: clientUrl,
      fallback: httpsUrl(address, clientPort),
      found: `the URL that ${server.certificate} names`,
    },
    { ...fixed('etcd_heartbeat_interval', member.heartbeatIntervalMs), found: at('heartbeat-interval') },
    { ...fixed('etcd_election_timeout', member.electionTimeoutMs), found: at('election-timeout') },
    ...keyType(member),
  ];
}

/** Of a stacked member, which can only leave: where it is, and how it is asked. What kubeadm usually does is not written. */
function stackedVariables(
  member: FoundMember,
  manifest: string,
  inventoryAddress: string | undefined,
): readonly FoundVariable[] {
  const { server, client, trustedCaFile, address, clientPort, clientUrl } = member;
  const at = (...settings: readonly EtcdSettingName[]): string => placeOf(member, settings);
  const sameAddress = inventoryAddress !== undefined && canonicalIp(inventoryAddress) === address;
  const usual = (file: string): string => `${STACKED_PKI}/${file}`;
  return [
    { name: 'etcd_manifest', value: manifest, found: 'stacked etcd of kubeadm, which is to leave the cluster' },
    { name: 'etcd_member_name', value: member.name, fallback: member.host, found: at('name') },
    ...(sameAddress
      ? []
      : [{ name: 'ip', value: address, found: at('advertise-client-urls', 'listen-client-urls') } as const]),
    { ...fixed('etcd_client_port', clientPort), found: at('listen-client-urls') },
    ...peerPort(member),
    { name: 'etcd_data_dir', value: member.dataDir, fallback: STACKED_DATA, found: at('data-dir') },
    { name: 'etcd_cert_file', value: server.certificate, fallback: usual('server.crt'), found: at('cert-file') },
    { name: 'etcd_key_file', value: server.key, fallback: usual('server.key'), found: at('key-file') },
    { name: 'etcd_trusted_ca_file', value: trustedCaFile, fallback: usual('ca.crt'), found: at('trusted-ca-file') },
    {
      ...{ name: 'etcd_client_cert_file', value: client.certificate, fallback: usual('healthcheck-client.crt') },
      found: 'accepted by etcd when it was tried as a client',
    },
    {
      ...{ name: 'etcd_client_key_file', value: client.key, fallback: usual('healthcheck-client.key') },
      found: 'key of etcd_client_cert_file',
    },
    {
      ...{ name: 'etcd_client_url', value: clientUrl, fallback: httpsUrl('127.0.0.1', clientPort) },
      found: `the URL that ${server.certificate} names`,
    },
  ];
}

function placeOf({ settings, searched }: FoundMember, names: readonly EtcdSettingName[]): string {
  const [name] = names;
  const setting = names.map((each) => settings.get(each)).find((each) => each !== undefined);
  return setting === undefined ? `default of etcd's --${name ?? ''}` : describePlace(setting, searched);
}

type FixedName =
  | 'etcd_client_port'
  | 'etcd_peer_port'
  | 'etcd_data_dir'
  | 'etcd_heartbeat_interval'
  | 'etcd_election_timeout'
  | 'etcd_key_type';

function fixed(name: FixedName, value: string | number): Pick<FoundVariable, 'name' | 'value' | 'fallback'> {
  return { name, value, fallback: VARIABLES[name].fallback };
}

/** The cluster's own list is what the other members use, whatever the flags say by now. */
function peerPort({ status }: FoundMember): readonly FoundVariable[] {
  const [url] = status.members.find(({ id }) => id === status.memberId)?.peerUrls ?? [];
  const [, port] = /:(\d+)\/?$/.exec(url ?? '') ?? [];
  return port === undefined
    ? []
    : [{ ...fixed('etcd_peer_port', Number(port)), found: `peer URL ${url ?? ''} in etcdctl member list` }];
}

/** Of further kinds none can be made here; the server's own key is kept, of whatever kind it is. */
function keyType({ leaf }: FoundMember): readonly FoundVariable[] {
  const found = keyTypeOf(leaf.publicKey);
  return VARIABLES.etcd_key_type.schema.safeParse(found).success
    ? [{ ...fixed('etcd_key_type', found), found: 'kind of key of the server certificate' }]
    : [];
}
