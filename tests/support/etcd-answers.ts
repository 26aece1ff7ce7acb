import { certificateFilesKey, type CertificateFiles } from '../../src/facts/certificate-files.js';
import type { EtcdData } from '../../src/facts/etcd-data.js';
import { etcdDataKey } from '../../src/facts/etcd-data.js';
import { etcdStatusKey, type EtcdStatus } from '../../src/facts/etcd-status.js';
import type { OperatingSystem } from '../../src/facts/operating-system.js';
import type { UnitState } from '../../src/facts/unit-state.js';
import { peerFiles } from '../../src/model/cluster.js';
import { sampleMember } from './sample-cluster.js';
import type { FakeAnswers } from './fake-probe.js';

/** A system that roles were tried on. */
export const BOOKWORM: OperatingSystem = {
  id: 'debian',
  version: '12',
  like: [],
  name: 'Debian GNU/Linux 12 (bookworm)',
};

/** A unit that is enabled and has run since second 1000. */
export const RUNNING: UnitState = {
  load: 'loaded',
  active: true,
  starting: false,
  enabled: true,
  maskedAtRuntime: false,
  startedAt: 1000,
  loadedAt: 1000,
  needsDaemonReload: false,
};

export const STOPPED: UnitState = { ...RUNNING, active: false, startedAt: undefined, loadedAt: undefined };

export const NOT_INSTALLED: UnitState = { ...STOPPED, load: 'not-found', enabled: false };

export const NO_DATA: EtcdData = { hasData: false, isBootstrapping: false, isConfigured: false, lone: undefined };

export const MEMBER_DATA: EtcdData = { hasData: true, isBootstrapping: false, isConfigured: true, lone: undefined };

/** What the start by the package itself leaves. */
export const LONE_DATA: EtcdData = {
  ...NO_DATA,
  hasData: true,
  lone: { revision: 1, members: 1, peerUrls: ['http://localhost:2380'] },
};

type Answering = Extract<EtcdStatus, { kind: 'answers' }>;

/** What a healthy member of the sample cluster says; `etcd-1` leads. @param number 1 to 3 */
export function healthy(number: number, changes: Partial<Answering> = {}): Answering {
  return {
    kind: 'answers',
    isHealthy: true,
    version: '3.4.23',
    clusterId: '77',
    memberId: `${number}`,
    leaderId: '1',
    isLearner: false,
    raftIndex: 5000,
    dbSize: 20480,
    revision: 40,
    members: [1, 2, 3].map((each) => ({
      id: `${each}`,
      name: `m${each}`,
      peerUrls: [`https://10.0.0.${each}:2380`],
      isLearner: false,
    })),
    alarms: [],
    ...changes,
  };
}

export const SILENT: EtcdStatus = { kind: 'silent', reason: 'connection refused' };

/** A certificate for a hundred years, of which only the dates matter. */
const LONG_LIVED = `-----BEGIN CERTIFICATE-----
MIIBdTCCARugAwIBAgIUIqfmige8xk4bk4NxE0kLfFUdl8owCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEZXRjZDAgFw0yNjExMjUyMTUxNDBaGA8yMTI2MTEwMTIxNTE0
MFowDzENMAsGA1UEAwwEZXRjZDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBmt
U/62qGsG5uSkt4AfwCjj24/dfrheF9MpI0YidlV4DjpbukK2K1yPL6fhlmikhbI9
GxSynlrfNW5YQkD/04KjUzBRMB0GA1UdDgQWBBQiIc0Ozk43oqiGeQ/a/LUJWUwH
xzAfBgNVHSMEGDAWgBQiIc0Ozk43oqiGeQ/a/LUJWUwHxzAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0gAMEUCIQCegprcqC2n/55FTZGeftvGu71J5HREuoW8
Uw0keRQ6cgIgWYF6u1G6ny7rgd+Liz13Fqa0rpY3OjSuhg6JU/XZdKA=
-----END CERTIFICATE-----
`;

/** A certificate with its key, as a host has it. */
export const SOUND_PAIR: CertificateFiles = {
  certificate: { owner: 'etcd', group: 'etcd', mode: '0644' },
  key: { owner: 'etcd', group: 'etcd', mode: '0600' },
  pem: LONG_LIVED,
  publicKey: { kind: 'unchecked' },
};

/** The answers of a host of the sample cluster about its etcd. */
export function etcdHost(given: {
  readonly data?: EtcdData;
  readonly unit?: UnitState;
  readonly status?: EtcdStatus;
  readonly server?: CertificateFiles;
  readonly peer?: CertificateFiles;
}): FakeAnswers {
  const member = sampleMember(1);
  const peer = peerFiles(member);
  return {
    'certificate-files': {
      [certificateFilesKey(member.server.certificate, member.server.key)]: given.server ?? SOUND_PAIR,
      [certificateFilesKey(peer.certificate, peer.key)]: given.peer ?? SOUND_PAIR,
    },
    'etcd-data': { [etcdDataKey(member)]: given.data ?? MEMBER_DATA },
    units: { etcd: given.unit ?? RUNNING },
    'etcd-status': { [etcdStatusKey(member)]: given.status ?? SILENT },
  };
}
