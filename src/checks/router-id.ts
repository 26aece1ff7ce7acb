import { vrrpConflicts } from '../facts/vrrp-conflicts.js';
import { balancerHosts, type ServiceName } from '../model/virtual-service.js';
import { quote } from '../shell/quote.js';
import { itemsOfHosts } from './ask-hosts.js';
import type { Check, CheckItem } from './check.js';

/** What gives each service another id. */
const VARIABLES: Readonly<Record<ServiceName, string>> = {
  etcd: 'keepalived_vrid',
  'kube-apiserver': 'kube_apiserver_lb_vrid',
};

/** keepalived's words for an advert of another version (vrrp.c, of 2.0 to 2.3). */
const OTHER_VERSION = /wrong version/;

/**
 * Nobody else on the network of the balancers uses the virtual router id of a service. keepalived hears it, and writes it
 * into its journal; a plan can't ask, for before keepalived runs nothing on a host listens to VRRP.
 */
export const checkRouterIds: Check = async ({ cluster, probe, inventory }) =>
  itemsOfHosts(balancerHosts(cluster), async (host) => {
    const own = cluster.services.flatMap(({ name, balancers }) =>
      balancers.flatMap(({ host: on, keepalived }) => (on === host ? [{ name, keepalived }] : [])),
    );
    return Promise.all(
      own.map(async ({ name, keepalived }): Promise<CheckItem> => {
        const { unit, virtualRouterId: id } = keepalived;
        const item = { check: 'virtual-router-id', host, subject: name };
        const heard = await probe(host).ask(vrrpConflicts, unit);
        if (heard.kind === 'nothing')
          return { ...item, verdict: 'ok', evidence: `keepalived hears no other group with ${id}` };
        const journal = `ssh ${host} sudo journalctl -u ${unit} -n 20`;
        if (heard.kind === 'unknown')
          return { ...item, verdict: 'warn', evidence: `the journal of ${unit} can't be read`, next: journal };
        if (OTHER_VERSION.test(heard.line)) {
          const evidence = `another VRRP version is spoken on this network with ${id}; keepalived says: ${heard.line}`;
          const plan = `provision plan ${quote(inventory)}`;
          return {
            ...item,
            verdict: 'warn',
            evidence,
            next: `where it is a balancer of yours: ${plan}; who it is: ${journal}`,
          };
        }
        const evidence = `another group on this network uses ${id}, too; keepalived says: ${heard.line}`;
        const next = `set ${VARIABLES[name]} to a number that nobody there uses, then: provision plan ${quote(inventory)}; who it is: ssh ${host} sudo tcpdump -n vrrp`;
        return { ...item, verdict: 'warn', evidence, next };
      }),
    );
  });
