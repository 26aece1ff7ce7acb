import { PROXY_NAMES } from '../model/virtual-service.js';
import { defaulted, optional } from './variable-definition.js';
import { absolutePath, block, dnsName, flag, haproxyTime, ipAddress, oneOf, wholeNumber } from './variable-kinds.js';

const port = wholeNumber(1, 65_535);

/** The API servers behind a virtual IP of their own. `kube_apiserver_port` and `kube_apiserver_bind_address` are kubespray's. */
export const APISERVER_VARIABLES = {
  kube_apiserver_lb_enabled: optional({
    schema: flag(),
    type: 'true or false',
    fallbackText: 'true when `kube_apiserver_lb_ip` is set',
    description: 'Whether the API servers have a virtual IP.',
  }),
  kube_apiserver_lb_ip: optional({
    schema: ipAddress(),
    type: 'IP address',
    fallbackText: 'none',
    description:
      'The virtual IP of the API servers. An unused address in the network of the hosts of `kube_apiserver_lb`, else of the control planes.',
  }),
  kube_apiserver_lb_host: optional({
    schema: dnsName(),
    type: 'DNS name',
    fallbackText: 'none',
    description: 'DNS name of that virtual IP.',
  }),
  kube_apiserver_lb_port: defaulted(8443, {
    schema: port,
    type: 'port',
    description: 'Port on that virtual IP. 6443 is free only on hosts that are no control planes.',
  }),
  kube_apiserver_lb_proxy: defaulted('haproxy', {
    schema: oneOf(PROXY_NAMES),
    type: PROXY_NAMES.join(' or '),
    description: 'What passes connections to API servers on.',
  }),
  kube_apiserver_lb_timeout: defaulted('4h', {
    schema: haproxyTime(),
    type: 'text, time',
    description:
      'Silence after which a connection is cut off: `exec`, `logs -f` and watches may be quiet for long. As the kubelet cuts them off (`streamingConnectionIdleTimeout`).',
  }),
  kube_apiserver_lb_extra_config: optional({
    schema: block(),
    type: 'text',
    fallbackText: 'none',
    description: "Put at the end of its proxy's configuration as it is. May hold secrets.",
    mayHoldSecrets: true,
  }),
  kube_apiserver_lb_vrid: optional({
    schema: wholeNumber(1, 255),
    type: '1 to 255',
    fallbackText: 'last byte of `kube_apiserver_lb_ip`',
    description: 'Virtual router id of that virtual IP; another one than that of etcd.',
  }),
  kube_apiserver_lb_priority: optional({
    schema: wholeNumber(1, 254),
    type: '1 to 254',
    fallbackText: '100 for the first host, one less for each further one',
    description: 'Which host holds that virtual IP; its own on each host.',
  }),
  kube_apiserver_port: defaulted(6443, {
    schema: port,
    type: 'port',
    description: 'Port of the API server on each control plane (`--secure-port`).',
  }),
  kube_apiserver_bind_address: optional({
    schema: ipAddress(),
    type: 'IP address',
    fallbackText: 'all addresses',
    description: 'Where the API server of a control plane listens (`--bind-address`).',
  }),
  kube_apiserver_ca_file: defaulted('/etc/kubernetes/pki/ca.crt', {
    schema: absolutePath(),
    type: 'path',
    description: 'Where control planes and nodes have the authority that signed what API servers show.',
  }),
  kube_apiserver_manifest: defaulted('/etc/kubernetes/manifests/kube-apiserver.yaml', {
    schema: absolutePath(),
    type: 'path',
    description: 'Static pod manifest of the apiserver.',
  }),
  kube_apiserver_repoint: defaulted(true, {
    schema: flag(),
    type: 'true or false',
    description:
      'Whether `site` and `migrate` move the API servers to the load balancer of etcd. `false`: they keep the etcd servers that they have, until the playbook `repoint` is applied; from an address that is about to go they move to the members all the same.',
  }),
  kube_apiserver_ready_timeout: defaulted(180, {
    schema: wholeNumber(10, 3600),
    type: 'seconds',
    description: 'How long a repointed apiserver may take to become ready; after that its old manifest is restored.',
  }),
} as const;
