import type { VirtualService } from '../model/virtual-service.js';
import type { CheckContext } from './check-context.js';
import { SERVICE_VARIABLES } from './service-variables.js';

/** What services must not share, and what each must have. */
export function checkServices(services: readonly VirtualService[], context: CheckContext): void {
  for (const [index, service] of services.entries()) {
    for (const other of services.slice(0, index)) checkApart(service, other, context);
    checkBackends(service, context);
  }
}

/** Each virtual IP is kept by a program of its own: two would fight for one address, and for one router id. */
function checkApart(service: VirtualService, other: VirtualService, { shared, reader }: CheckContext): void {
  const variables = SERVICE_VARIABLES[service.name];
  const { ip } = service.endpoint;
  const report = (variable: typeof variables.ip | typeof variables.virtualRouterId, message: string): void => {
    reader.report('error', shared.at(variable) ?? shared.at(variables.ip), variable, message);
  };
  if (ip === other.endpoint.ip)
    report(variables.ip, `${ip} is the virtual IP of ${other.name}, too; expected another free address`);
  const id = routerId(service);
  if (id === undefined || id !== routerId(other)) return;
  report(
    variables.virtualRouterId,
    `${id} is the virtual router id of ${other.name} (${other.endpoint.ip}), too; set ${variables.virtualRouterId} to another unused one`,
  );
}

function routerId({ balancers }: VirtualService): number | undefined {
  return balancers[0]?.keepalived.virtualRouterId;
}

function checkBackends({ name, backends, balancers }: VirtualService, { shared, reader }: CheckContext): void {
  const { ip } = SERVICE_VARIABLES[name];
  if (backends.length > 0 && balancers.length > 0) return;
  reader.report('error', shared.at(ip), ip, `is set, and the inventory has no hosts that serve ${name}`);
}
