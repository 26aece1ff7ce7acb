import { unitState, type UnitState } from '../facts/unit-state.js';
import { itemsOfHosts } from './ask-hosts.js';
import type { Check, CheckItem } from './check.js';

/** The services of every host run, and will after a reboot. */
export const checkServices: Check = async ({ cluster, probe }) => {
  const wanted = [
    ...cluster.members.map(({ host, unit }) => ({ host, unit })),
    ...cluster.services.flatMap(({ balancers }) =>
      balancers.flatMap(({ host, proxy, keepalived }) => [
        { host, unit: proxy.unit },
        { host, unit: keepalived.unit },
      ]),
    ),
  ];
  return itemsOfHosts([...new Set(wanted.map(({ host }) => host))], async (host) => {
    const units = wanted.filter((each) => each.host === host).map(({ unit }) => unit);
    return Promise.all(
      [...new Set(units)].map(async (unit) => judge(host, unit, await probe(host).ask(unitState, unit))),
    );
  });
};

function judge(host: string, unit: string, state: UnitState): CheckItem {
  const item = { check: 'service', host, subject: unit };
  if (state.load !== 'loaded')
    return { ...item, verdict: 'fail', evidence: state.load, next: `ssh ${host} systemctl status ${unit}` };
  if (!state.active)
    return { ...item, verdict: 'fail', evidence: 'not running', next: `ssh ${host} sudo systemctl start ${unit}` };
  if (!state.enabled) {
    const next = `ssh ${host} sudo systemctl enable ${unit}`;
    return { ...item, verdict: 'fail', evidence: 'running, but not enabled at boot', next };
  }
  return { ...item, verdict: 'ok', evidence: 'running and enabled at boot' };
}
