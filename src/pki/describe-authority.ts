import { counted } from '../model/counted.js';
import { ProvisionError } from '../model/errors.js';
import type { PkiStore } from './authority.js';
import { describeSubject } from './compare.js';
import { keyTypeOf, notAfterOf, readCertificates, subjectOf } from './inspect.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * What a person wants to know of an authority, as lines. Only public parts are shown.
 * @throws ProvisionError `authority-missing`
 */
export function describeAuthority(
  { authority, directory }: Pick<PkiStore, 'authority' | 'directory'>,
  now: Date,
): string {
  const [signer, ...others] = readCertificates(authority.trustBundle() ?? '');
  if (signer === undefined)
    throw new ProvisionError({
      code: 'authority-missing',
      message: `there is no certificate authority in ${directory}`,
      hint: 'the first `provision apply INVENTORY` makes one; or import one: provision ca import STORE --certificate FILE --key FILE',
    });
  const end = notAfterOf(signer);
  const days = Math.floor((end.getTime() - now.getTime()) / DAY_MS);
  const lines = [
    ['store', directory],
    ['subject', describeSubject(subjectOf(signer))],
    ['key', keyTypeOf(signer.publicKey)],
    ...(authority.isExternal?.() === true
      ? [
          [
            'private key',
            'external: certificates are signed where the key is, from what `provision ca request INVENTORY` writes',
          ],
        ]
      : []),
    ['serial', signer.serialNumber.toLowerCase()],
    ['SHA-256', signer.fingerprint256],
    ['ends', `${end.toISOString()} (${days < 0 ? 'EXPIRED' : `in ${counted(days, 'day')}`})`],
    ...rotationLines(authority),
    ...(others.length === 0 ? [] : [['also trusted', `${others.length} more, in ca.crt`]]),
  ];
  return lines.map(([name = '', value = '']) => `${`${name}:`.padEnd(14)}${value}\n`).join('');
}

/** Both authorities of a rotation by their names, and what the store has hosts do. */
function rotationLines(authority: PkiStore['authority']): readonly (readonly string[])[] {
  const found = authority.rotation?.();
  if (found === undefined) return [];
  const nameOf = (pem: string): string =>
    readCertificates(pem)
      .flatMap((each) => (each === undefined ? [] : [describeSubject(subjectOf(each))]))
      .join();
  const whom = found.trusted === 'both' ? 'both' : `the ${found.trusted} one alone`;
  return [
    [
      'rotation',
      `from ${nameOf(found.old)} to ${nameOf(found.new)}: the ${found.signing} one signs, hosts are to trust ${whom}`,
    ],
  ];
}
