import { checkApiClients } from './api-clients.js';
import { checkApiservers } from './apiserver.js';
import { checkBackends } from './backends.js';
import { checkCertificates } from './certificates.js';
import type { Check, CheckContext, CheckItem } from './check.js';
import { checkClocks } from './clock.js';
import { checkDrift } from './drift.js';
import { checkEtcd } from './etcd.js';
import { checkExternalBalancer } from './external-balancer.js';
import { checkFirewalls } from './firewall.js';
import { checkKubeadmCertificates } from './kubeadm-certificates.js';
import { checkKubeadmConfig } from './kubeadm-config.js';
import { checkLeftKeys } from './left-keys.js';
import { checkNodes } from './nodes.js';
import { checkNonlocalBind } from './nonlocal-bind.js';
import { checkRestoredKubelets } from './restored-kubelets.js';
import { checkRotation } from './rotation.js';
import { checkRouterIds } from './router-id.js';
import { checkScheduledSnapshots } from './scheduled-snapshots.js';
import { checkServices } from './services.js';
import { checkStrayNodes } from './stray-nodes.js';
import { checkUpgradingNodes } from './upgrading-nodes.js';
import { checkVirtualIp } from './virtual-ip.js';
import { balancerHosts } from '../model/virtual-service.js';

/** Every check, in the order of the report. */
const CHECKS: readonly Check[] = [
  checkEtcd,
  checkScheduledSnapshots,
  checkServices,
  checkVirtualIp,
  checkExternalBalancer,
  checkRouterIds,
  checkNonlocalBind,
  checkBackends,
  checkFirewalls,
  checkCertificates,
  checkKubeadmCertificates,
  checkLeftKeys,
  checkRotation,
  checkApiservers,
  checkApiClients,
  checkKubeadmConfig,
  checkNodes,
  checkStrayNodes,
  checkUpgradingNodes,
  checkRestoredKubelets,
  checkDrift,
];

/**
 * Asks all checks at once, so that their first questions reach a host as one exec; then the clocks, alone.
 * @returns items in the order of the report, hosts that could not be asked first
 */
export async function runChecks(context: CheckContext): Promise<readonly CheckItem[]> {
  const { members, controlPlanes } = context.cluster;
  const items = (await Promise.all(CHECKS.map((check) => check(context)))).flat();
  const lost = new Set(items.filter(({ check }) => check === 'host').map(({ host }) => host));
  const parts = [...members, ...controlPlanes].map(({ host }) => host);
  const hosts = new Set([...parts, ...balancerHosts(context.cluster)]);
  const clocks = await checkClocks(
    context,
    [...hosts].filter((host) => !lost.has(host)),
  );
  return withoutTwins([...items, ...clocks]);
}

/** A host that cannot be asked is met by several checks, and reported once. */
function withoutTwins(items: readonly CheckItem[]): readonly CheckItem[] {
  const lost = new Map(items.filter(({ check }) => check === 'host').map((item) => [item.host, item]));
  return [...lost.values(), ...items.filter(({ check }) => check !== 'host')];
}
