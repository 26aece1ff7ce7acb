import type { X509Certificate } from 'node:crypto';
import { posix } from 'node:path';
import { clock, NOW } from '../facts/clock.js';
import { directoryWay } from '../facts/directory-way.js';
import { askText } from '../facts/file-content.js';
import { fileState, type FileState } from '../facts/file-state.js';
import { ADMINISTRATORS } from '../facts/kubeconfig.js';
import { KUBEADM_CONFIG, kubeadmConfig } from '../facts/kubeadm-config.js';
import { kubeadmOutline } from '../facts/kubeadm-outline.js';
import { pathExists } from '../facts/path-exists.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import { KUBEADM_PLACES, namesStackedEtcd } from '../model/kubeadm.js';
import { filesOf, KUBEADM_PKI, type KubeadmCertificate } from '../model/kubeadm-certificate.js';
import type { Probe } from '../model/remote.js';
import { notAfterOf } from '../pki/inspect.js';
import { renewByKubeadm, restoreRenewed } from '../shell/renew-by-kubeadm.js';
import { copiesOf, lookAtCopies, type KubeconfigCopy } from './kubeconfig-copies.js';
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
  /** The manifest of the API server, which says where kubeadm keeps certificates. */
  readonly manifest: string;
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
  const { path, usedWith } = certificate;
  return {
    address: `kubeadm-certificate:${certificate.name}`,
    paths: filesOf(certificate),
    async plan(probe) {
      const isAdministrator = ADMINISTRATORS.some((each) => each === path);
      const [found, state, hostNow, programs, homes, certificatesDir, isUsed] = await Promise.all([
        lookAtKubeadm(certificate, probe),
        probe.ask(fileState, path),
        probe.ask(clock, NOW),
        Promise.all(KUBEADM_PLACES.map(async (place) => probe.ask(pathExists, place))),
        isAdministrator ? lookAtCopies(probe) : [],
        certificatesDirOn(probe, rules.manifest),
        usedWith === undefined || probe.ask(pathExists, usedWith),
      ]);
      if (!isUsed || !found.isThere || (found.leaf !== undefined && !isDue(found.leaf, rules, { state, hostNow })))
        return UNCHANGED;
      if (usedWith !== undefined && (await namesOtherEtcd(probe))) return UNCHANGED;
      const version = programs.includes(true)
        ? (await probe.ask(kubeadmOutline, rules.imageRepository))?.version
        : undefined;
      const link = state.kind === 'absent' ? undefined : state.link?.target;
      const proven = refuseUnrenewable(probe, { found, link, certificatesDir, version, now: new Date(rules.now()) });
      return renewal(certificate, proven, { rules, copies: copiesOf(found, homes, probe.host) });
    },
    async doubt(probe) {
      if (usedWith === undefined || !(await probe.ask(pathExists, usedWith))) return undefined;
      const [{ leaf }, state, hostNow] = await Promise.all([
        lookAtKubeadm(certificate, probe),
        probe.ask(fileState, path),
        probe.ask(clock, NOW),
      ]);
      if (leaf === undefined || !isDue(leaf, rules, { state, hostNow }) || !(await namesOtherEtcd(probe)))
        return undefined;
      return `${path} ends on ${dayOf(notAfterOf(leaf))}, and kubeadm renews it no more: kubeadm-config names another etcd than the member here, which is to leave: provision apply INVENTORY --playbook unstack`;
    },
  };
}

/** By then kubeadm knows of no certificate of a stacked member, and renews none. What can't be read is no reason to leave it out. */
async function namesOtherEtcd(probe: Probe): Promise<boolean> {
  const found = await probe.ask(kubeadmConfig, KUBEADM_CONFIG);
  return found.kind === 'found' && !namesStackedEtcd(found.configuration);
}

/** Where kubeadm keeps certificates, as it has told the API server; `undefined` where that does not say. Links are followed. */
async function certificatesDirOn(probe: Probe, manifest: string): Promise<string | undefined> {
  const [text, way] = await Promise.all([askText(probe, manifest), probe.ask(directoryWay, KUBEADM_PKI)]);
  const [, path] = /^\s*-\s*["']?--tls-cert-file=([^\s"']+)/m.exec(text ?? '') ?? [];
  if (path === undefined) return undefined;
  const directory = posix.dirname(path);
  return directory === way?.leadsTo ? KUBEADM_PKI : directory;
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

interface Proven {
  readonly leaf: X509Certificate;
  readonly authority: X509Certificate;
}

function renewal(
  certificate: KubeadmCertificate,
  { leaf, authority }: Proven,
  about: { readonly rules: KubeadmRules; readonly copies: readonly KubeconfigCopy[] },
): Outcome {
  const { path, readBy } = certificate;
  const { rules, copies } = about;
  const now = rules.now();
  const [end, last] = [notAfterOf(leaf), notAfterOf(authority)];
  const serial = leaf.serialNumber.toLowerCase();
  const isOver = end.getTime() <= now;
  const isShort = last.getTime() < now + KUBEADM_LEAF_DAYS * DAY_MS;
  return changed({
    summary: `renew ${path} with kubeadm: it ${isOver ? 'ended' : 'ends'} on ${dayOf(end)}`,
    diff: [
      `  ${certificate.authority}, which ends on ${dayOf(last)}, signs it for as long as kubeadm's configuration says: usually a year`,
      '  with a new key; its subject and all its names stay',
      ...(isShort ? ['! its authority ends before that, and is not renewed here'] : []),
      ...(readBy === undefined || readBy === 'kube-apiserver' ? [] : [`  only ${readBy} shows it`]),
      ...copies.map((copy) => `! ${copy.path} holds a copy, which stays as it is: ${copy.copyAgain}`),
    ],
    actions: [
      {
        kind: 'run',
        path,
        command: renewByKubeadm(certificate, serial),
        // Putting back what has ended would help nobody, and keep the others from being renewed.
        undo: isOver
          ? { lasting: `${path} stays renewed: the old one has ended` }
          : restoreRenewed(certificate, serial),
        // Before the manifest: the kubelet starts again what its roll-back changes, and that is to read the old one.
        restores: 'all',
      },
    ],
    effect: 'change',
    disruptive: false,
  });
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
