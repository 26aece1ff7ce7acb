import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { makeAuthority } from '../../src/pki/issue.js';
import type { SigningAuthority } from '../../src/pki/signing-authority.js';
import { expireCertificate } from '../support/expire-certificate.js';
import { partOfThisCommit } from '../support/kill-points.js';
import { describeOnLab } from '../support/lab.js';
import {
  endOf,
  passphraseFile,
  plannedChanges,
  READYZ,
  runVerb,
  unhealthyThrough,
  vipOf,
} from '../support/main-job.js';
import { circumstancesAt } from '../support/test-authority.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const [CLIENT, SERVER, PEER] = ['client', 'server', 'peer'].map((name) => `/etc/etcd/pki/${name}`) as [
  string,
  string,
  string,
];
const BUNDLE = '/etc/haproxy/etcd-client.pem';
const APISERVER = '/etc/kubernetes/pki/apiserver-etcd-client.crt';

function daysAgo(days: number): Date {
  return new Date(Date.now() - days * DAY_MS);
}

/** Each repair takes up to a minute. */
const FAULTS_A_RUN = 4;

const partOf = partOfThisCommit(10);

describeOnLab('certificates that nobody has renewed', 'expired', { etcd: 3, controlPlanes: 1 }, (lab) => {
  let vip: string;
  let authority: SigningAuthority;

  async function succeed(host: string, script: string): Promise<string> {
    const ended = await lab.ssh(host, script);
    if (ended.status !== 0) throw new Error(`${host}: ${script}\n${ended.stderr}`);
    return ended.stdout;
  }

  /** Signed for a year, more than a year ago. */
  const expire = async (host: string, path: string): Promise<void> =>
    expireCertificate(lab, { host, path }, authority, { signed: daysAgo(395), days: 365 });

  const onMembers = async (script: string): Promise<void> => {
    await Promise.all(MEMBERS.map(async (host) => succeed(host, script)));
  };

  const expireAll = async (...paths: readonly string[]): Promise<void> => {
    await Promise.all(MEMBERS.flatMap((host) => paths.map(async (path) => expire(host, path))));
  };

  beforeAll(async () => {
    vip = await vipOf(lab);
    authority = await makeAuthority(
      { commonName: 'etcd-ca', days: 3650, keyType: 'ecdsa-p256' },
      circumstancesAt(daysAgo(500)),
    );
    const directory = join(lab.files.inventory, '..', 'made');
    await mkdir(directory);
    const [certificate, key] = [join(directory, 'ca.crt'), join(directory, 'ca.key')];
    await writeFile(certificate, authority.certificatePem);
    await writeFile(key, authority.keyPem.reveal(), { mode: 0o600 });
    const store = join(lab.files.inventory, '..', 'pki');
    const words = ['--certificate', certificate, '--key', key, '--passphrase-file', await passphraseFile(lab)];
    const imported = await lab.provision('ca', 'import', store, ...words);
    if (imported.status !== 0) throw new Error(endOf(imported));
    const applied = await runVerb(lab, 'apply');
    if (applied.status !== 0) throw new Error(endOf(applied));
  });

  const restart = 'systemctl restart --no-block etcd';
  // [what has happened, how]
  const FAULTS: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['the client certificate of a member has expired', () => expire('etcd-1', `${CLIENT}.crt`)],
    ['all client certificates of members have expired', () => expireAll(`${CLIENT}.crt`)],
    ['a client key is lost', () => succeed('etcd-2', `rm ${CLIENT}.key`)],
    ['a client certificate is lost', () => succeed('etcd-3', `rm ${CLIENT}.crt`)],
    ['the server certificate of a member has expired', () => expire('etcd-2', `${SERVER}.crt`)],
    ['all server certificates have expired', () => expireAll(`${SERVER}.crt`)],
    ['a server key is lost', () => succeed('etcd-1', `rm ${SERVER}.key`)],
    ['no server key fits its certificate', () => onMembers(`cp -p ${PEER}.key ${SERVER}.key`)],
    ['the peer certificate of a member has expired', () => expire('etcd-3', `${PEER}.crt`)],
    [
      'all peer certificates have expired, and no member has found another since a restart',
      async () => {
        await expireAll(`${PEER}.crt`);
        await onMembers(restart);
      },
    ],
    [
      'the client certificates of all health checks have expired',
      async () => {
        await expireAll(BUNDLE);
        await onMembers('systemctl reload haproxy');
      },
    ],
    ['the client certificate of an API server has expired', () => expire('cp-1', APISERVER)],
    [
      'every certificate has expired on the same day',
      async () => {
        await expireAll(`${CLIENT}.crt`, `${SERVER}.crt`, `${PEER}.crt`, BUNDLE);
        await expire('cp-1', APISERVER);
      },
    ],
    [
      'every certificate has expired, and all was restarted since',
      async () => {
        await expireAll(`${CLIENT}.crt`, `${SERVER}.crt`, `${PEER}.crt`, BUNDLE);
        await expire('cp-1', APISERVER);
        await onMembers(`${restart}; systemctl restart haproxy`);
      },
    ],
  ];

  test.each(partOf(FAULTS, FAULTS_A_RUN))('%s: one apply repairs everything', async (_, harm) => {
    await harm();
    const applied = await runVerb(lab, 'apply', '--gate-timeout', '60');
    expect(endOf(applied)).toMatch(/^status 0/);
    expect(plannedChanges(applied)).not.toEqual([]);
    expect(plannedChanges(await runVerb(lab, 'plan'))).toEqual([]);
    expect(await unhealthyThrough(lab, vip)).toBe('');
    expect((await lab.ssh('cp-1', READYZ)).stdout.trim()).toBe('ok');
    // What the run asked with is nowhere on the hosts.
    await onMembers('! ls -A /dev/shm /run | grep "^.provision"');
  });
});
