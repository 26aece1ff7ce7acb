import { beforeAll, describe, expect, test } from '@jest/globals';
import { stageOfLeaf, type RotationStage } from '../../../src/checks/rotation-stage.js';
import { authorityMove } from '../../../src/day-two/authority-move.js';
import { rotationPlays } from '../../../src/day-two/rotation-plays.js';
import { nextAuthority, stageView } from '../../../src/day-two/rotation-view.js';
import { certificateFiles, certificateFilesKey } from '../../../src/facts/certificate-files.js';
import { fileState } from '../../../src/facts/file-state.js';
import { presentedCertificate, presentedKey } from '../../../src/facts/presented-certificate.js';
import { unitState } from '../../../src/facts/unit-state.js';
import { gateTable } from '../../../src/gates/table.js';
import { orderTable } from '../../../src/gates/orders.js';
import type { AuthorityMove } from '../../../src/model/authority-move.js';
import { peerFiles } from '../../../src/model/cluster.js';
import { authorityProfile, balancerCertificates, memberCertificates } from '../../../src/pki/certificate-list.js';
import type { StoreRotation } from '../../../src/pki/authority.js';
import { issueCertificate, makeAuthority } from '../../../src/pki/issue.js';
import type { Play } from '../../../src/playbook/play.js';
import { pathsOf } from '../../../src/resources/judge-certificate.js';
import { CLUSTER as CHECKED, checkedCluster, pem, signAll } from '../../support/checked-cluster.js';
import { fakeProbe, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER, SAMPLE_SERVICE, sampleMember } from '../../support/sample-cluster.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';

const EMPTY = { certificate: () => undefined, trustBundle: () => undefined };
const RULES = { authority: EMPTY, now: TODAY, renewBeforeDays: 30 };
const STORE = '/srv/pki';

function playsOf(stage: RotationStage, direction: 'forward' | 'back' = 'forward'): readonly Play[] {
  return rotationPlays({ cluster: SAMPLE_CLUSTER, stage, direction, signing: 'old', rules: RULES, store: STORE });
}

/** `play / host: address address`, of the first host of each. */
function linesOf(plays: readonly Play[]): readonly string[] {
  return plays.flatMap(({ name, resources }) =>
    [...resources]
      .slice(0, 1)
      .map(([host, own]) => `${name} / ${host}: ${own.map(({ address }) => address).join(' ')}`),
  );
}

const TRUSTS = [
  'Whom the members trust / etcd-1: trust:/etc/etcd/pki/ca.crt etcd-member:m1',
  'Whom the balancers of etcd trust / etcd-1: trust:/etc/haproxy/etcd-ca.crt service:haproxy',
  'Whom the API servers trust / cp-1: trust:/etc/kubernetes/pki/etcd/ca.crt static-pod-start:/etc/kubernetes/manifests/kube-apiserver.yaml',
];
const CLIENTS = [
  'Renew certificates of the members / etcd-1: certificate:/etc/etcd/pki/client.crt',
  'Renew certificates of the balancers of etcd / etcd-1: certificate:/etc/haproxy/etcd-client.pem service:haproxy',
  'Renew certificates of the API servers / cp-1: certificate:/etc/kubernetes/pki/apiserver-etcd-client.crt',
];
const MEMBERS = [
  'Renew certificates of the members / etcd-1: certificate:/etc/etcd/pki/server.crt certificate:/etc/etcd/pki/peer.crt',
];
const first = (move: AuthorityMove): string => `The authority on this machine / etcd-1: authority:${move}`;
const LAST = 'The end of the rotation / etcd-1: authority:finish';

describe('the plays of a stage', () => {
  test.each([
    ['bundle', 'forward', [first('trust-both'), ...TRUSTS]],
    ['clients', 'forward', [first('sign-by-new'), ...CLIENTS]],
    ['members', 'forward', [first('sign-by-new'), ...MEMBERS]],
    ['drop', 'forward', [first('trust-new'), ...TRUSTS, LAST]],
    ['members', 'back', [first('sign-by-old'), ...MEMBERS]],
    ['clients', 'back', [first('sign-by-old'), ...CLIENTS]],
    ['bundle', 'back', [first('trust-old'), ...TRUSTS, LAST]],
  ] as const)('%s, %s', (stage, direction, lines) => {
    expect(linesOf(playsOf(stage, direction))).toEqual(lines);
  });

  test('reissue each certificate in just the stage that waits for it, also those of a proxy that ends TLS', () => {
    const termination = { server: '/etc/haproxy/etcd-server.pem', client: '/etc/haproxy/etcd-proxy.pem' };
    const cluster = { ...SAMPLE_CLUSTER, services: [{ ...SAMPLE_SERVICE, termination }] };
    const certificates = balancerCertificates(cluster, { ...SAMPLE_SERVICE, termination });
    for (const stage of ['clients', 'members'] as const) {
      const plays = rotationPlays({ cluster, stage, direction: 'forward', signing: 'new', rules: RULES, store: STORE });
      const reissued = linesOf(plays).filter((line) => line.includes('balancers'));
      const paths = certificates
        .filter(({ name }) => stageOfLeaf(name) === stage)
        .map(({ destination }) => `certificate:${pathsOf(destination).certificatePath}`);
      expect(reissued).toEqual([
        `Renew certificates of the balancers of etcd / etcd-1: ${paths.join(' ')} service:haproxy`,
      ]);
    }
  });

  test('a certificate that is shown to who connects is of the stage of members', () => {
    const all = [
      ...memberCertificates(SAMPLE_CLUSTER, sampleMember(1)),
      ...balancerCertificates(SAMPLE_CLUSTER, {
        ...SAMPLE_SERVICE,
        termination: { server: '/etc/haproxy/etcd-server.pem', client: '/etc/haproxy/etcd-proxy.pem' },
      }),
    ];
    for (const { name, profile } of all)
      expect([name, stageOfLeaf(name)]).toEqual([name, profile.usages.includes('server') ? 'members' : 'clients']);
  });

  test('reach every member, the balancers of every service, and every control plane', () => {
    const [plane] = SAMPLE_CLUSTER.controlPlanes;
    const controlPlanes = [
      ...SAMPLE_CLUSTER.controlPlanes,
      ...(plane === undefined ? [] : [{ ...plane, host: 'cp-2' }]),
    ];
    const services = [SAMPLE_SERVICE, { ...SAMPLE_SERVICE, name: 'kube-apiserver' as const }];
    const cluster = { ...SAMPLE_CLUSTER, controlPlanes, services };
    const plays = rotationPlays({
      ...{ cluster, stage: 'bundle', direction: 'forward', signing: 'old', rules: RULES, store: STORE },
    });
    expect(plays.map(({ name, hosts }) => `${name}: ${hosts.join(' ')}`)).toEqual([
      'The authority on this machine: etcd-1',
      'Whom the members trust: etcd-1 etcd-2 etcd-3',
      'Whom the balancers of etcd trust: etcd-1 etcd-2 etcd-3',
      'Whom the balancers of kube-apiserver trust: etcd-1 etcd-2 etcd-3',
      'Whom the API servers trust: cp-1 cp-2',
    ]);
  });

  test('go through one host after another, with gates and orders that there are', () => {
    const gates = [...gateTable(SAMPLE_CLUSTER, () => TODAY).keys()];
    const orders = [...orderTable(SAMPLE_CLUSTER).keys()];
    for (const play of [...playsOf('bundle'), ...playsOf('clients'), ...playsOf('members'), ...playsOf('drop')]) {
      if (play.hosts.length > 1) expect(play.batchSize).toBe(1);
      expect(orders).toContain(play.order);
      for (const gate of [...play.gatesBefore, ...play.gatesAfter]) expect(gates).toContain(gate);
    }
  });
});

const MEMBER = sampleMember(1);
const ALONE = { ...SAMPLE_CLUSTER, members: [MEMBER], services: [], controlPlanes: [] };
const PEER = peerFiles(MEMBER);
const LEAVES = [
  [MEMBER.server.certificate, MEMBER.server.key],
  [PEER.certificate, PEER.key],
  [MEMBER.client.certificate, MEMBER.client.key],
] as const;
const ENDS = [
  presentedKey({ url: MEMBER.clientUrl, ...MEMBER.client }),
  presentedKey({ url: 'https://10.0.0.1:2380', ...PEER }),
] as const;

test('hosts trust all that a stage says, one after the other', () => {
  const rotation = { old: 'A', new: 'B', others: ['C', 'D'], signing: 'old', trusted: 'both' } as const;
  const view = stageView({ ...EMPTY, rotation: () => rotation }, { signing: 'new', trusted: 'both' });
  expect([view.trustBundle(), view.certificate()]).toEqual(['ABCD', 'B']);
});

describe('an authority is dropped only where nobody uses it', () => {
  let rotation: StoreRotation;
  let leafOf: Readonly<Record<'old' | 'new', string>>;

  beforeAll(async () => {
    const [old, next] = [await authorityFrom(TODAY), await authorityFrom(TODAY, 3000, 'rsa-2048')];
    const sign = async (authority: typeof old): Promise<string> =>
      (await issueCertificate(authority, SERVER_PROFILE, circumstancesAt(TODAY))).certificatePem;
    rotation = { old: old.certificatePem, new: next.certificatePem, others: [], signing: 'new', trusted: 'both' };
    leafOf = { old: await sign(old), new: await sign(next) };
  });

  /** @param files of the three leaves @param shown to clients, and to other members */
  function answers(files: readonly ('old' | 'new')[], shown: readonly ('old' | 'new' | 'silent')[]): FakeAnswers {
    const stat = { owner: 'etcd', group: 'etcd', mode: '0600' };
    const held = (pem: string): unknown => ({ certificate: stat, key: stat, pem, publicKey: { kind: 'unchecked' } });
    return {
      [certificateFiles.name]: {
        [certificateFilesKey(MEMBER.client.ca)]: held(rotation.old + rotation.new),
        ...Object.fromEntries(
          LEAVES.map(([path, key], index) => [certificateFilesKey(path, key), held(leafOf[files[index] ?? 'new'])]),
        ),
      },
      [fileState.name]: { [MEMBER.client.ca]: { kind: 'file', changedAt: 10 } },
      [unitState.name]: { etcd: { startedAt: 20 } },
      [presentedCertificate.name]: Object.fromEntries(
        ENDS.map((key, index) => {
          const signer = shown[index] ?? 'new';
          const silent = { kind: 'silent', reason: 'x' };
          return [key, signer === 'silent' ? silent : { kind: 'presented', pem: leafOf[signer] }];
        }),
      ),
    };
  }

  async function decided(move: AuthorityMove, found: FakeAnswers, is: Partial<StoreRotation> = {}): Promise<string> {
    const authority = { ...EMPTY, rotation: () => ({ ...rotation, ...is }) };
    const profile = authorityProfile(ALONE);
    const resource = authorityMove({ move, cluster: ALONE, authority, profile, store: STORE });
    try {
      const outcome = await resource.plan(fakeProbe(found, { 'etcd-1': found }, 'etcd-1'));
      return outcome.kind;
    } catch (error) {
      return (error as Error).message;
    }
  }

  test.each([
    ['trust-both', { trusted: 'both' }, 'unchanged'],
    ['trust-both', { trusted: 'old' }, 'change'],
    ['trust-both', { trusted: 'new' }, 'change'],
    ['trust-new', { trusted: 'both' }, 'change'],
    ['sign-by-new', { signing: 'new' }, 'unchanged'],
    ['sign-by-new', { signing: 'old' }, 'change'],
    ['sign-by-old', { signing: 'old' }, 'unchanged'],
    ['sign-by-old', { signing: 'new' }, 'change'],
    ['finish', { signing: 'new' }, 'change'],
  ] as const)('the step %s is decided by the store: %j', async (move, is, kind) => {
    expect(await decided(move, answers(['new', 'new', 'new'], ['new', 'new']), is)).toBe(kind);
  });

  test('the way back is made where the store trusts the old one alone', async () => {
    const old = answers(['old', 'old', 'old'], ['old', 'old']);
    expect(await decided('trust-old', old, { signing: 'old', trusted: 'old' })).toBe('unchanged');
    expect(await decided('trust-old', old, { signing: 'old', trusted: 'both' })).toBe('change');
  });

  test('the second authority is shown with its name, its place, its key, and who signs until then', async () => {
    const resource = authorityMove({
      ...{ move: 'trust-both', cluster: ALONE, authority: EMPTY, store: STORE },
      profile: { commonName: 'etcd-ca-2', days: 3650, keyType: 'ecdsa-p256' },
    });
    expect(await resource.plan(fakeProbe({}))).toMatchObject({
      change: {
        summary: 'create a second certificate authority in /srv/pki, on this machine',
        diff: [
          '+ CN=etcd-ca-2, ecdsa-p256, 3650 days, in /srv/pki/next',
          '+ its key is encrypted with the passphrase of the old one, and never leaves this machine',
          '  the old one signs until the next stage',
        ],
      },
    });
  });

  test('all is of the new one', async () => {
    expect(await decided('trust-new', answers(['new', 'new', 'new'], ['new', 'new']))).toBe('change');
    // Asked again where the store has been told already.
    const told = { trusted: 'new' } as const;
    expect(await decided('trust-new', answers(['new', 'new', 'new'], ['new', 'new']), told)).toBe('unchanged');
    expect(await decided('trust-new', answers(['old', 'new', 'new'], ['new', 'new']), told)).toContain('is in use');
  });

  test.each([
    ['a file', ['new', 'new', 'old'], ['new', 'new'], '/etc/etcd/pki/client.crt on etcd-1'],
    ['what clients see, whatever lies on the disk', ['new', 'new', 'new'], ['old', 'new'], 'what m1 shows to clients'],
    [
      'what members see',
      ['new', 'new', 'new'],
      ['new', 'old'],
      'what m1 shows to other members, https://10.0.0.1:2380',
    ],
    ['who shows nothing', ['new', 'new', 'new'], ['silent', 'new'], 'it showed no certificate'],
  ] as const)('%s', async (_, files, shown, told) => {
    expect(await decided('trust-new', answers(files, shown))).toContain(told);
  });

  test('what a balancer has not read yet, with its host and the file', async () => {
    await signAll();
    const { probe } = checkedCluster({
      'file-states': () => ({ kind: 'file', changedAt: 2000 }),
      'presented-certificates': () => ({ kind: 'silent', reason: 'x' }),
    });
    const is = { ...rotation, old: rotation.new, new: pem };
    const authority = { ...EMPTY, rotation: () => is };
    const resource = authorityMove({
      ...{ move: 'trust-new', cluster: CHECKED, authority, profile: authorityProfile(CHECKED), store: STORE },
    });
    await expect(resource.plan(probe('etcd-1'))).rejects.toThrow(
      /what runs on etcd-1: \/etc\/haproxy\/etcd-client\.pem is newer.*what runs on etcd-3: \/etc\/haproxy\/etcd-client\.pem is newer/s,
    );
  });

  test('nor is the new one, on the way back', async () => {
    const signs = { signing: 'old' } as const;
    expect(await decided('trust-old', answers(['old', 'old', 'old'], ['old', 'old']), signs)).toBe('change');
    expect(await decided('trust-old', answers(['old', 'old', 'old'], ['old', 'new']), signs)).toContain(
      'the new authority is not dropped while it is in use: what m1 shows to other members',
    );
  });

  test('a stage sees the store as it will be after its first step', () => {
    const authority = { ...EMPTY, rotation: () => rotation };
    const view = stageView(authority, { signing: 'old', trusted: 'new' });
    expect([view.certificate(), view.trustBundle()]).toEqual([rotation.old, rotation.new]);
    // Before there is a new one, what both are is not known.
    const before = stageView({ ...EMPTY, trustBundle: () => rotation.old }, { signing: 'old', trusted: 'both' });
    expect(before.trustBundle()).toBeUndefined();
  });

  test('the next one has a name of its own', () => {
    const usual = authorityProfile(ALONE);
    const named = (certificate: string | undefined): string =>
      nextAuthority({ ...EMPTY, certificate: () => certificate }, usual).commonName;
    expect([named(undefined), named(rotation.old)]).toEqual(['etcd-ca', 'etcd-ca-2']);
  });

  test.each([
    ['etcd-ca-2', 'etcd-ca-3'],
    ['etcd-ca-9', 'etcd-ca-10'],
    ['etcd-ca-2-prod', 'etcd-ca-2-prod-2'],
  ])('after %s comes %s', async (commonName, next) => {
    const { certificatePem } = await makeAuthority(
      { commonName, days: 10, keyType: 'ecdsa-p256' },
      circumstancesAt(TODAY),
    );
    const view = { ...EMPTY, certificate: () => certificatePem };
    expect(nextAuthority(view, authorityProfile(ALONE)).commonName).toBe(next);
  });
});
