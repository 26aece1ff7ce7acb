import type { KeyType } from '../model/certificate.js';
import { quote } from './quote.js';

/** Where new keys wait on their host, for root only, until their certificates are signed by an external CA and installed. */
export const REQUESTED_KEYS = '/var/lib/provision/requests';

/** The path of the waiting key. @param certificate its name in the list of certificates */
export function requestedKeyPath(certificate: string): string {
  return `${REQUESTED_KEYS}/${certificate}.key`;
}

/** What {@link requestCertificateScript} makes. */
export interface RequestedCertificate {
  /** Name in the list of certificates. */
  readonly certificate: string;
  /** What the request says, as a configuration of `openssl req`. */
  readonly config: string;
  readonly keyType: KeyType;
  /** Where the host has, or will have, the key. */
  readonly keyPath: string;
  /** `kept`: the request is for the key at `keyPath`. `new`: for one that waits until the certificate is installed. */
  readonly key: 'new' | 'kept';
}

/**
 * A script that prints a certificate signing request, PEM. A new key is made first, unless one waits already: the same
 * key serves until its certificate is installed. No private key is printed.
 */
export function requestCertificateScript(request: RequestedCertificate): string {
  const key = quote(request.key === 'kept' ? request.keyPath : requestedKeyPath(request.certificate));
  return [
    'set -eu',
    'umask 077',
    'command -v openssl >/dev/null || { echo "there is no openssl: apt-get install openssl" >&2; exit 1; }',
    ...(request.key === 'kept' ? [] : makeKeyLines(request, key)),
    `printf %s ${quote(request.config)} | openssl req -new -sha256 -utf8 -config /dev/stdin -key ${key}`,
  ].join('\n');
}

function makeKeyLines({ keyType, keyPath, certificate }: RequestedCertificate, key: string): readonly string[] {
  const prefix = quote(`${REQUESTED_KEYS}/.${certificate}.key.`);
  return [
    `mkdir -p ${REQUESTED_KEYS}`,
    `chmod 0700 ${REQUESTED_KEYS}`,
    'public() { openssl pkey -in "$1" -passin pass: -pubout 2>/dev/null; }',
    'is_usable() {',
    `  text=$(openssl pkey -in ${key} -passin pass: -noout -text_pub 2>/dev/null) || return 1`,
    ...OF_TYPE[keyType].map((words) => `  case "$text" in *${words}*) ;; *) return 1 ;; esac`),
    // A new key is wanted because this one will not do, and not to get it back.
    `  [ "$(public ${key})" != "$(public ${quote(keyPath)})" ]`,
    '}',
    `is_usable || rm -f ${key}`,
    `if [ ! -e ${key} ]; then`,
    `  rm -f ${prefix}??????`,
    `  stage=$(mktemp ${prefix}XXXXXX)`,
    `  trap 'rm -f "$stage"' EXIT`,
    `  openssl genpkey ${MAKE[keyType]} -out "$stage"`,
    '  sync "$stage"',
    // A link never replaces: where another operator was quicker, that key serves.
    `  ln "$stage" ${key} 2>/dev/null || [ -e ${key} ]`,
    'fi',
  ];
}

const EC_P256 = '-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve';
const RSA = '-algorithm RSA -pkeyopt rsa_keygen_bits:';

/** `openssl genpkey` for each type. */
const MAKE: Readonly<Record<KeyType, string>> = {
  'ecdsa-p256': EC_P256,
  'rsa-2048': `${RSA}2048`,
  'rsa-3072': `${RSA}3072`,
  'rsa-4096': `${RSA}4096`,
};

/** Words by which `openssl pkey -text_pub` tells each type, as parts of shell patterns. */
const OF_TYPE: Readonly<Record<KeyType, readonly string[]>> = {
  'ecdsa-p256': ['prime256v1'],
  'rsa-2048': ['"(2048 bit"', 'Modulus'],
  'rsa-3072': ['"(3072 bit"', 'Modulus'],
  'rsa-4096': ['"(4096 bit"', 'Modulus'],
};
