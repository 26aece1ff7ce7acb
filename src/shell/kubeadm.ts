import type { Command } from '../model/remote.js';
import { quote } from './quote.js';

/** What this program keeps on a host beside what it sets up; only root may look. */
const DIRECTORY = '/var/lib/provision';

/** There while kubeadm is at work, or was when it was killed: which work it is. */
export const KUBEADM_MARK = `${DIRECTORY}/kubernetes`;

/** Images are pulled, and certificates waited for. */
const TIMEOUT_MS = 900_000;

/** Kubeconfig of the administrator, on every control plane. */
export const ADMIN = '/etc/kubernetes/admin.conf';
const AUTHORITY = '/etc/kubernetes/pki/ca.crt';

/**
 * Lines that begin a script of kubeadm, which reads its configuration from a pipe: it is in no file that a killed run could leave, and in no argument. `printf` is the
 * shell's own.
 */
export const WITH_CONFIGURATION = [
  'set -eu',
  'config=$(cat)',
  `with() { printf '%s\\n' "$config" | kubeadm "$@" --config /dev/stdin; }`,
  // kubectl and kubeadm keep nothing elsewhere.
  `export KUBECONFIG=${ADMIN}`,
];

/** kubeadm makes a token for a day where it is given none: so it is given one, which is made here and forgotten at the end. */
const WITH_TOKEN = [
  `random=$(od -An -v -tx1 -N11 /dev/urandom | tr -d ' \\n')`,
  'id=$(printf %.6s "$random") secret=${random#??????}',
  'config=${config%%@token@*}$id.$secret${config#*@token@}',
];

/** Lines that note which work kubeadm is at. */
export function mark(word: string): readonly string[] {
  return [`mkdir -p -m 0700 ${DIRECTORY}`, `echo ${word} >${KUBEADM_MARK}`, `sync ${KUBEADM_MARK} ${DIRECTORY}`];
}

/** Lines that note that it has come to its end. */
export const UNMARK = [`rm -f ${KUBEADM_MARK}`, `sync ${DIRECTORY}`];

/** Of a range of keys that holds all of Kubernetes: from `/registry/` to before `/registry0`, as etcd's gateway reads them. */
const REGISTRY = '{"key":"L3JlZ2lzdHJ5Lw==","range_end":"L3JlZ2lzdHJ5MA==","keys_only":true,"limit":"1"}';

/** Where etcd is, and what is shown to it. */
export interface EtcdAsked {
  readonly url: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/**
 * The first control plane, as far as it needs nobody else: its files, its kubelet and its static pods. Its stdin is kubeadm's
 * configuration. Another cluster in the same etcd would be overwritten: asked at the last moment, unless this host has begun already.
 */
export function beginKubernetes({ url, ca, certificate, key }: EtcdAsked): Command {
  const files = [`--cacert ${quote(ca)}`, `--cert ${quote(certificate)}`, `--key ${quote(key)}`].join(' ');
  const ask = `curl -sS --max-time 20 --noproxy '*' ${files} --data-binary @- ${quote(`${url}/v3/kv/range`)}`;
  return {
    summary: 'kubeadm init, up to the control plane',
    timeoutMs: TIMEOUT_MS,
    script: [
      ...WITH_CONFIGURATION,
      ...WITH_TOKEN,
      `if [ ! -e ${KUBEADM_MARK} ]; then`,
      `  found=$(printf '%s' ${quote(REGISTRY)} | ${ask})`,
      '  case $found in',
      `  *'"kvs"'*) echo 'etcd holds a Kubernetes already: it would be overwritten' >&2; exit 1 ;;`,
      `  *'"header"'*) ;;`,
      `  *) printf 'etcd gives no answer that can be read: %s\\n' "$found" >&2; exit 1 ;;`,
      '  esac',
      '  with init phase preflight',
      'fi',
      ...mark('begun'),
      'systemctl enable --quiet kubelet.service',
      'with init phase certs all',
      'with init phase kubeconfig all',
      'with init phase kubelet-start',
      'with init phase control-plane all',
      ...mark('serving'),
    ].join('\n'),
  };
}

/** What {@link beginKubernetes} has done, or the control plane already has. */
const BEGUN = 'preflight,certs,kubeconfig,kubelet-start,control-plane,etcd';

/** The rest of `kubeadm init`: objects of the cluster, for which its API server is asked where clients find it. */
export function finishKubernetes(): Command {
  return {
    summary: 'kubeadm init, the objects of the cluster',
    timeoutMs: TIMEOUT_MS,
    script: [
      ...WITH_CONFIGURATION,
      ...WITH_TOKEN,
      `trap 'kubeadm token delete "$id" >/dev/null 2>&1 || :' EXIT`,
      `with init --skip-phases=${BEGUN} --skip-token-print`,
      ...UNMARK,
    ].join('\n'),
  };
}

/** A host that joins. */
export interface JoiningHost {
  /** Of its node: a DNS label or several. */
  readonly name: string;
  /** Of its node, as the inventory has it. */
  readonly address: string;
  readonly kind: 'control-plane' | 'worker';
  /** Whether an earlier join was killed. */
  readonly isHalfJoined: boolean;
}

/** kubeadm tells its tokens apart by this: several hosts may join at once. */
export function tokenDescription(name: string): string {
  return `provision: ${name} joins`;
}

/** Lines that delete what a join of this host needed, also where a killed run left it. */
function forget({ name, kind }: JoiningHost): readonly string[] {
  const certificates = 'secret kubeadm-certs';
  return [
    `kubeadm token list | awk -v made=${quote(tokenDescription(name))} 'index($0, made) { print substr($1, 1, 6) }' | while read -r id; do kubeadm token delete "$id" >/dev/null; done`,
    ...(kind === 'worker'
      ? []
      : [
          // kubeadm gives it to a token of its own, which ends it after two hours.
          `owner=$(kubectl -n kube-system get ${certificates} --ignore-not-found -o 'jsonpath={.metadata.ownerReferences[*].name}')`,
          `kubectl -n kube-system delete ${certificates} --ignore-not-found >/dev/null`,
          `[ -z "$owner" ] || kubectl -n kube-system delete secret "$owner" --ignore-not-found >/dev/null`,
        ]),
  ];
}

/** Of the certificates that a control plane gets, those for etcd: each has its own already. Empty ones are not written. */
const WITHOUT_ETCD = '{"data":{"external-etcd-ca.crt":"","external-etcd.crt":"","external-etcd.key":""}}';

/**
 * Lines that delete a node: kubeadm refuses one of this name that is still Ready. The name is what the host calls itself: a node at
 * another address than the inventory's is another machine's.
 */
export function deleteNode({ name, address }: Pick<JoiningHost, 'name' | 'address'>): readonly string[] {
  const addresses = `-o 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}'`;
  return [
    `at=$(kubectl get node ${quote(name)} --ignore-not-found ${addresses})`,
    `case " $at " in`,
    `'  ') ;;`,
    `*${quote(` ${address} `)}*) kubectl delete node ${quote(name)} --ignore-not-found >/dev/null ;;`,
    `*) echo ${quote(`node ${name} is of another machine than ${address}: not deleted`)} >&2; exit 1 ;;`,
    'esac',
  ];
}

/** On a control plane: lets a host in, and prints the digest of the authority's public key. Its stdin is kubeadm's configuration. */
export function inviteHost(host: JoiningHost): Command {
  return {
    summary: `let ${host.name} join`,
    timeoutMs: 120_000,
    script: [
      ...WITH_CONFIGURATION,
      ...forget(host),
      ...(host.isHalfJoined ? deleteNode(host) : []),
      // It prints what is secret.
      'with token create >/dev/null',
      ...(host.kind === 'worker'
        ? []
        : [
            'with init phase upload-certs --upload-certs >/dev/null',
            `kubectl -n kube-system patch secret kubeadm-certs --type merge -p ${quote(WITHOUT_ETCD)} >/dev/null`,
          ]),
      `openssl x509 -pubkey -noout -in ${AUTHORITY} | openssl pkey -pubin -outform der | sha256sum | sed 's/^\\([0-9a-f]*\\).*/sha256:\\1/'`,
    ].join('\n'),
  };
}

/** On the same control plane: forgets what {@link inviteHost} made. */
export function revokeInvitation(host: JoiningHost): Command {
  return {
    summary: `delete the token of ${host.name}`,
    timeoutMs: 120_000,
    script: ['set -eu', `export KUBECONFIG=${ADMIN}`, ...forget(host)].join('\n'),
  };
}

/**
 * Forgets what kubeadm made of a host, and nothing of etcd. Another directory than that of the certificates, which it would empty;
 * and without its phase for etcd: where there is no static pod, a newer kubeadm empties /var/lib/etcd, in which a member of an
 * etcd outside of it may live (kubernetes/kubeadm#3225).
 */
export const RESET = 'kubeadm reset --force --skip-phases remove-etcd-member --cert-dir /run/provision/none';

/** What kubeadm made in the directory of certificates; those for etcd are ours. */
export const MADE_CERTIFICATES =
  'ca.crt ca.key sa.pub sa.key front-proxy-ca.crt front-proxy-ca.key front-proxy-client.crt front-proxy-client.key apiserver.crt apiserver.key apiserver-kubelet-client.crt apiserver-kubelet-client.key';

/** Lines that undo what kubeadm made of a host, and keep what is of etcd: a client certificate, and a member that is no pod. */
export const RESET_LINES = [
  `${RESET} >/dev/null`,
  `(cd /etc/kubernetes/pki 2>/dev/null && rm -f ${MADE_CERTIFICATES}) || :`,
];

/** On the host that joins; a half-joined one is reset first. Its stdin is kubeadm's configuration. */
export function joinHost({ name, isHalfJoined }: JoiningHost): Command {
  return {
    summary: `kubeadm join of ${name}`,
    timeoutMs: TIMEOUT_MS,
    script: [
      ...WITH_CONFIGURATION,
      ...mark('joining'),
      ...(isHalfJoined ? RESET_LINES : []),
      'systemctl enable --quiet kubelet.service',
      'with join',
      ...UNMARK,
    ].join('\n'),
  };
}
