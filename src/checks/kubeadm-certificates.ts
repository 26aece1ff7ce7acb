import type { X509Certificate } from 'node:crypto';
import { certificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import { fileState } from '../facts/file-state.js';
import type { KubeconfigCertificates } from '../facts/kubeconfig-certificates.js';
import { pathExists } from '../facts/path-exists.js';
import { programStarts } from '../facts/program-starts.js';
import type { Cluster } from '../model/cluster.js';
import { counted } from '../model/counted.js';
import {
  APISERVER_ETCD_CLIENT,
  KUBEADM_CERTIFICATES,
  KUBELET_CERTIFICATE,
  processName,
  stackedCertificates,
} from '../model/kubeadm-certificate.js';
import type { Probe } from '../model/remote.js';
import { serviceNamed } from '../model/virtual-service.js';
import { notAfterOf, readCertificates } from '../pki/inspect.js';
import { KUBEADM_LEAF_DAYS } from '../resources/kubeadm-certificate.js';
import { copiesOf, lookAtCopies } from '../resources/kubeconfig-copies.js';
import { lookAtKubeadm, type KubeadmFound } from '../resources/look-at-kubeadm.js';
import { quote } from '../shell/quote.js';
import { itemsOfHosts } from './ask-hosts.js';
import { validity } from './certificates.js';
import type { Check, CheckContext, CheckItem } from './check.js';

const DAY_MS = 24 * 60 * 60 * 1000;

const RUNBOOK = 'docs/runbooks/kubeadm-certificates.md';

/**
 * What kubeadm made on each control plane: its certificates, who signs them, copies of an administrator's kubeconfig; and of every
 * node the certificate of its kubelet, which renews itself.
 */
export const checkKubeadmCertificates: Check = async (context) => {
  const { cluster, probe } = context;
  const [ofControlPlanes, ofNodes] = await Promise.all([
    itemsOfHosts(
      cluster.controlPlanes.map(({ host }) => host),
      async (host) => {
        const there = probe(host);
        const [found, ofMember, stale, homes] = await Promise.all([
          Promise.all(KUBEADM_CERTIFICATES.map(async (each) => lookAtKubeadm(each, there))),
          lookAtStacked(cluster, there),
          staleItems(context, there),
          lookAtCopies(there),
        ]);
        const present = found.filter(({ isThere }) => isThere);
        if (present.length === 0) return [];
        return [
          ...leafItems(context, host, [...present, ...ofMember]),
          ...stale,
          ...copyItems(context, host, { homes, present }),
          ...authorityItems(context, host, present),
        ];
      },
    ),
    itemsOfHosts(askedNodes(cluster), async (host) => kubeletItems(context, host)),
  ]);
  return [...ofControlPlanes, ...ofNodes];
};

/** Those of a stacked member that is still there, but for the one of its API server, of which the check of certificates tells. */
async function lookAtStacked({ formerMembers }: Cluster, probe: Probe): Promise<readonly KubeadmFound[]> {
  const manifest = formerMembers.find(({ host }) => host === probe.host)?.manifest;
  if (manifest === undefined) return [];
  const wanted = stackedCertificates(manifest).filter(({ name }) => name !== APISERVER_ETCD_CLIENT);
  const [isThere, ...found] = await Promise.all([
    probe.ask(pathExists, manifest),
    ...wanted.map(async (each) => lookAtKubeadm(each, probe)),
  ]);
  return isThere ? found.filter((each) => each.isThere) : [];
}

/** Workers are asked for nothing where no virtual IP of the API servers is theirs: with etcd alone they have nothing to do. */
export function askedNodes(cluster: Cluster): readonly string[] {
  const hasService = serviceNamed(cluster, 'kube-apiserver') !== undefined;
  return hasService ? cluster.nodes : cluster.controlPlanes.map(({ host }) => host);
}

function leafItems(context: CheckContext, host: string, present: readonly KubeadmFound[]): readonly CheckItem[] {
  const bad = present.flatMap(({ certificate: { name, path }, leaf }): readonly CheckItem[] => {
    const next = `provision certs renew ${quote(context.inventory)} ${host}/${name}`;
    const item = { check: 'kubernetes-certificate', host, subject: path, next };
    if (leaf === undefined)
      return [{ ...item, verdict: 'fail', evidence: 'holds no readable certificate', next: RUNBOOK }];
    const verdict = verdictOf(notAfterOf(leaf), context);
    return verdict === 'ok'
      ? []
      : [{ ...item, verdict, evidence: validity(notAfterOf(leaf), context.certificates.now) }];
  });
  const good = present
    .flatMap(({ leaf }) => (leaf === undefined ? [] : [notAfterOf(leaf).getTime()]))
    .toSorted((a, b) => a - b);
  const [first] = good;
  if (bad.length > 0 || first === undefined) return bad;
  const evidence = `${counted(good.length, 'certificate')} of kubeadm, the first one ${validity(new Date(first), context.certificates.now)}`;
  return [{ check: 'kubernetes-certificate', host, verdict: 'ok', evidence }];
}

function verdictOf(end: Date, { certificates: { now, renewBeforeDays } }: CheckContext): CheckItem['verdict'] {
  if (end <= now) return 'fail';
  return end.getTime() - now.getTime() < renewBeforeDays * DAY_MS ? 'warn' : 'ok';
}

/** What reads its kubeconfig at its start alone, and was started before it was renewed. The API server reads its files again. */
async function staleItems({ inventory }: CheckContext, probe: Probe): Promise<readonly CheckItem[]> {
  const { host } = probe;
  const items = await Promise.all(
    KUBEADM_CERTIFICATES.map(async ({ name, path, readBy }): Promise<readonly CheckItem[]> => {
      if (readBy === undefined || readBy === 'kube-apiserver') return [];
      const [starts, state] = await Promise.all([
        probe.ask(programStarts, processName(readBy)),
        probe.ask(fileState, path),
      ]);
      const changedAt = state.kind === 'absent' ? 0 : state.changedAt;
      if (!starts.some(({ startedAt }) => startedAt < changedAt)) return [];
      return [
        {
          ...{ check: 'kubernetes-certificate', host, subject: readBy, verdict: 'warn' },
          evidence: `was started before ${path} was changed: it shows the certificate from before`,
          next: `provision certs renew ${quote(inventory)} ${host}/${name}`,
        },
      ];
    }),
  );
  return items.flat();
}

/** Copies of a kubeconfig that kubeadm made end with what they are copies of, or before: nobody renews them. */
function copyItems(
  context: CheckContext,
  host: string,
  { homes, present }: { readonly homes: readonly KubeconfigCertificates[]; readonly present: readonly KubeadmFound[] },
): readonly CheckItem[] {
  const administrators = present.filter(({ certificate }) => certificate.readBy === undefined);
  return administrators.flatMap((found) =>
    copiesOf(found, homes, host).flatMap(({ path, end, copyAgain }): readonly CheckItem[] => {
      if (verdictOf(end, context) === 'ok') return [];
      const evidence = `a copy of ${found.certificate.path}, ${validity(end, context.certificates.now)}; nobody renews it`;
      return [{ check: 'kubernetes-certificate', host, subject: path, verdict: 'warn', evidence, next: copyAgain }];
    }),
  );
}

/** Nobody renews an authority of kubeadm: it is reported while there is time. */
function authorityItems(context: CheckContext, host: string, present: readonly KubeadmFound[]): readonly CheckItem[] {
  const { now, renewBeforeDays } = context.certificates;
  const authorities = new Map<string, X509Certificate>();
  for (const { certificate, authority } of present)
    if (authority !== undefined) authorities.set(certificate.authority, authority);
  return [...authorities].flatMap(([subject, authority]): readonly CheckItem[] => {
    const end = notAfterOf(authority);
    if (end.getTime() - now.getTime() >= (KUBEADM_LEAF_DAYS + renewBeforeDays) * DAY_MS) return [];
    const item = { check: 'kubernetes-authority', host, subject, next: RUNBOOK };
    if (end <= now) return [{ ...item, verdict: 'fail', evidence: validity(end, now) }];
    const evidence = `${validity(end, now)}: shorter than the lifetime of what kubeadm signs with it`;
    return [{ ...item, verdict: 'warn', evidence }];
  });
}

/** It renews itself well before its end, unless the kubelet was away for so long, or nobody signs. */
async function kubeletItems(
  { probe, certificates: { now } }: CheckContext,
  host: string,
): Promise<readonly CheckItem[]> {
  const { pem } = await probe(host).ask(certificateFiles, certificateFilesKey(KUBELET_CERTIFICATE));
  const [leaf] = readCertificates(pem);
  if (leaf === undefined || notAfterOf(leaf) > now) return [];
  const evidence = `${validity(notAfterOf(leaf), now)}: the kubelet can renew it no more`;
  return [
    { check: 'kubelet-certificate', host, subject: KUBELET_CERTIFICATE, verdict: 'fail', evidence, next: RUNBOOK },
  ];
}
