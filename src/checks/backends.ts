import { allBackendsUp } from '../gates/backends-up.js';
import { askGate } from './ask-gate.js';
import type { Check } from './check.js';

/** Each proxy runs, and finds every backend of its service up. */
export const checkBackends: Check = async (context) => {
  const items = context.cluster.services.map((service) =>
    askGate(
      {
        gate: allBackendsUp(service),
        check: service.proxy,
        subject: service.name,
        hosts: service.balancers.map(({ host }) => host),
        ok: `finds ${service.backends.map(({ name }) => name).join(', ')} up`,
      },
      context,
    ),
  );
  return (await Promise.all(items)).flat();
};
