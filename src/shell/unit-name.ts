/** The whole name of a unit of systemd: a service, where nothing else is said. */
export function unitName(unit: string): string {
  return /\.(?:socket|timer)$/.test(unit) ? unit : `${unit}.service`;
}
