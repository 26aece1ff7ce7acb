import { posix } from 'node:path';
import type { EtcdOnHost, EtcdProcess, EtcdSettingName, UnitFiles } from '../facts/etcd-process.js';
import { absolute, type EtcdSettings } from './etcd-settings.js';
import type { Pair } from './find-client-pair.js';
import { parseUrls, type MemberUrls } from './node-place.js';
import { Obstacle } from './obstacle.js';

/** The one member that runs on a host. */
export interface MemberProcess {
  readonly process: EtcdProcess;
  /** Absent: the kubelet runs it. */
  readonly unit: string | undefined;
  /** Of its static pod, where the kubelet runs it. */
  readonly manifest: string | undefined;
  readonly files: UnitFiles;
}

/**
 * Picks the member's process among those of its host.
 * @param unit `etcd_unit`, where the inventory says which
 * @throws Obstacle when there is none, several, or one that is not a systemd service
 */
export function pickProcess(host: string, { processes, etcdctl }: EtcdOnHost, unit: string | undefined): MemberProcess {
  const contained = processes.filter(isContained);
  const services = processes.flatMap((process): readonly MemberProcess[] =>
    process.startedBy.kind === 'unit' && !isContained(process)
      ? [{ process, manifest: undefined, unit: process.startedBy.unit, files: process.startedBy.files }]
      : [],
  );
  const wanted = unit === undefined ? services : services.filter((service) => service.unit === unit);
  const [member, ...others] = wanted;
  if (member === undefined) throw notAService(host, { processes, contained, services }, unit);
  if (others.length > 0) {
    const names = wanted.map((service) => `${service.unit} (process ${service.process.pid})`).join(', ');
    throw new Obstacle('etcd-process', `several etcd run here: ${names}`, `choose one: set etcd_unit for ${host}`);
  }
  requireEtcdctl({ etcdctl });
  return member;
}

/** In a container, or as a child of the kubelet itself. */
function isContained({ startedBy }: EtcdProcess): boolean {
  return startedBy.kind === 'container' || (startedBy.kind === 'unit' && startedBy.unit === 'kubelet');
}

/** @throws Obstacle when a host has no etcdctl */
export function requireEtcdctl({ etcdctl }: Pick<EtcdOnHost, 'etcdctl'>): void {
  if (etcdctl === undefined)
    throw new Obstacle(
      'etcdctl',
      'etcdctl is not on the PATH; the gates need it to query etcd',
      `apt-get install etcd-client, or put the one of etcd's release at /usr/local/bin/etcdctl`,
    );
}

function notAService(
  host: string,
  found: {
    readonly processes: readonly EtcdProcess[];
    readonly contained: readonly EtcdProcess[];
    readonly services: readonly MemberProcess[];
  },
  unit: string | undefined,
): Obstacle {
  const [contained] = found.contained;
  if (found.services.length > 0)
    return new Obstacle(
      'etcd-process',
      `etcd runs as ${found.services.map((service) => service.unit).join(', ')}, and etcd_unit is ${unit ?? ''}`,
      `correct etcd_unit of ${host}`,
    );
  if (contained !== undefined)
    return new Obstacle(
      'etcd-process',
      `etcd (process ${contained.pid}) runs in a container; only an etcd that is a systemd service is supported, as it is restarted by its unit`,
      'a stacked etcd of kubeadm can move to hosts of its own: put its hosts into the group etcd_former, bare ones into the group etcd, and run this again (docs/runbooks/stacked-to-external.md)',
    );
  const [other] = found.processes;
  if (other !== undefined)
    return new Obstacle(
      'etcd-process',
      `etcd (process ${other.pid}) is not a systemd service: it runs in ${describeCgroup(other)}`,
      'start it by a systemd unit',
    );
  return new Obstacle(
    'etcd-process',
    'etcd is not running here; all members must be running to be adopted',
    `start it, or take ${host} out of the group etcd: ssh ${host} systemctl status etcd`,
  );
}

function describeCgroup({ startedBy }: EtcdProcess): string {
  return startedBy.kind === 'other' ? startedBy.cgroup : startedBy.kind;
}

/** What a member's settings say. */
export interface MemberSettings {
  readonly urls: MemberUrls;
  readonly server: Pair;
  readonly peer: Pair | undefined;
  readonly trustedCaFile: string;
  readonly name: string;
  readonly dataDir: string;
  readonly heartbeatIntervalMs: number;
  readonly electionTimeoutMs: number;
}

/**
 * Reads a member's settings, etcd's defaults filled in (embed/config.go).
 * @throws Obstacle when it has no TLS with certificates for servers and clients
 */
export function readSettings(process: EtcdProcess, settings: EtcdSettings): MemberSettings {
  const value = (setting: EtcdSettingName): string | undefined => settings.get(setting)?.value || undefined;
  const path = (setting: EtcdSettingName): string | undefined => {
    const found = value(setting);
    return found === undefined ? undefined : posix.normalize(absolute(found, process));
  };
  const name = value('name') ?? 'default';
  const listen = parseUrls(value('listen-client-urls') ?? 'http://localhost:2379');
  const advertised = parseUrls(value('advertise-client-urls') ?? 'http://localhost:2379');
  const urls = { listen: secure(listen), advertised: secure(advertised) };
  const peer = pair(path('peer-cert-file'), path('peer-key-file'));
  return {
    urls,
    ...requireTls(urls, {
      server: pair(path('cert-file'), path('key-file')),
      trustedCaFile: path('trusted-ca-file'),
      isAuto: value('auto-tls') === 'true',
    }),
    peer,
    name,
    dataDir: path('data-dir') ?? absolute(`${name}.etcd`, process),
    heartbeatIntervalMs: Number(value('heartbeat-interval') ?? 100),
    electionTimeoutMs: Number(value('election-timeout') ?? 1000),
  };
}

function secure(urls: MemberUrls['listen']): MemberUrls['listen'] {
  return urls.filter(({ scheme }) => scheme === 'https');
}

function pair(certificate: string | undefined, key: string | undefined): Pair | undefined {
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
}

function requireTls(
  { listen }: MemberUrls,
  files: { readonly server: Pair | undefined; readonly trustedCaFile: string | undefined; readonly isAuto: boolean },
): Pick<MemberSettings, 'server' | 'trustedCaFile'> {
  const { server, trustedCaFile } = files;
  const first = 'give the cluster TLS first (etcd.io, "Transport security model"): this is for TLS clusters only';
  if (listen.length === 0) throw new Obstacle('tls', 'etcd listens for clients without TLS (http)', first);
  if (server === undefined)
    throw new Obstacle(
      'tls',
      `etcd has no ${files.isAuto ? 'server certificate except its self-signed one (--auto-tls)' : '--cert-file'}`,
      first,
    );
  if (trustedCaFile === undefined)
    throw new Obstacle('tls', 'etcd does not require client certificates: it has no --trusted-ca-file', first);
  return { server, trustedCaFile };
}
