import { readdirSync, readFileSync } from 'node:fs';
import { gateTable } from '../../src/gates/table.js';
import { parseBoundedYaml } from '../../src/model/bounded-yaml.js';
import type { Cluster } from '../../src/model/cluster.js';
import { duration } from '../../src/report/wording.js';

/** What each gate asks, by its name without its service. */
const ASKS: Readonly<Record<string, string>> = {
  'apiserver-can-spare-batch':
    'Another API server is ready while that of the batch restarts, where there is another, and the one of the batch serves.',
  'apiserver-can-spare-batch-but-for-lost':
    'Every other API server that can be asked is ready, so that none is replaced while another one is on its way up; or the one of the batch does not serve.',
  'apiserver-ready':
    'Only kube-apiservers with the new arguments run, `/readyz` is ok, and they are connected to etcd.',
  'apt-unlocked': 'No one else installs packages on the host.',
  'backends-named': 'What each backend shows names the virtual IP, and its DNS name.',
  'backends-up': 'The proxy on each host of the batch runs, and finds every backend up.',
  'batch-backends-up':
    'The proxy of every balancer finds the backends on the hosts of the batch up, whatever others are.',
  'controllers-ready':
    'The controller-manager and the scheduler of each control plane run and are healthy; after a change, in a new process.',
  'etcd-answers-directly': 'A member answers at its own URL, from this control plane and with its files.',
  'etcd-can-spare-batch': 'The cluster is healthy without the members of the batch, and keeps its quorum.',
  'etcd-has-room': "No member's database is near its quota.",
  'etcd-healthy': 'Every member is healthy, and all agree on members, leader and cluster.',
  'etcd-healthy-but-for-space': 'The same while the alarm NOSPACE is raised.',
  'etcd-healthy-but-for-stopped': 'The same while members are stopped, and the others are a quorum.',
  'etcd-keeps-quorum-without-batch':
    'The cluster is healthy without the members of the batch, and they are no part of its last quorum: they may be away for minutes.',
  'etcd-learner-caught-up': 'The member of the batch is a learner that has what the leader has, or a healthy voter.',
  'etcd-serves-without-batch': 'The members outside the batch serve and agree, whatever etcd lists for the batch.',
  'firewall-lets-in':
    'Connections that the cluster needs come in at the host whose firewall is new, and it hears who holds each virtual IP.',
  'former-balancers-freed': 'No former load balancer holds the virtual IP, or may take it.',
  'former-members-may-leave':
    'Nobody is led to the members that are to leave, kubeadm would make none of them again, and the others are a quorum without them.',
  'former-nodes-may-leave':
    'Most of the control planes that stay answer, and neither the load balancer nor a kubelet is led to an API server that is to leave.',
  'host-rebooted': 'The host has booted since.',
  'keepalived-one-holder': 'Exactly one balancer holds the virtual IP, and does not talk to its peers from it.',
  'kube-proxy-settled': 'Every pod of kube-proxy is the newest one, and available.',
  'kubelet-ready': 'The new kubelet of each node has renewed its lease and reported Ready.',
  'runtime-ready': 'containerd runs on each host, and its node, where it is one, has reported Ready since.',
  'peers-take-writes': 'No member waits for a connection to a peer that is gone.',
  'vip-can-spare-batch':
    'Another load balancer can take the virtual IP while those of the batch are away, where there is another.',
  'vip-answers': 'The service answers through the virtual IP, verified, from where its clients are.',
  'vip-answers-control-planes': 'The same from every control plane, with the files that its API server uses.',
  'vip-answers-kubeconfigs':
    'The API answers through its virtual IP to the credentials of each kubeconfig, and is this cluster.',
  'vip-forwards': 'The holder of the virtual IP passes connections on to the service.',
};

/** docs/reference/gates.md: the gates of a cluster, with how long each is waited for, and the plays that ask them. */
export function gatesPage(cluster: Cluster): string {
  const asked = playsOfGates();
  const rows = [...gateTable(cluster, () => new Date()).values()].map(({ name, deadlineMs }) => {
    const [short = ''] = name.split(': ');
    const asks = ASKS[short];
    if (asks === undefined) throw new Error(`say what gate ${name} asks`);
    return [
      `\`${name}\``,
      asks,
      deadlineMs === 0 ? 'asked once' : duration(deadlineMs),
      (asked.get(name) ?? ['a step']).join('; '),
    ];
  });
  const lines = rows.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1)).map((cells) => `| ${cells.join(' | ')} |`);
  return `# Gates

Written from the table of gates and the shipped playbooks; a test keeps it current (\`UPDATE_GOLDEN=1 npm run -s jest -- gates-page\`).

A gate is a question between two batches: may the roll-out go on? It is asked again until it opens. When it does not within its time, the batch before it is
rolled back, and nothing later is touched. \`--gate-timeout SECONDS\` takes the place of all these times. A gate whose answer waiting can't change ends
the run at once, and one that waits for a host that is away ends after a minute.

| gate | what it asks | how long | asked by |
| --- | --- | --- | --- |
${lines.join('\n')}

_A step_: a change itself waits for it, in the middle of the work on a host; or a play of a verb that has its own, as \`defrag\` and \`ca rotate\`.
`;
}

interface ReadPlay {
  readonly name?: string;
  readonly gates?: { readonly before?: readonly unknown[]; readonly after?: readonly unknown[] };
}

/** Gate → the plays that name it. */
function playsOfGates(): ReadonlyMap<string, readonly string[]> {
  const asked = new Map<string, string[]>();
  for (const file of readdirSync('playbooks').filter((name) => name.endsWith('.yaml'))) {
    const plays = parseBoundedYaml(readFileSync(`playbooks/${file}`, 'utf8')).toJS() as readonly ReadPlay[];
    for (const { name = '', gates = {} } of plays)
      for (const [when, entries] of Object.entries(gates))
        for (const gate of entries.map(gateName)) {
          const known = asked.get(gate) ?? [];
          const entry = `${when} _${name}_`;
          if (!known.includes(entry)) asked.set(gate, [...known, entry]);
        }
  }
  return asked;
}

/** `vip-answers: etcd` is a text, or a mapping of one key. */
function gateName(entry: unknown): string {
  if (typeof entry === 'string') return entry;
  const [[name, service] = []] = Object.entries(entry as Record<string, string>);
  return `${name ?? ''}: ${service ?? ''}`;
}
