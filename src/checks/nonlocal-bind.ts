import { sysctlAtBoot, type BootSetting } from '../facts/sysctl-at-boot.js';
import { sysctlValue } from '../facts/sysctl.js';
import { nonlocalBindKey } from '../model/endpoint.js';
import { quote } from '../shell/quote.js';
import { itemsOfHosts } from './ask-hosts.js';
import type { Check, CheckItem } from './check.js';
import type { Cluster } from '../model/cluster.js';
import { balancerHosts } from '../model/virtual-service.js';

/** The proxies may bind the virtual IP where it is not: now, and after a reboot. */
export const checkNonlocalBind: Check = async ({ cluster, probe, inventory }) => {
  return itemsOfHosts(balancerHosts(cluster), async (host) => {
    const items = keysOf(cluster, host).map(async (key) => {
      const [now, atBoot] = await Promise.all([probe(host).ask(sysctlValue, key), probe(host).ask(sysctlAtBoot, key)]);
      return [nowItem(host, key, now), bootItem(host, { key, atBoot, inventory })];
    });
    return (await Promise.all(items)).flat();
  });
};

/** One for IPv4, one for IPv6, whatever the services of the host need. */
function keysOf({ services }: Cluster, host: string): readonly string[] {
  const own = services.filter(({ balancers }) => balancers.some((balancer) => balancer.host === host));
  return [...new Set(own.map(({ endpoint }) => nonlocalBindKey(endpoint.ip)))];
}

function nowItem(host: string, key: string, value: string | undefined): CheckItem {
  const item = {
    check: 'nonlocal-bind',
    host,
    subject: 'now',
    evidence: `${key} = ${value ?? 'unknown to the kernel'}`,
  };
  if (value === '1') return { ...item, verdict: 'ok' };
  return { ...item, verdict: 'fail', next: `ssh ${host} sudo sysctl -w ${key}=1` };
}

function bootItem(
  host: string,
  {
    key,
    atBoot,
    inventory,
  }: { readonly key: string; readonly atBoot: BootSetting | undefined; readonly inventory: string },
): CheckItem {
  const item = { check: 'nonlocal-bind', host, subject: 'after a reboot' };
  if (atBoot?.value === '1') return { ...item, verdict: 'ok', evidence: `${key} = 1 in ${atBoot.file}` };
  const evidence =
    atBoot === undefined ? `no file of sysctl.d sets ${key}` : `${key} = ${atBoot.value} in ${atBoot.file}`;
  return { ...item, verdict: 'fail', evidence, next: `provision plan ${quote(inventory)}` };
}
