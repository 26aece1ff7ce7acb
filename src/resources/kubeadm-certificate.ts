import type { X509Certificate } from 'node:crypto';
import { clock, NOW } from '../facts/clock.js';
import { fileState, type FileState } from '../facts/file-state.js';
import { COPIES, kubeconfigCertificates } from '../facts/kubeconfig-certificates.js';
import { ADMINISTRATORS } from '../facts/kubeconfig.js';
import { kubeadmOutline } from '../facts/kubeadm-outline.js';
import { pathExists } from '../facts/path-exists.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import { KUBEADM_PLACES } from '../model/kubeadm.js';
import { filesOf, type KubeadmCertificate } from '../model/kubeadm-certificate.js';
import type { Probe } from '../model/remote.js';
import { isSignedBy, notAfterOf, readCertificates } from '../pki/inspect.js';
import { renewByKubeadm, restoreRenewed } from '../shell/renew-by-kubeadm.js';
import { refuseUnrenewable } from './kubeadm-refusals.js';
import { lookAtKubeadm } from './look-at-kubeadm.js';

/** When a certificate of kubeadm is renewed. */
export type KubeadmDue =
  /** It ends in fewer days. */
  | { readonly kind: 'ending'; readonly beforeDays: number }
  /** A person asked for it: whatever was not renewed since this run began. */
  | { readonly kind: 'asked'; readonly begun: number };

/** What a certificate of kubeadm is judged by. */
export interface KubeadmRules {
  readonly due: KubeadmDue;
  /** Milliseconds since 1970, on the control machine. */
  readonly now: () => number;
  /** Of the cluster: kubeadm's version is asked with it. */
  readonly imageRepository: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** What kubeadm gives (kubeadm's `CertificateValidity`), unless its configuration says otherwise. */
export const KUBEADM_LEAF_DAYS = 365;

/**
 * A certificate of kubeadm on a control plane, renewed by the kubeadm there with the authority's key that is there: for the same
 * subject and names, with a new key. One that is not there is not made.
 */
export function kubeadmCertificate(certificate: KubeadmCertificate, rules: KubeadmRules): Resource {
  const { path } = certificate;
  return {
    address: `kubeadm-certificate:${certificate.name}`,
    paths: filesOf(certificate),
    async plan(probe) {
      const isAdministrator = ADMINISTRATORS.some((each) => each === path);
      const [found, state, hostNow, programs, ...copies] = await Promise.all([
        lookAtKubeadm(certificate, probe),
        probe.ask(fileState, path),
        probe.ask(clock, NOW),
        Promise.all(KUBEADM_PLACES.map(async (place) => probe.ask(pathExists, place))),
        ...(isAdministrator ? COPIES.map(async (each) => probe.ask(kubeconfigCertificates, each)) : []),
      ]);
      if (!found.isThere || (found.leaf !== undefined && !isDue(found.leaf, rules, { state, hostNow })))
        return UNCHANGED;
      const version = programs.includes(true)
        ? (await probe.ask(kubeadmOutline, rules.imageRepository))?.version
        : undefined;
      const proven = refuseUnrenewable(probe, { found, version, now: new Date(rules.now()) });
      const same = copies.flat().filter(({ pem }) => isCopyOf(pem, proven.leaf, proven.authority));
      return renewal(certificate, proven, { rules, probe, copies: same.map((copy) => copy.path) });
    },
  };
}

function isDue(
  leaf: X509Certificate,
  { due, now }: KubeadmRules,
  { state, hostNow }: { readonly state: FileState; readonly hostNow: number },
): boolean {
  if (due.kind === 'ending') return notAfterOf(leaf).getTime() < now() + due.beforeDays * DAY_MS;
  if (state.kind === 'absent') return false;
  // kubeadm gives no day of issue (it is the authority's). How long ago is the same by every clock.
  return hostNow - state.changedAt * 1000 > now() - due.begun;
}

/** Whether a kubeconfig of a person holds a certificate of the same user, of this cluster. */
function isCopyOf(pem: string, leaf: X509Certificate, authority: X509Certificate): boolean {
  return readCertificates(pem).some(
    (each) => each !== undefined && each.subject === leaf.subject && isSignedBy(each, authority),
  );
}

interface Proven {
  readonly leaf: X509Certificate;
  readonly authority: X509Certificate;
}

function renewal(
  certificate: KubeadmCertificate,
  { leaf, authority }: Proven,
  about: { readonly rules: KubeadmRules; readonly probe: Probe; readonly copies: readonly string[] },
): Outcome {
  const { path, readBy } = certificate;
  const { rules, probe, copies } = about;
  const now = rules.now();
  const [end, last] = [notAfterOf(leaf), notAfterOf(authority)];
  const serial = leaf.serialNumber.toLowerCase();
  const isShort = last.getTime() < now + KUBEADM_LEAF_DAYS * DAY_MS;
  return changed({
    summary: `renew ${path} with kubeadm: it ${end.getTime() < now ? 'ended' : 'ends'} on ${dayOf(end)}`,
    diff: [
      `  ${certificate.authority}, which ends on ${dayOf(last)}, signs it for as long as kubeadm's configuration says: usually a year`,
      '  with a new key; its subject and all its names stay',
      ...(isShort ? ['! its authority ends before that, and is not renewed here'] : []),
      ...(readBy === undefined || readBy === 'kube-apiserver' ? [] : [`  only ${readBy} shows it`]),
      ...copies.map(
        (copy) => `! ${copy} holds a copy, which stays as it is: ssh ${probe.host} sudo cp ${path} ${copy}`,
      ),
    ],
    actions: [
      {
        kind: 'run',
        path,
        command: renewByKubeadm(certificate, serial),
        undo: restoreRenewed(certificate, serial),
        // Before the manifest: the kubelet starts again what its roll-back changes, and that is to read the old one.
        restores: 'all',
      },
    ],
    disruptive: false,
  });
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
