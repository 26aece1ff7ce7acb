import type { Host } from '../model/inventory.js';
import type { ProxySettings, ServiceName } from '../model/virtual-service.js';
import type { VariableName } from './known-variables.js';
import { NO_METRICS } from './read-metrics.js';
import type { SharedValues } from './shared-values.js';
import type { VariableReader } from './variable-reader.js';

/** The variables of one service, and what they mean for its balancers. */
export interface ServiceVariables {
  readonly ip: 'etcd_lb_ip' | 'kube_apiserver_lb_ip';
  readonly host: 'etcd_lb_host' | 'kube_apiserver_lb_host';
  readonly port: 'etcd_lb_port' | 'kube_apiserver_lb_port';
  readonly proxy: 'etcd_lb_proxy' | 'kube_apiserver_lb_proxy';
  readonly enabled: 'etcd_lb_enabled' | 'kube_apiserver_lb_enabled';
  readonly virtualRouterId: 'keepalived_vrid' | 'kube_apiserver_lb_vrid';
  readonly priority: 'keepalived_priority' | 'kube_apiserver_lb_priority';
  /** The network that its address must be in. */
  readonly network: Extract<VariableName, 'keepalived_network'> | undefined;
  /** Whether its proxy ends the clients' TLS. */
  readonly ends: (shared: SharedValues) => 'tls' | 'nothing';
  /** Whether it can. */
  readonly mayEnd: 'tls' | 'nothing';
  /** Whether its programs run by the packages' units, or beside those. */
  readonly place: (shared: SharedValues) => 'beside' | 'packaged';
  /** Where an earlier inventory may have had them. */
  readonly mayHaveBeen: 'beside' | 'packaged';
  /** What holds of its proxy in place of what the proxy's own variables say. */
  readonly settings: (host: Host, shared: SharedValues, reader: VariableReader) => Partial<ProxySettings>;
}

/** The variables of every service. */
export const SERVICE_VARIABLES: Readonly<Record<ServiceName, ServiceVariables>> = {
  etcd: {
    ip: 'etcd_lb_ip',
    host: 'etcd_lb_host',
    port: 'etcd_lb_port',
    proxy: 'etcd_lb_proxy',
    enabled: 'etcd_lb_enabled',
    virtualRouterId: 'keepalived_vrid',
    priority: 'keepalived_priority',
    network: 'keepalived_network',
    ends: (shared) => (shared.valueOr('etcd_lb_mode') === 'terminate' ? 'tls' : 'nothing'),
    mayEnd: 'tls',
    place: (shared) => (shared.valueOr('etcd_lb_own_instance') ? 'beside' : 'packaged'),
    mayHaveBeen: 'packaged',
    settings: () => ({}),
  },
  'kube-apiserver': {
    ip: 'kube_apiserver_lb_ip',
    host: 'kube_apiserver_lb_host',
    port: 'kube_apiserver_lb_port',
    proxy: 'kube_apiserver_lb_proxy',
    enabled: 'kube_apiserver_lb_enabled',
    virtualRouterId: 'kube_apiserver_lb_vrid',
    priority: 'kube_apiserver_lb_priority',
    network: undefined,
    ends: () => 'nothing',
    mayEnd: 'nothing',
    // Beside what serves etcd on the same host: neither is reloaded, stopped or rolled back for the other (docs/adr/).
    place: () => 'beside',
    mayHaveBeen: 'beside',
    settings: (host, shared, reader) => {
      const timeout = shared.valueOr('kube_apiserver_lb_timeout');
      const timeouts = { timeoutClient: timeout, timeoutServer: timeout, timeoutTunnel: timeout };
      const extraVariable = 'kube_apiserver_lb_extra_config';
      return {
        ...timeouts,
        ...NO_METRICS,
        statsPort: undefined,
        extraConfig: reader.marked(host, extraVariable),
        extraVariable,
      };
    },
  },
};
