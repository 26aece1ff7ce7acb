import { endOf } from './main-job.js';
import type { TestLab } from './lab.js';

/** Certificates of kubeadm in its directory, by name, and whose key signs each. */
const PAIRS = {
  ...{ apiserver: 'ca', 'apiserver-kubelet-client': 'ca', 'front-proxy-client': 'front-proxy-ca' },
  // Of a stacked member.
  ...{ 'etcd/server': 'etcd/ca', 'etcd/peer': 'etcd/ca', 'etcd/healthcheck-client': 'etcd/ca' },
  'apiserver-etcd-client': 'etcd/ca',
} as const;

const KUBECONFIGS = ['admin', 'controller-manager', 'scheduler'] as const;

/**
 * What kubeadm made on a control plane becomes what it made almost a year ago: the same certificates, signed again with its own keys for
 * its own authority, for a few days.
 * @param days name of a certificate → its days; 0: it has ended
 */
export async function shortenCertificates(
  lab: TestLab,
  host: string,
  days: Readonly<Record<string, number>>,
): Promise<void> {
  const script = [
    'set -eu; umask 077; cd /etc/kubernetes/pki',
    'short() {',
    '  openssl x509 -x509toreq -in "$1" -signkey "$2" -copy_extensions copyall -out /root/short.csr 2>/dev/null',
    '  openssl x509 -req -in /root/short.csr -CA "$3.crt" -CAkey "$3.key" -set_serial "0x$(openssl rand -hex 8)" -copy_extensions copyall -days "$4" -out /root/short.pem',
    '}',
    ...Object.entries(PAIRS).flatMap(([name, authority]) =>
      days[name] === undefined
        ? []
        : [`short ${name}.crt ${name}.key ${authority} ${days[name]}; cat /root/short.pem >${name}.crt`],
    ),
    ...KUBECONFIGS.flatMap((name) => {
      const count = days[`${name}.conf`];
      if (count === undefined) return [];
      const file = `/etc/kubernetes/${name}.conf`;
      return [
        ...['certificate', 'key'].map(
          (what) => `sed -n 's/^ *client-${what}-data: //p' ${file} | base64 -d >/root/long.${what}`,
        ),
        `short /root/long.certificate /root/long.key ca ${count}`,
        `sed -i "s#client-certificate-data: .*#client-certificate-data: $(base64 -w0 </root/short.pem)#" ${file}`,
      ];
    }),
    'rm -f /root/short.* /root/long.*',
  ].join('\n');
  const ended = await lab.ssh(host, script);
  if (ended.status !== 0) throw new Error(`${host}: ${endOf(ended)}`);
}
