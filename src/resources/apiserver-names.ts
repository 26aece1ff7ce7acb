import { posix } from 'node:path';
import { CONTAINER } from '../facts/apiserver-manifest.js';
import { certificateFiles, certificateFilesKey, type CertificateFiles } from '../facts/certificate-files.js';
import { askText } from '../facts/file-content.js';
import { pathExists } from '../facts/path-exists.js';
import { argumentOf, readStaticPodManifest } from '../facts/static-pod-manifest.js';
import type { Await } from '../model/action.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import type { ControlPlane } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import { KUBEADM_PLACES } from '../model/kubeadm.js';
import type { Probe } from '../model/remote.js';
import { namesOf, readCertificates } from '../pki/inspect.js';
import { describeNames } from '../pki/alternative-names.js';
import { splitNames } from '../pki/ip.js';
import { reissueApiserver, restoreApiserver, type Reissue } from '../shell/reissue-apiserver.js';

/** Names that the certificate of an API server should have. */
export interface ApiserverNamesOptions {
  readonly controlPlane: ControlPlane;
  /** The authority's certificate on the host; its key stands beside it. */
  readonly authority: string;
  /** Names and addresses. */
  readonly wanted: readonly string[];
  /** What must hold afterwards; else the old pair is put back. */
  readonly after: Await;
}

type Pair = Reissue['pair'];

/** Where kubeadm has it. */
const USUAL: Pair = {
  layout: 'pair',
  certificatePath: '/etc/kubernetes/pki/apiserver.crt',
  keyPath: '/etc/kubernetes/pki/apiserver.key',
};

/**
 * The certificate of an API server has these names, and all that it had before. Where one is missing, the kubeadm of its
 * host reissues it, with the authority's key that is there.
 */
export function apiserverNames(options: ApiserverNamesOptions): Resource {
  const { manifest: path } = options.controlPlane;
  const authority = { certificate: options.authority, key: options.authority.replace(/(?:\.crt)?$/, '.key') };
  return {
    address: 'apiserver-names',
    paths: [],
    async plan(probe) {
      // The usual ones are asked for together with the manifest, so that a host which has them costs one look.
      const [text, usual, isKeyThere, ...programs] = await Promise.all([
        askText(probe, path),
        probe.ask(certificateFiles, keyOf(USUAL)),
        probe.ask(pathExists, authority.key),
        ...KUBEADM_PLACES.map((program) => probe.ask(pathExists, program)),
      ]);
      if (text === undefined) throw noManifest(path);
      const manifest = readStaticPodManifest(path, text, CONTAINER);
      const pair: Pair = {
        layout: 'pair',
        certificatePath: argumentOf(manifest, 'tls-cert-file') ?? USUAL.certificatePath,
        keyPath: argumentOf(manifest, 'tls-private-key-file') ?? USUAL.keyPath,
      };
      const files = keyOf(pair) === keyOf(USUAL) ? usual : await probe.ask(certificateFiles, keyOf(pair));
      const has = namesIn(files, probe, pair);
      const missing = options.wanted.filter((name) => !has.includes(canonical(name)));
      if (missing.length === 0) return UNCHANGED;
      refuseWithout(probe, { pair, isProgramThere: programs.includes(true), isKeyThere, key: authority.key });
      const serviceRange = argumentOf(manifest, 'service-cluster-ip-range');
      const names = [...new Set([...has, ...options.wanted.map(canonical)])];
      const { address } = options.controlPlane;
      const wanted = options.wanted.map(canonical);
      return issue({ pair, authority, names, wanted, address, serviceRange }, files, options.after, missing);
    },
  };
}

function keyOf({ certificatePath, keyPath }: Pair): string {
  return certificateFilesKey(certificatePath, keyPath);
}

/** One spelling for one name. */
function canonical(name: string): string {
  const { dnsNames, ipAddresses } = splitNames([name]);
  return dnsNames[0] ?? ipAddresses[0] ?? name;
}

function namesIn(files: CertificateFiles, probe: Probe, { certificatePath }: Pair): readonly string[] {
  const [leaf] = readCertificates(files.pem);
  if (leaf === undefined)
    throw new ProvisionError({
      code: 'no-serving-certificate',
      message: `${probe.host} has no certificate in ${certificatePath}, which its kube-apiserver is to show`,
      hint: `look at it with: ssh ${probe.host} sudo ls -l ${certificatePath}`,
    });
  const { dnsNames, ipAddresses, otherNames } = namesOf(leaf);
  if (otherNames.length === 0) return [...dnsNames, ...ipAddresses].map(canonical);
  throw new ProvisionError({
    code: 'serving-certificate-not-kubeadm',
    message: `${certificatePath} on ${probe.host} has names that kubeadm can't give: ${describeNames({ otherNames }).join(', ')}`,
    hint: 'issue it as it was issued before, with the names of the virtual IP',
  });
}

interface Means {
  readonly pair: Pair;
  readonly isProgramThere: boolean;
  readonly isKeyThere: boolean;
  /** Path of the authority's key. */
  readonly key: string;
}

/** Without kubeadm and the authority's key nothing can be issued here: another tool signs, and does it as before. */
function refuseWithout({ host }: Probe, { pair, isProgramThere, isKeyThere, key }: Means): void {
  const isApart = posix.dirname(pair.certificatePath) !== posix.dirname(pair.keyPath);
  const reason = isApart
    ? `${pair.certificatePath} and ${pair.keyPath} are not in one directory, as kubeadm has them`
    : !isProgramThere
      ? `there is no kubeadm (${KUBEADM_PLACES.join(', ')})`
      : isKeyThere
        ? undefined
        : `the authority's key is not there (${key})`;
  if (reason === undefined) return;
  throw new ProvisionError({
    code: 'serving-certificate-not-kubeadm',
    message: `${host}: the certificate of its kube-apiserver does not name the virtual IP, and can't be issued here: ${reason}`,
    hint: `issue ${pair.certificatePath} as it was issued before, with these names beside the old ones (docs/runbooks/apiserver-virtual-ip.md)`,
  });
}

function issue(reissue: Reissue, { key }: CertificateFiles, after: Await, missing: readonly string[]): Outcome {
  const ownership = key ?? { owner: 'root', group: 'root', mode: '0600' };
  return changed({
    summary: `reissue ${reissue.pair.certificatePath} with kubeadm, for ${missing.join(', ')} too`,
    diff: [
      ...missing.map((name) => `+ SAN ${name}`),
      '  all other names stay; the API server reads it within a minute',
    ],
    actions: [{ kind: 'run', command: reissueApiserver(reissue), undo: restoreApiserver(reissue, ownership) }, after],
    effect: 'change',
    disruptive: false,
  });
}

function noManifest(path: string): ProvisionError {
  return new ProvisionError({
    code: 'no-manifest',
    message: `there is no ${path}: ${CONTAINER} is not set up on this host`,
    hint: 'run kubeadm first, set kube_apiserver_manifest, or leave the host out: --limit',
  });
}
