import { defaulted, optional } from './variable-definition.js';
import { absolutePath, flag, text } from './variable-kinds.js';

const foundByAdopt = 'found by `provision adopt INVENTORY`';

function file(description: string): ReturnType<typeof optional<string>> {
  return optional({ schema: absolutePath(), type: 'path', fallbackText: foundByAdopt, description });
}

/** What describes an existing etcd cluster. Each but `etcd_managed` has a meaning only where that is false. */
export const ADOPTED_VARIABLES = {
  etcd_managed: defaulted(true, {
    schema: flag(),
    type: 'true or false',
    description:
      'false: an existing etcd cluster, not set up by this program. Its packages, units, configuration, data and trust are left alone; only the names ' +
      "that the load balancer needs are added to each member's server certificate.",
  }),
  etcd_unit: optional({
    schema: text('the name of a systemd unit', /^[\w:.@-]+$/),
    type: 'text',
    fallbackText: '`etcd`',
    description: 'Adopted etcd: its systemd unit.',
  }),
  etcd_manifest: optional({
    schema: absolutePath(),
    type: 'path',
    fallbackText: foundByAdopt,
    description:
      'Stacked etcd of kubeadm, on a host of the group `etcd_former`: the manifest of its static pod. Its member leaves the cluster when the ' +
      'members of the group `etcd` have joined; where kubeadm puts its files, no other variable is needed.',
  }),
  etcd_cert_file: file('Adopted etcd: the certificate that it shows to clients (`--cert-file`).'),
  etcd_key_file: file('Adopted etcd: the key of that certificate (`--key-file`).'),
  etcd_trusted_ca_file: file('Adopted etcd: the authority of its clients (`--trusted-ca-file`).'),
  etcd_client_cert_file: file('Adopted etcd: a client certificate on its host that it accepts, for the health gates.'),
  etcd_client_key_file: file('Adopted etcd: the key of that client certificate.'),
  etcd_client_url: optional({
    schema: text('an https URL such as https://10.0.1.10:2379', /^https:\/\/[^\s/"'\\]+$/),
    type: 'URL',
    fallbackText: 'https, the address and `etcd_client_port`',
    description: 'Adopted etcd: how it is asked on its own host.',
  }),
} as const;
