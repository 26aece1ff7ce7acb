import { beforeAll, describe, expect, test } from '@jest/globals';
import { checkRotation } from '../../../src/checks/rotation.js';
import { certificateFilesKey } from '../../../src/facts/certificate-files.js';
import type { Cluster } from '../../../src/model/cluster.js';
import type { StoreRotation } from '../../../src/pki/authority.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import { contextOf, linesOf, UNREACHABLE } from '../../support/check-context.js';
import type { FakeAnswers } from '../../support/fake-probe.js';
import { fixture } from '../../support/fixture.js';
import { SAMPLE_CLUSTER, SAMPLE_SERVICE, sampleBalancer, sampleMember } from '../../support/sample-cluster.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';

const MEMBER = sampleMember(1);
const CLUSTER: Cluster = {
  ...SAMPLE_CLUSTER,
  members: [MEMBER],
  services: [{ ...SAMPLE_SERVICE, balancers: [sampleBalancer(1)] }],
};
const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const PKI = '/etc/kubernetes/pki';
const TRUSTS = [MEMBER.client.ca, '/etc/haproxy/etcd-ca.crt', `${PKI}/etcd/ca.crt`];
const PEM = '/etc/haproxy/etcd-client.pem';

let rotation: StoreRotation;
let leafOf: Readonly<Record<'old' | 'new' | 'other', string>>;

beforeAll(async () => {
  const made = [await authorityFrom(TODAY), await authorityFrom(TODAY, 3000), await authorityFrom(TODAY, 2000)];
  const [old, next, other] = await Promise.all(
    made.map(async (each) => (await issueCertificate(each, SERVER_PROFILE, circumstancesAt(TODAY))).certificatePem),
  );
  leafOf = { old: old ?? '', new: next ?? '', other: other ?? '' };
  const [first, second] = made.map(({ certificatePem }) => certificatePem);
  rotation = { old: first ?? '', new: second ?? '', others: [], signing: 'new', trusted: 'both' };
});

interface Found {
  /** PEM of each file of authorities. */
  readonly trusts?: readonly string[];
  readonly server?: 'old' | 'new' | 'other';
  readonly pem?: 'old' | 'new';
  /** When each file was changed; processes were started, or loaded, at 100. */
  readonly changedAt?: Readonly<Record<string, number>>;
  readonly processes?: readonly number[];
}

function answers(found: Found): Readonly<Record<'etcd-1' | 'cp-1', FakeAnswers>> {
  const { server = 'old', pem = 'new', changedAt = {}, processes = [100] } = found;
  const both = rotation.old + rotation.new;
  const held = (text: string): unknown => ({ pem: text });
  const files = {
    [certificateFilesKey(MEMBER.server.certificate, MEMBER.server.key)]: held(leafOf[server]),
    [certificateFilesKey('/etc/etcd/pki/peer.crt', '/etc/etcd/pki/peer.key')]: held(leafOf[server]),
    [certificateFilesKey(MEMBER.client.certificate, MEMBER.client.key)]: held(leafOf.new),
    [certificateFilesKey(PEM, PEM)]: held(leafOf[pem]),
    [certificateFilesKey(`${PKI}/apiserver-etcd-client.crt`, `${PKI}/apiserver-etcd-client.key`)]: held(leafOf.new),
    ...Object.fromEntries(
      TRUSTS.map((path, index) => [certificateFilesKey(path), held(found.trusts?.[index] ?? both)]),
    ),
  };
  const states = Object.fromEntries(
    [...TRUSTS, PEM].map((path) => [path, { kind: 'file', changedAt: changedAt[path] ?? 50 }]),
  );
  const common = { 'certificate-files': files, 'file-states': states };
  return {
    'etcd-1': {
      ...common,
      units: { etcd: { startedAt: 100, loadedAt: 100 }, haproxy: { startedAt: 1, loadedAt: 100 } },
    },
    'cp-1': {
      ...common,
      'file-contents': { [MANIFEST]: fixture('manifests/kube-apiserver.yaml') },
      'program-starts': { 'kube-apiserver': processes.map((startedAt) => ({ pid: 1, startedAt })) },
    },
  };
}

async function told(found: Found | typeof UNREACHABLE, is: Partial<StoreRotation> = {}): Promise<string> {
  const authority = {
    certificate: () => rotation.new,
    trustBundle: () => rotation.new + rotation.old,
    rotation: () => ({ ...rotation, ...is }),
  };
  const certificates = { authority, now: TODAY, renewBeforeDays: 30 };
  const hosts = found === UNREACHABLE ? ({ 'etcd-1': found, 'cp-1': found } as const) : answers(found);
  return (await linesOf(checkRotation, contextOf(hosts, { cluster: CLUSTER, certificates }))).join('\n');
}

describe('a rotation in progress', () => {
  test('is a warning, with the stage that is next', async () => {
    expect(await told({})).toMatch(
      /^warn rotation .*next: stage 3 of 4, members: .* \(of 3 files of trusted authorities 3 hold both \(3 read by the process that runs\), 0 the new one alone; signed by the new one: 3 of 3 certificates of clients, 0 of 2 certificates of members\)$/,
    );
  });

  // [title, what is found, the stage]
  test.each([
    ['all leaves are of the new one', { server: 'new' }, 'drop'],
    ['etcd is older than its file', { changedAt: { [MEMBER.client.ca]: 101 } }, 'bundle'],
    ['haproxy was not reloaded since', { changedAt: { '/etc/haproxy/etcd-ca.crt': 101 } }, 'bundle'],
    ['the API server is older than its file', { changedAt: { [`${PKI}/etcd/ca.crt`]: 101 } }, 'bundle'],
    ['one API server of two is', { changedAt: { [`${PKI}/etcd/ca.crt`]: 90 }, processes: [100, 80] }, 'bundle'],
    ['no API server runs', { changedAt: { [`${PKI}/etcd/ca.crt`]: 101 }, processes: [] }, 'members'],
    ['haproxy shows an old certificate', { pem: 'old' }, 'clients'],
    ['haproxy has not loaded the new one', { changedAt: { [PEM]: 101 } }, 'clients'],
  ] as const)('%s', async (_, found, stage) => {
    expect(await told(found)).toMatch(new RegExp(`^warn rotation .*next: stage \\d of 4, ${stage}:`));
  });

  test('a file of somebody else, or a leaf, is a failure', async () => {
    expect(await told({ server: 'other' })).toMatch(/^fail .*server\.crt on etcd-1 was signed by none of the store/);
    const stranger = rotation.old + rotation.new + leafOf.other;
    expect(await told({ trusts: [stranger] })).toMatch(/^fail .*ca\.crt on etcd-1 does not hold just the authority/);
    // What the store has beside both is no stranger.
    expect(await told({ trusts: [stranger] }, { others: [leafOf.other] })).toMatch(/^warn /);
  });

  test('where hosts can not be asked, its stage is not known', async () => {
    expect(await told(UNREACHABLE)).toMatch(/^warn rotation .*its stage is not known: .*connection refused/);
  });

  test('none is in progress: nothing is asked', async () => {
    expect(await linesOf(checkRotation, contextOf({}))).toEqual([]);
  });
});
