import { Document, Pair, Scalar, YAMLMap } from 'yaml';
import type { BalancerAnswers, InventoryAnswers, NamedHost } from './inventory-answers.js';

const HEAD = ` Written by \`provision init\`. This is an Ansible inventory: edit it as one.
 Every variable and its default: docs/reference/variables.md`;

/**
 * The inventory as YAML, with a comment where a reader may ask why.
 * @returns the whole file
 */
export function renderInventory(answers: InventoryAnswers): string {
  const { members, balancer, controlPlanes } = answers;
  const content = {
    all: {
      vars: { ...connectionVars(answers), ...(balancer === undefined ? {} : balancerVars(balancer)) },
      children: {
        etcd: { hosts: hostMap(members) },
        ...(balancer?.hosts === undefined ? {} : { etcd_lb: { hosts: hostMap(balancer.hosts) } }),
        ...(controlPlanes.length === 0 ? {} : { kube_control_plane: { hosts: hostMap(controlPlanes) } }),
      },
    },
  };
  // Ansible reads YAML 1.1, where a bare `no` is false.
  const document = new Document(content, { version: '1.1' });
  document.commentBefore = HEAD;
  comment(document, ['all', 'vars', 'ansible_become'], ' sudo; when it asks for a password, run with -K');
  comment(document, ['all', 'vars', 'etcd_lb_ip'], ' The virtual IP, and what clients reach it by');
  comment(document, ['all', 'children', 'etcd'], ' The members, in the order in which they are restarted');
  comment(document, ['all', 'children', 'etcd_lb'], ' HAProxy and keepalived, on hosts of their own');
  comment(
    document,
    ['all', 'children', 'kube_control_plane'],
    ' Hosts whose kube-apiserver is pointed at the virtual IP',
  );
  return document.toString({ lineWidth: 0 });
}

function connectionVars({ sshUser, privateKeyFile }: InventoryAnswers): Readonly<Record<string, unknown>> {
  return {
    ansible_user: sshUser,
    ...(privateKeyFile === undefined ? {} : { ansible_ssh_private_key_file: privateKeyFile }),
    ...(sshUser === 'root' ? {} : { ansible_become: true }),
  };
}

function balancerVars({ ip, name, port, network }: BalancerAnswers): Readonly<Record<string, unknown>> {
  return {
    etcd_lb_ip: ip,
    ...(name === undefined ? {} : { etcd_lb_host: name }),
    etcd_lb_port: port,
    ...(network === undefined ? {} : { keepalived_network: network }),
  };
}

/** As nodes: an object would put names that are numbers first, and a Map would become an `!!omap`. */
function hostMap(hosts: readonly NamedHost[]): YAMLMap {
  const map = new YAMLMap();
  map.items = hosts.map((host) => new Pair(new Scalar(host.name), hostVars(host)));
  return map;
}

function hostVars({ address, connection = {} }: NamedHost): Readonly<Record<string, unknown>> {
  const { address: login, port, user, privateKeyFile, sshArgs } = connection;
  return {
    ansible_host: login ?? address,
    // Logged in at another address than that by which nodes reach each other.
    ...(login === undefined ? {} : { ip: address }),
    ...(port === undefined ? {} : { ansible_port: port }),
    ...(user === undefined ? {} : { ansible_user: user, ansible_become: user !== 'root' }),
    ...(privateKeyFile === undefined ? {} : { ansible_ssh_private_key_file: privateKeyFile }),
    ...(sshArgs === undefined ? {} : { ansible_ssh_common_args: sshArgs }),
  };
}

/** Puts a comment above a key, when there is such a key. */
function comment(document: Document, path: readonly string[], text: string): void {
  const map = document.getIn(path.slice(0, -1), true) as YAMLMap<{ value: string; commentBefore?: string }> | undefined;
  const pair = map?.items.find(({ key }) => key.value === path.at(-1));
  if (pair !== undefined) pair.key.commentBefore = text;
}
