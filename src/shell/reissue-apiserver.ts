import { isIP } from 'node:net';
import { posix } from 'node:path';
import type { CertificateDestination } from '../model/certificate.js';
import type { Ownership } from '../model/action.js';
import type { Command } from '../model/remote.js';
import { restoreCertificateScript } from './install-certificate.js';
import { backupDirectory, keepCopyLines, stageOf } from './kept-copy.js';
import { DIRECTORY_FUNCTIONS } from './open-directory.js';
import { quote } from './quote.js';

/** The certificate of an API server, reissued by the kubeadm of its host. */
export interface Reissue {
  readonly pair: Extract<CertificateDestination, { readonly layout: 'pair' }>;
  /** The authority on the host: its certificate, and its key, which stays there. */
  readonly authority: { readonly certificate: string; readonly key: string };
  /** All names and addresses, beside those that kubeadm always gives. */
  readonly names: readonly string[];
  /** Those that must be in it. */
  readonly wanted: readonly string[];
  /** The address of the API server's own host. */
  readonly address: string;
  /** `--service-cluster-ip-range`; absent: kubeadm's default. */
  readonly serviceRange: string | undefined;
}

/** Its copies: one pair is kept, that from before the virtual IP was in it. */
const COPY = 'apiserver-names.0';

/** kubeadm makes a key of 2048 bits and a certificate; on a busy host that may take a while. */
const TIMEOUT_MS = 120_000;

/**
 * kubeadm issues a new pair beside the old one, and it lands only when the authority has signed it for every wanted
 * name: key first, in one `mv`. The old pair is kept. An API server reads the new one by itself.
 */
export function reissueApiserver(reissue: Reissue): Command {
  const { pair, authority, names, wanted, address, serviceRange } = reissue;
  const stage = stageOf(pair.certificatePath);
  const paths = [pair.keyPath, pair.certificatePath];
  const [key, certificate] = paths.map((path) => quote(`../${posix.basename(path)}`));
  const options = [
    `--apiserver-advertise-address ${quote(address)}`,
    `--apiserver-cert-extra-sans ${quote(names.join(','))}`,
    ...(serviceRange === undefined ? [] : [`--service-cidr ${quote(serviceRange)}`]),
  ];
  return {
    summary: `kubeadm init phase certs apiserver, with ${wanted.join(', ')}`,
    timeoutMs: TIMEOUT_MS,
    script: [
      DIRECTORY_FUNCTIONS,
      ...paths.map(
        (path) =>
          `rm -f ${quote(`${backupDirectory(path)}/${COPY}`)} ${quote(`${backupDirectory(path)}/${COPY}.absent`)}`,
      ),
      ...stage.lines,
      `only_root ${quote(posix.dirname(pair.certificatePath))}`,
      `ln -s ${quote(authority.certificate)} ./ca.crt`,
      `ln -s ${quote(authority.key)} ./ca.key`,
      // Without a version it would ask the internet for the newest.
      'version=$(kubeadm version -o short)',
      `kubeadm init phase certs apiserver --cert-dir "$(pwd -P)" --kubernetes-version "$version" ${options.join(' ')} >./log 2>&1 || { cat ./log >&2; exit 1; }`,
      'openssl verify -CAfile ./ca.crt ./apiserver.crt >/dev/null',
      ...wanted.map(
        (name) =>
          `${check(name)} | grep -q ' does match ' || refuse ${quote(`kubeadm's certificate does not name ${name}`)}`,
      ),
      `chown --reference=${key} ./apiserver.key && chmod --reference=${key} ./apiserver.key`,
      `chown --reference=${certificate} ./apiserver.crt && chmod --reference=${certificate} ./apiserver.crt`,
      'sync ./apiserver.key ./apiserver.crt',
      ...keepCopyLines({ path: pair.keyPath, name: COPY }, key ?? ''),
      ...keepCopyLines({ path: pair.certificatePath, name: COPY }, certificate ?? ''),
      `mv -f -T ./apiserver.key ${key ?? ''} && mv -f -T ./apiserver.crt ${certificate ?? ''}`,
      `sync ${stage.directory}`,
    ].join('\n'),
  };
}

function check(name: string): string {
  return `openssl x509 -noout ${isIP(name) === 0 ? '-checkhost' : '-checkip'} ${quote(name)} -in ./apiserver.crt`;
}

/** Puts the old pair back, where {@link reissueApiserver} replaced it. @param ownership of the key */
export function restoreApiserver({ pair }: Pick<Reissue, 'pair'>, ownership: Ownership): Command {
  return {
    summary: 'restore the old certificate of the API server',
    script: restoreCertificateScript({ destination: pair, ownership, key: 'new', copy: COPY, when: 'if-kept' }),
  };
}
