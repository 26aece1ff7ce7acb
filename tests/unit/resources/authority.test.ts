import { describe, expect, test } from '@jest/globals';
import { type EtcdData, etcdDataKey } from '../../../src/facts/etcd-data.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { Secret } from '../../../src/model/secret.js';
import { authorityResource } from '../../../src/resources/authority.js';
import { authPassResource } from '../../../src/resources/generated-secret.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { authorityFrom, daysFromToday, TODAY } from '../../support/test-authority.js';
import { expectRefused } from '../../support/refusals.js';

const PROFILE = { commonName: 'etcd-ca', days: 3650, keyType: 'ecdsa-p256' } as const;

const CLUSTER: Cluster = { ...SAMPLE_CLUSTER, formerMembers: [] };
const { members } = CLUSTER;
const EMPTY: EtcdData = { hasData: false, isBootstrapping: false, isConfigured: false, lone: undefined };
const MEMBER: EtcdData = { ...EMPTY, hasData: true, isConfigured: true };

/** @param data what is on the disk of each member; absent: its host does not answer */
function decide(
  certificate: string | undefined,
  now = TODAY,
  data: readonly (EtcdData | undefined)[] = members.map(() => EMPTY),
  cluster = CLUSTER,
) {
  const view = { certificate: () => certificate, trustBundle: () => certificate };
  const hosts = members.map((member, index) => {
    const found = data[index];
    return [member.host, { 'etcd-data': found === undefined ? {} : { [etcdDataKey(member)]: found } }] as const;
  });
  const resource = authorityResource(PROFILE, view, { store: cluster.certificates.store, now, cluster });
  return resource.plan(fakeProbe({}, Object.fromEntries(hosts)));
}

test('an authority that is missing is made, on the control machine, whose directories no plan names', async () => {
  expect(await decide(undefined)).toEqual({
    kind: 'change',
    change: {
      summary: 'create the certificate authority in pki, on this machine',
      diff: [
        '+ CN=etcd-ca, ecdsa-p256, 3650 days',
        '+ its key is encrypted with a passphrase, and never leaves this machine',
      ],
      actions: [{ kind: 'create-authority', profile: PROFILE }],
      effect: 'create',
      disruptive: false,
    },
  });
});

test.each<[string, readonly (EtcdData | undefined)[]]>([
  ['every member has data', members.map(() => MEMBER)],
  ['the last one has data, and another does not answer', [EMPTY, undefined, MEMBER]],
  ['the first one is bootstrapping', [{ ...EMPTY, hasData: true, isBootstrapping: true }, EMPTY, EMPTY]],
])('no authority is made beside a cluster that trusts another one: %s', async (_, data) => {
  await expect(decide(undefined, TODAY, data)).rejects.toMatchObject({
    code: 'authority-lost',
    message: expect.stringContaining('/srv/provision/pki holds no certificate authority, but etcd on etcd-'),
    hint: expect.stringMatching(
      /etcd_pki_store[^]*provision ca import \/srv\/provision\/pki[^]*to give the old cluster up/,
    ),
  });
});

describe('while members are to leave', () => {
  const [first, second, third] = members;
  if (first === undefined || second === undefined || third === undefined) throw new Error('there are three');
  const moving: Cluster = { ...CLUSTER, members: [first], formerMembers: [second, third] };

  test('no authority is made where none of them is found: they may be a stacked etcd that was not adopted', async () => {
    await expect(decide(undefined, TODAY, [EMPTY, EMPTY, EMPTY], moving)).rejects.toMatchObject({
      code: 'etcd-unsure',
      message: expect.stringContaining('etcd-2, etcd-3: members are to leave (group etcd_former)'),
      hint: expect.stringContaining('provision adopt INVENTORY'),
    });
  });

  test('one that is to leave suffices', async () => {
    const last: Cluster = { ...CLUSTER, members: [first, second], formerMembers: [third] };
    await expectRefused(decide(undefined, TODAY, [EMPTY, EMPTY, EMPTY], last), 'etcd-unsure');
  });

  test('none is made beside them', async () => {
    const data = [EMPTY, EMPTY, MEMBER];
    await expectRefused(decide(undefined, TODAY, data, moving), 'authority-lost');
  });
});

test('data that the package made at its own bootstrap is no cluster', async () => {
  const lone = { revision: 1, members: 1, peerUrls: ['http://localhost:2380'] };
  const data = members.map(() => ({ ...EMPTY, hasData: true, lone }));
  expect(await decide(undefined, TODAY, data)).toMatchObject({ kind: 'change' });
});

test('an authority that is there is left alone, also one of another kind that was brought in', async () => {
  expect(await decide((await authorityFrom(TODAY, 100, 'rsa-2048')).certificatePem)).toEqual({ kind: 'unchanged' });
});

test('an expired authority makes the plan unsafe', async () => {
  const { certificatePem } = await authorityFrom(TODAY, 10);
  await expectRefused(decide(certificatePem, daysFromToday(11)), 'authority-unusable');
});

test.each([
  ['valid only from tomorrow', async () => (await authorityFrom(daysFromToday(1))).certificatePem],
  ['unreadable', () => Promise.resolve('-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n')],
  ['empty', () => Promise.resolve('')],
])('an authority that is %s makes the plan unsafe: no new one is planned in its place', async (_, certificate) => {
  await expectRefused(decide(await certificate()), 'authority-unusable');
});

test("keepalived's generated password is kept once, and not shown", async () => {
  const secret = { value: () => new Secret('planted8'), isKept: () => false };
  const outcome = await authPassResource(secret, 'pki').plan(fakeProbe({}));
  expect(outcome).toMatchObject({ change: { actions: [{ kind: 'keep-secret', name: 'keepalived-auth-pass' }] } });
  expect(JSON.stringify(outcome)).not.toContain('planted8');
  expect(await authPassResource({ isKept: () => true }, 'pki').plan(fakeProbe({}))).toEqual({ kind: 'unchanged' });
});
