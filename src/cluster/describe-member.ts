import type { Member } from '../model/cluster.js';
import { httpsUrl } from '../model/endpoint.js';
import type { Host } from '../model/inventory.js';
import { ADOPTED_VARIABLES } from './adopted-variables.js';
import { VARIABLES } from './known-variables.js';
import { MarkedText } from '../model/marked-text.js';
import { metricsPlace } from './read-metrics.js';
import { readRelease, type ReleaseSource } from './read-release.js';
import { readSnapshots } from './read-snapshots.js';
import type { VariableReader } from './variable-reader.js';

/** What a member is read with. */
interface MemberSource extends ReleaseSource {
  /** Of its node; empty when it has none, which is reported elsewhere. */
  readonly address: string;
}

/** The member on a host of the group `etcd_former`: of this program, or a stacked one of kubeadm. */
export function readFormerMember(host: Host, source: MemberSource): Member {
  const { reader } = source;
  const manifest = reader.read(host, 'etcd_manifest');
  if (manifest === undefined) return readMember(host, source);
  const places = stackedPlaces(host, reader);
  return {
    ...{ host: host.name, name: memberName(host, reader), address: source.address, manifest },
    clientPort: reader.readOr(host, 'etcd_client_port'),
    peerPort: reader.readOr(host, 'etcd_peer_port'),
    dataDir: orUsual(host, reader, 'etcd_data_dir', STACKED_DATA),
    pkiDir: STACKED_PKI,
    ...{ configFile: undefined, unit: 'etcd', ...places },
    clientUrl: reader.read(host, 'etcd_client_url') ?? httpsUrl('127.0.0.1', reader.readOr(host, 'etcd_client_port')),
    heartbeatIntervalMs: reader.readOr(host, 'etcd_heartbeat_interval'),
    electionTimeoutMs: reader.readOr(host, 'etcd_election_timeout'),
    quotaBackendBytes: reader.readOr(host, 'etcd_quota_backend_bytes'),
    snapshotCount: reader.readOr(host, 'etcd_snapshot_count'),
    autoCompactionRetention: reader.readOr(host, 'etcd_auto_compaction_retention'),
    ...{ extraEnv: {}, replaceFiles: [] },
  };
}

/** Where kubeadm puts the files of a stacked etcd (kubeadm, "certificates", `kubeadm init phase certs`). */
export const STACKED_PKI = '/etc/kubernetes/pki/etcd';

/** kubeadm's default of `etcd.local.dataDir`. */
export const STACKED_DATA = '/var/lib/etcd';

function stackedPlaces(host: Host, reader: VariableReader): Pick<Member, 'server' | 'client'> {
  const file = (name: FileName, usual: string): string => orUsual(host, reader, name, `${STACKED_PKI}/${usual}`);
  return {
    server: { certificate: file('etcd_cert_file', 'server.crt'), key: file('etcd_key_file', 'server.key') },
    client: {
      ca: file('etcd_trusted_ca_file', 'ca.crt'),
      certificate: file('etcd_client_cert_file', 'healthcheck-client.crt'),
      key: file('etcd_client_key_file', 'healthcheck-client.key'),
    },
  };
}

/** kubeadm's own place where the inventory names none; the default of the members that are made here is none of it. */
function orUsual(host: Host, reader: VariableReader, name: FileName | 'etcd_data_dir', usual: string): string {
  return reader.read(host, name) ?? usual;
}

/** The member on a host of the group `etcd`. */
export function readMember(host: Host, source: MemberSource): Member {
  const { address, isManaged, reader } = source;
  const dataDir = reader.readOr(host, 'etcd_data_dir');
  return {
    host: host.name,
    name: memberName(host, reader),
    address,
    clientPort: reader.readOr(host, 'etcd_client_port'),
    peerPort: reader.readOr(host, 'etcd_peer_port'),
    dataDir,
    pkiDir: reader.readOr(host, 'etcd_pki_dir'),
    ...(isManaged ? ownPlaces(host, reader) : foundPlaces(host, source)),
    heartbeatIntervalMs: reader.readOr(host, 'etcd_heartbeat_interval'),
    electionTimeoutMs: reader.readOr(host, 'etcd_election_timeout'),
    quotaBackendBytes: reader.readOr(host, 'etcd_quota_backend_bytes'),
    snapshotCount: reader.readOr(host, 'etcd_snapshot_count'),
    autoCompactionRetention: reader.readOr(host, 'etcd_auto_compaction_retention'),
    extraEnv: extraEnvironment(host, reader),
    replaceFiles: reader.readOr(host, 'provision_replace_files'),
    release: readRelease(host, source),
    metrics: isManaged ? metricsPlace('etcd', { host, address, reader }) : undefined,
    snapshots: readSnapshots(host, { dataDir, reader }),
  };
}

function extraEnvironment(host: Host, reader: VariableReader): Member['extraEnv'] {
  return Object.fromEntries(
    Object.entries(reader.readOr(host, 'etcd_extra_env')).map(([name, value]) => {
      const marked = reader.marked(host, 'etcd_extra_env', [name]);
      // Truth values and numbers are texts to etcd, in its own spelling.
      return [name, marked?.isSecret === true ? marked : new MarkedText([value])];
    }),
  );
}

/** A host's name stands for the member's where none is set, and must then be fit to be one. */
function memberName(host: Host, reader: VariableReader): string {
  const named = reader.read(host, 'etcd_member_name');
  if (named !== undefined) return named;
  const refused = VARIABLES.etcd_member_name.schema.safeParse(host.name).error;
  if (refused !== undefined && host.variables.at('etcd_member_name') === undefined) {
    const expected = refused.issues.map(({ message }) => message).join('; ');
    const message = `cannot be the name of an etcd member (${expected}): set etcd_member_name, or rename the host`;
    reader.report('error', host.at, JSON.stringify(host.name), message);
  }
  return host.name;
}

type Places = Pick<Member, 'configFile' | 'unit' | 'clientUrl' | 'server' | 'client'>;

/** Where the role `etcd` puts things: the unit is the package's. */
function ownPlaces(host: Host, reader: VariableReader): Places {
  for (const name of Object.keys(ADOPTED_VARIABLES))
    if (name !== 'etcd_managed' && host.variables.at(name) !== undefined)
      reader.report('error', host.variables.at(name), name, name === 'etcd_manifest' ? ONLY_LEAVES : ONLY_ADOPTED);
  const directory = reader.readOr(host, 'etcd_pki_dir');
  return {
    configFile: reader.readOr(host, 'etcd_config_file'),
    unit: 'etcd',
    clientUrl: httpsUrl('127.0.0.1', reader.readOr(host, 'etcd_client_port')),
    server: { certificate: `${directory}/server.crt`, key: `${directory}/server.key` },
    client: { ca: `${directory}/ca.crt`, certificate: `${directory}/client.crt`, key: `${directory}/client.key` },
  };
}

const ONLY_ADOPTED =
  'describes an existing etcd cluster, and etcd_managed is true: set etcd_managed to false, or leave this out';

const ONLY_LEAVES =
  'names a stacked member, which can only leave: put its host into the group etcd_former, and hosts for new members into the group etcd';

type FileName = `etcd_${'cert' | 'key' | 'trusted_ca' | 'client_cert' | 'client_key'}_file`;

/** Where others put things. */
function foundPlaces(host: Host, { address, reader }: MemberSource): Places {
  const file = (name: FileName): string => {
    const path = reader.read(host, name);
    if (path === undefined && host.variables.at(name) === undefined)
      reader.report(
        'error',
        host.at,
        host.name,
        `${name} is not set, and etcd_managed is false: \`provision adopt INVENTORY\` finds it`,
      );
    return path ?? '';
  };
  return {
    configFile: undefined,
    unit: (reader.read(host, 'etcd_unit') ?? 'etcd').replace(/\.service$/, ''),
    clientUrl: reader.read(host, 'etcd_client_url') ?? httpsUrl(address, reader.readOr(host, 'etcd_client_port')),
    server: { certificate: file('etcd_cert_file'), key: file('etcd_key_file') },
    client: {
      ca: file('etcd_trusted_ca_file'),
      certificate: file('etcd_client_cert_file'),
      key: file('etcd_client_key_file'),
    },
  };
}
