import { sysctlAtBoot, type BootSetting } from '../facts/sysctl-at-boot.js';
import { sysctlValue } from '../facts/sysctl.js';
import { nonlocalBindKey } from '../model/endpoint.js';
import { itemsOfHosts } from './ask-hosts.js';
import type { Check, CheckItem } from './check.js';

/** HAProxy may bind the virtual IP where it is not: now, and after a reboot. */
export const checkNonlocalBind: Check = async ({ cluster, probe, inventory }) => {
  if (cluster.endpoint === undefined) return [];
  const key = nonlocalBindKey(cluster.endpoint.ip);
  return itemsOfHosts(
    cluster.balancers.map(({ host }) => host),
    async (host) => {
      const [now, atBoot] = await Promise.all([probe(host).ask(sysctlValue, key), probe(host).ask(sysctlAtBoot, key)]);
      return [nowItem(host, key, now), bootItem(host, { key, atBoot, inventory })];
    },
  );
};

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
  return { ...item, verdict: 'fail', evidence, next: `provision plan ${inventory}` };
}
