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

/** A service of a host. `unit` without `.service` */
export interface HostUnit {
  readonly host: string;
  readonly unit: string;
}

/** What a person types to start services of hosts, without waiting: a member is ready only when a quorum is. */
export function startByHand(services: readonly HostUnit[]): string {
  const start = (unit: string): string => `sudo systemctl start --no-block ${unit}`;
  const units = [...new Set(services.map(({ unit }) => unit))];
  const [unit = ''] = units;
  // Adopted members may have units of different names.
  if (services.length === 1 || units.length > 1)
    return services.map((each) => `ssh ${each.host} ${start(each.unit)}`).join('; ');
  return `for h in ${services.map(({ host }) => host).join(' ')}; do ssh "$h" ${start(unit)}; done`;
}
