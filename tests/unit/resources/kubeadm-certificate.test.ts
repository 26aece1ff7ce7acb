import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Outcome, Resource } from '../../../src/model/change.js';
import type { Probe } from '../../../src/model/remote.js';
import { KUBEADM_CERTIFICATES, stackedCertificates } from '../../../src/model/kubeadm-certificate.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { kubeadmCertificate, type KubeadmDue } from '../../../src/resources/kubeadm-certificate.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { kubeadmHost, leafOf, MANIFEST, STACKED_MANIFEST, type KubeadmHost } from '../../support/kubeadm-answers.js';
import { shownChange } from '../../support/shown-change.js';
import { authorityFrom, daysFromToday, TODAY } from '../../support/test-authority.js';

const PKI = '/etc/kubernetes/pki';
let authority: SigningAuthority;
let long = '';
let short = '';

beforeAll(async () => {
  authority = await authorityFrom(daysFromToday(-400));
  long = await leafOf(authority, TODAY);
  short = await leafOf(authority, daysFromToday(-360));
});

const ENDING: KubeadmDue = { kind: 'ending', beforeDays: 30 };

interface When {
  readonly due?: KubeadmDue;
  readonly now?: number;
}

async function planned(name: string, host: Partial<KubeadmHost>, when: When = {}): Promise<Outcome> {
  const [resource, probe] = resourceOf(name, host, when);
  return resource.plan(probe);
}

async function doubtOf(name: string, host: Partial<KubeadmHost>): Promise<string | undefined> {
  const [resource, probe] = resourceOf(name, host, {});
  return resource.doubt?.(probe);
}

function resourceOf(
  name: string,
  host: Partial<KubeadmHost>,
  { due = ENDING, now = TODAY.getTime() }: When,
): readonly [Resource, Probe] {
  const certificate = [...KUBEADM_CERTIFICATES, ...stackedCertificates(STACKED_MANIFEST)].find(
    (each) => each.name === name,
  );
  if (certificate === undefined) throw new Error(`there is no ${name}`);
  const rules = { due, now: () => now, imageRepository: 'registry.k8s.io', manifest: MANIFEST };
  const answers = kubeadmHost({ authority, pem: short, ...host });
  return [kubeadmCertificate(certificate, rules), fakeProbe(answers, {}, 'cp-1')];
}

const summaryOf = (outcome: Outcome): string => (outcome.kind === 'change' ? outcome.change.summary : outcome.kind);

describe('a certificate of kubeadm is renewed', () => {
  test.each(['apiserver', 'admin.conf', 'front-proxy-client', 'scheduler.conf'])(
    'where it ends soon: %s',
    async (name) => {
      expect(summaryOf(await planned(name, {}))).toMatch(
        /^renew \/etc\/kubernetes\/\S+ with kubeadm: it ends on 2026-11-26$/,
      );
      expect(summaryOf(await planned(name, { pem: long }))).toBe('unchanged');
    },
  );

  test.each(['etcd-server', 'etcd-peer', 'etcd-healthcheck-client', 'apiserver-etcd-client'])(
    'of a stacked member, as long as that is there: %s',
    async (name) => {
      const outcome = await planned(name, { isStacked: true });
      expect(summaryOf(outcome)).toContain(`renew ${PKI}/`);
      expect(outcome.kind === 'change' ? outcome.change.diff[0] : '').toContain(`${PKI}/etcd/ca.crt, which ends on`);
      const [action] = outcome.kind === 'change' ? outcome.change.actions : [];
      expect(action?.kind === 'run' ? action.command.script : '').toContain(` ${name} ${PKI} `);
      expect(summaryOf(await planned(name, { isStacked: false }))).toBe('unchanged');
    },
  );

  test.each(['etcd-server', 'apiserver-etcd-client'])(
    'of a stacked member not where kubeadm-config names another etcd, with a word on it: %s',
    async (name) => {
      const left = { isStacked: true, etcdOfConfig: 'external' } as const;
      expect(summaryOf(await planned(name, left))).toBe('unchanged');
      expect(summaryOf(await planned(name, { ...left, etcdOfConfig: 'local' }))).toContain('renew ');
      expect(await doubtOf(name, left)).toMatch(/ ends on 2026-11-26, and kubeadm renews it no more: /);
      expect(await doubtOf(name, { ...left, etcdOfConfig: 'local' })).toBeUndefined();
      expect(await doubtOf(name, { ...left, pem: long })).toBeUndefined();
      expect(await doubtOf(name, { ...left, isStacked: false })).toBeUndefined();
    },
  );

  test('where it has ended, for good; and not where it is not there', async () => {
    const ended = await leafOf(authority, daysFromToday(-370));
    const outcome = await planned('apiserver', { pem: ended });
    expect(outcome.kind === 'change' ? outcome.change.actions : []).toEqual([
      expect.objectContaining({ undo: { lasting: `${PKI}/apiserver.crt stays renewed: the old one has ended` } }),
    ]);
    expect(summaryOf(await planned('admin.conf', { pem: ended }))).toContain('it ended on 2026-11-16');
    expect(summaryOf(await planned('super-admin.conf', { others: { 'super-admin.conf': undefined } }))).toBe(
      'unchanged',
    );
  });

  // The run began 60 s ago by this machine's clock; the host's is hours behind.
  test.each([
    ['changed before the run began', 61, 'renew'],
    ['changed since the run began', 59, 'unchanged'],
  ])('by request, once: %s', async (_, ageS, what) => {
    const begun = TODAY.getTime() - 60_000;
    const now = TODAY.getTime() - 7_200_000;
    const host = { pem: long, now, changedAt: now / 1000 - ageS };
    expect(summaryOf(await planned('apiserver', host, { due: { kind: 'asked', begun } }))).toMatch(
      new RegExp(`^${what}`),
    );
  });

  test('by a change that says what signs it, how long, and who shows it', async () => {
    const shown = async (name: string, when: When = {}): Promise<readonly string[]> =>
      shownChange(await planned(name, {}, when));
    const [LASTS, KEEPS] = [
      "which ends on 2035-10-15, signs it for as long as kubeadm's configuration says: usually a year",
      '  with a new key; its subject and all its names stay',
    ];
    const [conf, pki] = ['/etc/kubernetes/controller-manager.conf', `${PKI}/front-proxy-client.crt`];
    expect(await shown('controller-manager.conf')).toEqual([
      `renew ${conf} with kubeadm: it ends on 2026-11-26`,
      ...[`  ${PKI}/ca.crt, ${LASTS}`, KEEPS, '  only kube-controller-manager shows it'],
      ...[`$ kubeadm certs renew controller-manager.conf (at ${conf})`, `back: restore ${conf}`],
    ]);
    expect(await shown('front-proxy-client', { now: daysFromToday(6).getTime() })).toEqual([
      `renew ${pki} with kubeadm: it ended on 2026-11-26`,
      ...[`  ${PKI}/front-proxy-ca.crt, ${LASTS}`, KEEPS],
      ...[`$ kubeadm certs renew front-proxy-client (at ${pki})`, `stays: ${pki} stays renewed: the old one has ended`],
    ]);
    const [resource] = resourceOf('front-proxy-client', {}, {});
    expect(resource.address).toBe('kubeadm-certificate:front-proxy-client');
  });

  test('by its kubeadm, rolled back before all else, and by the serial of the old one', async () => {
    const outcome = await planned('apiserver', {});
    if (outcome.kind !== 'change') throw new Error('nothing would be done');
    expect(outcome.change.disruptive).toBe(false);
    const serial = new X509Certificate(short).serialNumber.toLowerCase();
    expect(outcome.change.actions).toEqual([
      expect.objectContaining({
        kind: 'run',
        restores: 'all',
        command: expect.objectContaining({
          script: expect.stringContaining('kubeadm certs renew') as unknown,
        }) as unknown,
        undo: expect.objectContaining({
          script: expect.stringContaining(`kubeadm-certs-${serial}.0`) as unknown,
        }) as unknown,
      }),
    ]);
  });

  test('copies of an administrator are named, of this cluster and this user alone', async () => {
    const other = await authorityFrom(daysFromToday(-400));
    const copies = [
      { path: '/root/.kube/config', pem: long },
      { path: '/home/a/.kube/config', pem: await leafOf(other, TODAY) },
      { path: '/home/b/.kube/config', pem: await leafOf(authority, TODAY, { commonName: 'jane' }) },
      // Of several clusters: it is not written over.
      { path: '/home/c/.kube/config', pem: long + short },
    ];
    const outcome = await planned('admin.conf', { copies });
    const diff = outcome.kind === 'change' ? outcome.change.diff : [];
    expect(diff.filter((line) => line.includes('.kube'))).toEqual([
      '! /root/.kube/config holds a copy, which stays as it is: ssh cp-1 sudo cp -T /etc/kubernetes/admin.conf /root/.kube/config',
    ]);
  });

  test.each([
    [365, true],
    [366, false],
  ])('an authority that has %i days and a second less is reported: %s', async (days, isShort) => {
    const old = await authorityFrom(daysFromToday(-400), 400 + days);
    const host = { authority: old, pem: await leafOf(old, daysFromToday(-360)) };
    const outcome = await planned('apiserver', host, { now: TODAY.getTime() + 1000 });
    expect(outcome.kind === 'change' && outcome.change.diff.some((line) => line.startsWith('! its authority'))).toBe(
      isShort,
    );
  });

  test('an authority that ends before is reported, and not renewed', async () => {
    const old = await authorityFrom(daysFromToday(-400), 500);
    const outcome = await planned('apiserver', { authority: old, pem: await leafOf(old, daysFromToday(-360)) });
    expect(outcome.kind === 'change' ? outcome.change.diff.at(-1) : '').toBe(
      '! its authority ends before that, and is not renewed here',
    );
  });
});

describe('a renewal is refused', () => {
  test('where the key of the authority is elsewhere, with what to do', async () => {
    await expect(planned('apiserver', { keyElsewhere: true })).rejects.toMatchObject({
      code: 'kubeadm-authority-elsewhere',
      message: `cp-1: ${PKI}/apiserver.crt can't be renewed here: the key of its authority is not on the host (${PKI}/ca.key)`,
      hint: expect.stringContaining('kubeadm certs generate-csr') as unknown,
    });
    // Nothing is due: nobody needs the key.
    expect(summaryOf(await planned('apiserver', { keyElsewhere: true, pem: long }))).toBe('unchanged');
  });

  test.each([
    ['it can not be read', { pem: 'nothing' }, 'kubeadm-cannot-renew', 'holds no readable certificate'],
    ['there is no kubeadm', { kubeadm: undefined }, 'no-kubeadm', 'there is none'],
    ['it is a link', { link: '/srv/a.crt' }, 'kubeadm-cannot-renew', 'is a symbolic link to /srv/a.crt'],
    ['there is no openssl', { withoutOpenssl: true }, 'kubeadm-cannot-renew', 'there is no openssl'],
    [
      'kubeadm keeps others',
      { serving: '/srv/pki/apiserver.crt' },
      'kubeadm-cannot-renew',
      'keeps certificates in /srv/pki',
    ],
    ['kubeadm is too old', { kubeadm: 'v1.19.16' }, 'kubeadm-cannot-renew', 'v1.20 or newer is needed'],
  ] as const)('where %s', async (_, host, code, message) => {
    await expect(planned('apiserver', host)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as unknown,
    });
  });

  test('but not where the usual directory is a link to that of kubeadm, as kubespray has it', async () => {
    const outcome = await planned('apiserver', {
      serving: '/etc/kubernetes/ssl/apiserver.crt',
      pkiLeadsTo: '/etc/kubernetes/ssl',
    });
    expect(summaryOf(outcome)).toContain('renew ');
  });

  test('where another authority has signed it, or its own has ended', async () => {
    const other = await authorityFrom(daysFromToday(-400));
    const ended = await authorityFrom(daysFromToday(-400), 380);
    await expect(planned('apiserver', { pem: await leafOf(other, daysFromToday(-360)) })).rejects.toMatchObject({
      message: expect.stringContaining(`was not signed by ${PKI}/ca.crt`) as unknown,
    });
    await expect(
      planned('apiserver', { authority: ended, pem: await leafOf(ended, daysFromToday(-360)) }),
    ).rejects.toMatchObject({ message: expect.stringContaining('which has ended') as unknown });
  });
});
