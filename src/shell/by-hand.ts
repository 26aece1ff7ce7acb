/** What a person types to read what a service of a host said last. @param units without `.service` */
export function journalByHand(host: string, ...units: readonly string[]): string {
  return `ssh ${host} sudo journalctl ${units.map((unit) => `-u ${unit}`).join(' ')} -n 50`;
}

/** What a person types to see the containers of a static pod. */
export function containersByHand(host: string, name: string): string {
  return `ssh ${host} sudo crictl ps -a --name ${name}`;
}

/** What a person types to restart a service. @param unit without `.service` */
export function restartByHand(host: string, unit: string): string {
  return `ssh ${host} sudo systemctl restart ${unit}`;
}

/** What a person types to start a service on hosts, without waiting: a member is ready only when a quorum is. */
export function startByHand(hosts: readonly string[], unit: string): string {
  const start = `sudo systemctl start --no-block ${unit}`;
  const [first = ''] = hosts;
  return hosts.length === 1 ? `ssh ${first} ${start}` : `for h in ${hosts.join(' ')}; do ssh "$h" ${start}; done`;
}
