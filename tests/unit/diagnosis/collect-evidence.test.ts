import { expect, test } from '@jest/globals';
import { collectEvidence } from '../../../src/diagnosis/collect-evidence.js';
import { certificateFilesKey } from '../../../src/facts/certificate-files.js';
import { etcdConditionKey } from '../../../src/facts/etcd-condition.js';
import { etcdIdentityKey } from '../../../src/facts/etcd-identity.js';
import { etcdHost, healthy, SOUND_PAIR } from '../../support/etcd-answers.js';
import { RemoteError } from '../../../src/model/errors.js';
import type { Probe } from '../../../src/model/remote.js';
import { fakeProbe, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { shown } from '../../support/member-evidence.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';

const { client, clientUrl } = sampleMember(1);

/** A host of the sample cluster. @param pem of what it trusts */
function hostOf(number: number, pem: string): FakeAnswers {
  const base = etcdHost({ status: healthy(number) });
  const member = SAMPLE_CLUSTER.members[number - 1] ?? sampleMember(number);
  const seen = shown(number);
  return {
    ...base,
    clock: { now: 5 },
    'etcd-identities': { [etcdIdentityKey({ url: clientUrl, ...client })]: seen.identity },
    'etcd-condition': { [etcdConditionKey(member, SAMPLE_CLUSTER.members)]: seen.condition },
    'certificate-files': {
      ...base['certificate-files'],
      [certificateFilesKey(client.certificate, client.key)]: SOUND_PAIR,
      [certificateFilesKey(client.ca)]: { ...SOUND_PAIR, pem },
    },
  };
}

async function troublesAt(now: string, pem: string, isManaged = true): Promise<readonly unknown[]> {
  const hosts: Readonly<Record<string, FakeAnswers>> = {
    'etcd-1': hostOf(1, pem),
    'etcd-2': UNREACHABLE,
    'etcd-3': hostOf(3, pem),
  };
  const probe = (host: string): ReturnType<typeof fakeProbe> => fakeProbe(hosts[host] ?? {}, hosts, host);
  const cluster = { ...SAMPLE_CLUSTER, isManaged };
  const found = await collectEvidence({ cluster, probe, now: () => Date.parse(now) });
  return found.map((each) =>
    each.found.kind === 'lost' ? each.found : each.found.certificates.map(({ text }) => text),
  );
}

const LOST = { kind: 'lost', reason: "can't connect to it: no route", next: undefined };

test('a host that cannot be asked hides nothing of the others', async () => {
  expect(await troublesAt('2026-12-01', SOUND_PAIR.pem)).toEqual([[], LOST, []]);
});

test.each([
  ['its name before it, and a second line', 'etcd-2: no answer\nin time', 'no answer'],
  ['the name of another one before it', 'etcd-3: no answer', 'etcd-3: no answer'],
])('why a host cannot be asked is one line, without its name: %s', async (_, message, reason) => {
  const lost = new RemoteError({ code: 'unreachable', host: 'etcd-2', message, hint: 'look at it' });
  const asked = (host: string): Probe => ({
    ...{ host, ask: () => Promise.reject(lost) },
    on: () => asked(host),
  });
  const cluster = { ...SAMPLE_CLUSTER, members: [sampleMember(2)] };
  expect(await collectEvidence({ cluster, probe: asked, now: () => 0 })).toEqual([
    { member: sampleMember(2), found: { kind: 'lost', reason, next: 'look at it' } },
  ]);
});

const END = '2126-11-01T21:51:40.000Z';
const AUTHORITY = 'has /etc/etcd/pki/ca.crt, in which CN=etcd expired on 2126-11-01';
const expired = (name: string): string => `has /etc/etcd/pki/${name}.crt, which expired on 2126-11-01`;

test.each([
  ['in their last millisecond', new Date(Date.parse(END) - 1).toISOString(), true, []],
  ['at their end', END, true, [AUTHORITY, expired('server'), expired('peer'), expired('client')]],
  [
    'of an adopted member, whose peer certificate has no known place',
    END,
    false,
    [AUTHORITY, expired('server'), expired('client')],
  ],
])('all certificates of a host are asked for their time: %s', async (_, now, isManaged, troubles) => {
  expect(await troublesAt(now, SOUND_PAIR.pem, isManaged)).toEqual([troubles, LOST, troubles]);
});

test('what a host trusts is asked for its time: one valid authority suffices, none does not', async () => {
  expect((await troublesAt('2020-01-01', SOUND_PAIR.pem))[0]).toContainEqual(
    expect.stringMatching(/ca\.crt, in which CN=etcd is valid only from 2026/),
  );
  const broken = '-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n';
  expect((await troublesAt('2026-12-01', broken + SOUND_PAIR.pem))[0]).toEqual([]);
  expect((await troublesAt('2026-12-01', 'none'))[0]).toEqual(['has no authority in /etc/etcd/pki/ca.crt']);
});
