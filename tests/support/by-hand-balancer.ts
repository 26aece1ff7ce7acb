import { endOf } from './main-job.js';
import type { TestLab } from './lab.js';

/** Where a test made a balancer by hand. */
export interface ByHandBalancer {
  /** A host that the inventory does not name. */
  readonly host: string;
  /** Of the balancer: several for one name. */
  readonly addresses: readonly string[];
  /** The members' addresses. */
  readonly members: readonly string[];
  /** What clients call it, and where they look that up. */
  readonly name: string;
  readonly clients: readonly string[];
}

/** A plain HAProxy that passes TCP on, as someone else would run it: with another configuration than ours, and its addresses in /etc/hosts. */
export async function makeBalancerByHand(
  lab: TestLab,
  { host, addresses, members, name, clients }: ByHandBalancer,
): Promise<void> {
  const extra = addresses.slice(1).map((address) => `ip addr replace ${address}/24 dev eth0`);
  const script = `set -e
    apt-get -q update >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get -qy install haproxy >/dev/null
    ${extra.join('\n    ')}
    ${configured(addresses, members)}
    systemctl restart haproxy`;
  const made = await lab.ssh(host, script);
  if (made.status !== 0) throw new Error(endOf(made));
  const lines = addresses.map((address) => `${address} ${name}`).join('\n');
  for (const client of clients) await lab.ssh(client, `printf '%s\n' '${lines}' >>/etc/hosts`);
}

/** From now on it listens at some of its addresses: connections that it has are kept. */
export async function listenAt(
  lab: TestLab,
  { host, members }: ByHandBalancer,
  addresses: readonly string[],
): Promise<void> {
  const changed = await lab.ssh(host, `set -e\n${configured(addresses, members)}\nsystemctl reload haproxy`);
  if (changed.status !== 0) throw new Error(endOf(changed));
}

function configured(addresses: readonly string[], members: readonly string[]): string {
  const binds = addresses.map((address) => `    bind ${address}:2379`).join('\n');
  const servers = members.map((address, index) => `    server m${index} ${address}:2379 check`).join('\n');
  return `cat >/etc/haproxy/haproxy.cfg <<'END'
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
listen others
${binds}
${servers}
END`;
}

/** Nothing is left of it. The package stays. */
export async function removeBalancerByHand(
  lab: TestLab,
  { host, addresses, name, clients }: ByHandBalancer,
): Promise<void> {
  const extra = addresses.slice(1).map((address) => `ip addr del ${address}/24 dev eth0`);
  await lab.ssh(host, ['systemctl stop haproxy', 'rm /etc/haproxy/haproxy.cfg', ...extra].join('; '));
  for (const client of clients) await lab.ssh(client, `sed -i '/ ${name}$/d' /etc/hosts`);
}
