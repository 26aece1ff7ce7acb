import { createHash } from 'node:crypto';
import type { CertificateProfile, KeyType } from '../../src/model/certificate.js';
import { makeAuthority, type Circumstances } from '../../src/pki/issue.js';
import type { SigningAuthority } from '../../src/pki/signing-authority.js';

/** The day on which tests about certificates play. */
export const TODAY = new Date('2026-11-21T12:00:00Z');

/** A day before or after {@link TODAY}. */
export function daysFromToday(days: number): Date {
  return new Date(TODAY.getTime() + days * 24 * 60 * 60 * 1000);
}

/** Bytes that look random, and are the same in every run. */
export function repeatableBytes(): (count: number) => Uint8Array {
  let calls = 0;
  return (count) => {
    calls += 1;
    return createHash('sha512').update(String(calls)).digest().subarray(0, count);
  };
}

/** Fixed time and repeatable bytes. */
export function circumstancesAt(now: Date): Circumstances {
  return { now: () => now, random: repeatableBytes() };
}

/** An authority that was made on a day, for ten years unless said otherwise. */
export function authorityFrom(day: Date, days = 3650, keyType: KeyType = 'ecdsa-p256'): Promise<SigningAuthority> {
  return makeAuthority({ commonName: 'etcd-ca', days, keyType }, circumstancesAt(day));
}

/** A server's profile, to be changed as a test needs. */
export const SERVER_PROFILE: CertificateProfile = {
  commonName: 'etcd-1',
  organizations: [],
  dnsNames: ['etcd-1', 'localhost'],
  ipAddresses: ['10.0.0.1', '127.0.0.1', '::1'],
  usages: ['server', 'client'],
  days: 365,
  keyType: 'ecdsa-p256',
  keepPublicKey: null,
};
