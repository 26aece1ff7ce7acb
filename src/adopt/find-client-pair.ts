import { createPublicKey, type X509Certificate } from 'node:crypto';
import { posix } from 'node:path';
import { certificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import { etcdStatus, etcdStatusKey, type EtcdStatus } from '../facts/etcd-status.js';
import { fileNames } from '../facts/file-names.js';
import type { Probe } from '../model/remote.js';
import { isForKey } from '../pki/compare.js';
import { isSignedBy, notAfterOf, publicKeyText, readCertificates, usagesOf } from '../pki/inspect.js';
import { Obstacle } from './obstacle.js';

/** A certificate and its key, as paths on a host. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** Where others put a client pair, kubeadm. Those of kubespray lie beside the server's certificate. */
export const USUAL_PAIRS: readonly Pair[] = [
  '/etc/kubernetes/pki/etcd/healthcheck-client',
  '/etc/kubernetes/pki/apiserver-etcd-client',
].map((stem) => ({ certificate: `${stem}.crt`, key: `${stem}.key` }));

/** What a client needs to know to ask a member. */
export interface ClientQuestion {
  readonly clientUrl: string;
  readonly trustedCaFile: string;
  /** What that file holds. */
  readonly trusted: string;
  /** The server's pair, beside which others are looked for. */
  readonly server: Pair;
  /** Tried first, in this order. */
  readonly likely: readonly Pair[];
  readonly now: Date;
}

/** A pair that the member accepted, and what it said to it. */
interface AcceptedPair {
  readonly pair: Pair;
  readonly status: Extract<EtcdStatus, { kind: 'answers' }>;
}

/**
 * A pair on the host that its member accepts from a client: found by asking the member with it.
 * @throws Obstacle when there is none
 */
export async function findClientPair(probe: Probe, question: ClientQuestion): Promise<AcceptedPair> {
  const refused: string[] = [];
  const known = distinct([...question.likely, ...USUAL_PAIRS]);
  const first = await firstAccepted(probe, question, known, refused);
  if (first !== undefined) return first;
  const tried = new Set(known.map(({ certificate }) => certificate));
  const beside = (await pairsBeside(probe, question.server)).filter(({ certificate }) => !tried.has(certificate));
  const second = await firstAccepted(probe, question, beside, refused);
  if (second !== undefined) return second;
  throw new Obstacle(
    'client-pair',
    `no client certificate here is accepted by etcd at ${question.clientUrl}${refused.length === 0 ? '' : `: ${refused.join('; ')}`}`,
    `put a pair for clients there (extended key usage clientAuth, signed by ${question.trustedCaFile}), and set etcd_client_cert_file and etcd_client_key_file`,
  );
}

async function firstAccepted(
  probe: Probe,
  question: ClientQuestion,
  pairs: readonly Pair[],
  refused: string[],
): Promise<AcceptedPair | undefined> {
  const judged = await Promise.all(pairs.map(async (pair) => ({ pair, reason: await whyNot(probe, question, pair) })));
  for (const { pair, reason } of judged) {
    if (reason === 'missing') continue;
    if (reason !== undefined) {
      refused.push(`${pair.certificate} ${reason}`);
      continue;
    }
    // One at a time: each that is refused costs a time-out, and the first is nearly always taken.
    const client = { ca: question.trustedCaFile, ...pair };
    const status = await probe.ask(etcdStatus, etcdStatusKey({ clientUrl: question.clientUrl, client }));
    if (status.kind === 'answers') return { pair, status };
    refused.push(`${pair.certificate}: ${status.reason}`);
  }
  return undefined;
}

/** Why a pair cannot work, as far as that shows without asking. */
async function whyNot(
  probe: Probe,
  { trusted, now }: ClientQuestion,
  { certificate, key }: Pair,
): Promise<string | undefined> {
  const files = await probe.ask(certificateFiles, certificateFilesKey(certificate, key));
  const chain = readCertificates(files.pem).flatMap((each) => each ?? []);
  const [leaf] = chain;
  if (leaf === undefined || files.key === undefined) return 'missing';
  const authorities = readCertificates(trusted).flatMap((each) => each ?? []);
  if (!chain.some((each) => authorities.some((authority) => isSignedBy(each, authority))))
    return 'is not signed by the trusted authority';
  if (notAfterOf(leaf) <= now) return 'has expired';
  if (!isForClients(leaf)) return 'is not for clients';
  if (files.publicKey.kind === 'known' && !isForKey(leaf, publicKeyText(createPublicKey(files.publicKey.pem))))
    return 'is not that of its key';
  return undefined;
}

/** Without extended key usages a certificate is good for all of them. */
function isForClients(leaf: X509Certificate): boolean {
  const usages = usagesOf(leaf);
  return usages.length === 0 || usages.includes('client') || usages.includes(ANY_USAGE);
}

/** RFC 5280, 4.2.1.12: anyExtendedKeyUsage. */
const ANY_USAGE = '2.5.29.37.0';

/** Pairs by the names that people give them: `x.crt` and `x.key`, `x.pem` and `x-key.pem`, `x_cert.pem` and `x_key.pem`. */
async function pairsBeside(probe: Probe, server: Pair): Promise<readonly Pair[]> {
  const directories = [...new Set([posix.dirname(server.certificate), posix.dirname(server.key)])];
  const names = await Promise.all(
    directories.map(async (directory) =>
      (await probe.ask(fileNames, directory)).map((name) => ({ name, path: `${directory}/${name}` })),
    ),
  );
  const files = names.flat();
  const keys = new Map(
    files.filter(({ name }) => KEY_NAME.test(name)).map(({ name, path }) => [name.replace(KEY_NAME, ''), path]),
  );
  return files.flatMap(({ name, path }) => {
    const key = KEY_NAME.test(name) ? undefined : keys.get(name.replace(CERTIFICATE_NAME, ''));
    return key === undefined || !CERTIFICATE_NAME.test(name) ? [] : [{ certificate: path, key }];
  });
}

const KEY_NAME = /(?:[-_.]key\.pem|\.key)$/;
const CERTIFICATE_NAME = /(?:[-_.]cert)?\.(?:pem|crt|cert|cer)$/;

function distinct(pairs: readonly Pair[]): readonly Pair[] {
  return [...new Map(pairs.map((pair) => [pair.certificate, pair])).values()];
}
