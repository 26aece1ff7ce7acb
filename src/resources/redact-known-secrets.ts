import { MarkedText } from '../model/marked-text.js';
import { Secret } from '../model/secret.js';

const REDACTED = '[redacted]';
const PLACEHOLDER = '[redacted private key]';

/** A PEM private key of any kind (PKCS#8, RSA, EC, OpenSSH, PGP), also one whose end is missing. */
const PEM_PRIVATE_KEY =
  /-----BEGIN [^-\n]*PRIVATE KEY[^-\n]*-----[\s\S]*?(?:-----END [^-\n]*PRIVATE KEY[^-\n]*-----|$)/g;

/** `-----BEGIN ` in base64, as kubeconfigs and Secrets of Kubernetes hold PEM. */
const ENCODED_PEM = /LS0tLS1CRUdJTi[A-Za-z0-9+/]+=*/g;

/** age's secret keys: https://age-encryption.org/v1, Bech32 in upper case. */
const AGE_SECRET_KEY = /AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]+/g;

function redactEncoded(encoded: string): string {
  return Buffer.from(encoded, 'base64').toString('latin1').includes('PRIVATE KEY') ? PLACEHOLDER : encoded;
}

/** Where configuration files hold passwords: each matches the words before one, which stay. */
const PASSWORD_PREFIXES = [
  /^(\s*auth_pass[ \t]+)\S.*/gm, // keepalived
  /^(\s*stats[ \t]+auth[ \t]+[^\s:]+:)\S+/gm, // HAProxy's statistics page
  /\b((?:insecure-)?password[ \t]+)\S+/g, // HAProxy's userlists
  /(pass(?:word|wd|phrase)["']?[ \t]*[=:][ \t]*)\S.*/gi, // environment files, INI, YAML
];

/**
 * A text without private keys (PEM, PEM in base64, age) and without the passwords of well-known directives. The last
 * line of defence for what is shown; whoever knows that a text holds a secret marks it as `Secret`.
 */
export function redactKnownSecrets(text: string): string {
  const withoutKeys = text
    .replaceAll(PEM_PRIVATE_KEY, PLACEHOLDER)
    .replaceAll(ENCODED_PEM, redactEncoded)
    .replaceAll(AGE_SECRET_KEY, PLACEHOLDER);
  return PASSWORD_PREFIXES.reduce((rest, prefix) => rest.replaceAll(prefix, `$1${REDACTED}`), withoutKeys);
}

/** A text whose private keys are marked, so that a file of them is for its owner alone, and none is shown. */
export function withMarkedKeys(text: MarkedText): MarkedText {
  return new MarkedText(text.parts.flatMap((part) => (part instanceof Secret ? [part] : partsOf(part))));
}

function partsOf(text: string): readonly (string | Secret)[] {
  const keys = [PEM_PRIVATE_KEY, ENCODED_PEM, AGE_SECRET_KEY]
    .flatMap((kind) => [...text.matchAll(kind)])
    .filter(([found]) => redactKnownSecrets(found) !== found);
  const parts: (string | Secret)[] = [];
  let end = 0;
  for (const { index, 0: key } of keys.toSorted((a, b) => a.index - b.index)) {
    if (index < end) continue;
    parts.push(text.slice(end, index), new Secret(key));
    end = index + key.length;
  }
  return [...parts, text.slice(end)];
}
