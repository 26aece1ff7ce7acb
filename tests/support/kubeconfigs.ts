/** A kubeconfig as the kubelet has it after `kubeadm join`. @param server its URL */
export function kubeletConf(server: string): string {
  return `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0EtQ0EtQ0E=
    server: ${server}
  name: default-cluster
contexts:
- context:
    cluster: default-cluster
    namespace: default
    user: default-auth
  name: default-context
current-context: default-context
kind: Config
preferences: {}
users:
- name: default-auth
  user:
    client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem
    client-key: /var/lib/kubelet/pki/kubelet-client-current.pem
`;
}

/** A kubeconfig as kubeadm makes it for administrators, here with keys that no host has. */
export function adminConf(server: string): string {
  return `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0EtQ0EtQ0E=
    server: ${server}
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: kubernetes-admin
  name: kubernetes-admin@kubernetes
current-context: kubernetes-admin@kubernetes
kind: Config
preferences: {}
users:
- name: kubernetes-admin
  user:
    client-certificate-data: Q0VSVC1DRVJU
    client-key-data: U0VDUkVULUtFWQ==
`;
}
