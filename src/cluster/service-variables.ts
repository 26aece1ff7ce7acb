import type { ProxySettings, ServiceName } from '../model/virtual-service.js';
import type { VariableName } from './known-variables.js';
import type { SharedValues } from './shared-values.js';

/** The variables of one service, and what they mean for its balancers. */
export interface ServiceVariables {
  readonly ip: 'etcd_lb_ip';
  readonly host: 'etcd_lb_host';
  readonly port: 'etcd_lb_port';
  readonly proxy: 'etcd_lb_proxy';
  readonly enabled: 'etcd_lb_enabled';
  readonly virtualRouterId: 'keepalived_vrid';
  readonly priority: 'keepalived_priority';
  /** The network that its address must be in. */
  readonly network: Extract<VariableName, 'keepalived_network'> | undefined;
  /** Whether its programs run by the packages' units, or beside those. */
  readonly place: (shared: SharedValues) => 'beside' | 'packaged';
  /** Where an earlier inventory may have had them. */
  readonly mayHaveBeen: 'beside' | 'packaged';
  /** What holds of its proxy in place of what the proxy's own variables say. */
  readonly settings: (shared: SharedValues) => Partial<ProxySettings>;
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
    place: (shared) => (shared.valueOr('etcd_lb_own_instance') ? 'beside' : 'packaged'),
    mayHaveBeen: 'packaged',
    settings: () => ({}),
  },
};
