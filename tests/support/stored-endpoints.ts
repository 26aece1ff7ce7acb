import type { TestLab } from './lab.js';

const ADMIN = "awk '/client-DATA-data:/ {print $2}' /etc/kubernetes/admin.conf | base64 -d";
/** The endpoints in kubeadm-config, as an administrator reads them. */
export const STORED_ENDPOINTS = [
  `umask 077; ${ADMIN.replace('DATA', 'certificate')} > /run/a.crt; ${ADMIN.replace('DATA', 'key')} > /run/a.key`,
  "printf 'GET /api/v1/namespaces/kube-system/configmaps/kubeadm-config HTTP/1.0\\r\\n\\r\\n' | " +
    'openssl s_client -quiet -cert /run/a.crt -key /run/a.key -connect 127.0.0.1:6443 2>/dev/null | grep -o "https://[^\\\\]*:2379"',
].join('\n');

/** Has kubeadm store the configuration that the lab made the first control plane with, whose endpoints are the hosts of etcd. */
export async function storeConfiguration(lab: TestLab): Promise<void> {
  await lab.ssh('cp-1', 'kubeadm init phase upload-config kubeadm --config /etc/kubernetes/kubeadm.yaml');
}
