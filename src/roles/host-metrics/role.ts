import type { Resource } from '../../model/change.js';
import type { Cluster } from '../../model/cluster.js';
import { hostPort } from '../../model/endpoint.js';
import type { Host } from '../../model/inventory.js';
import { balancerCertificates, memberCertificates } from '../../pki/certificate-list.js';
import { directory } from '../../resources/directory.js';
import { file } from '../../resources/file.js';
import { ownUnitRemoved } from '../../resources/own-unit-removed.js';
import { service } from '../../resources/service.js';
import { quote } from '../../shell/quote.js';
import type { Role, RoleTools } from '../role.js';

const SCRIPT = '/usr/local/lib/provision/host-metrics';
const SOCKET = 'provision-etcd-metrics.socket';
const SOCKET_FILE = `/etc/systemd/system/${SOCKET}`;
const SERVICE_FILE = '/etc/systemd/system/provision-etcd-metrics@.service';

const ROOT = { owner: 'root', group: 'root' } as const;
const FOREIGN = { replace: [], wayOut: 'rename that file, or leave etcd_host_metrics_port out' };

/** A host that tells Prometheus who holds the virtual IPs, and when its certificates end; and one that does no more. */
export function hostMetricsRole(tools: RoleTools): Role {
  return {
    name: 'etcd-host-metrics',
    summary: 'tells Prometheus whether it holds a virtual IP, and when its certificates end',
    resources(host, inventory, cluster) {
      const place = cluster.hostMetrics.find((each) => each.host === host.name);
      if (place === undefined) return [removed()];
      const render = (template: string, values: Parameters<typeof inventory.render>[2]) =>
        inventory.render(host.name, tools.template(template), values);
      const services = cluster.services.flatMap(({ name, endpoint, balancers }) =>
        balancers
          .filter((each) => each.host === host.name)
          .map(({ proxy }) => ({ name, ip: endpoint.ip, unit: `${proxy.unit}.service` })),
      );
      const script = render('host-metrics.sh.j2', {
        services,
        certificates: certificatesOn(cluster, host)
          .map((path) => ` ${quote(path)}`)
          .join(''),
      });
      const listen = { listen: hostPort(place.address, place.port) };
      const socket = unitFile(SOCKET_FILE, render('host-metrics.socket.j2', listen));
      return [
        directory({ path: '/usr/local/lib/provision', ...ROOT, mode: '0755' }),
        file({ path: SCRIPT, content: script, ...ROOT, mode: '0755', foreign: FOREIGN }),
        unitFile(SERVICE_FILE, render('host-metrics.service.j2', { script: SCRIPT })),
        socket,
        service({ unit: SOCKET, runsWith: [socket], onChange: 'restart' }),
      ];
    },
  };
}

function unitFile(path: string, content: Parameters<typeof file>[0]['content']): Resource {
  return file({ path, content, ...ROOT, mode: '0644', foreign: FOREIGN });
}

function removed(): Resource {
  return ownUnitRemoved({
    address: `no-host-metrics:${SOCKET}`,
    what: `what tells Prometheus of this host (${SOCKET})`,
    paths: [SCRIPT, SERVICE_FILE, SOCKET_FILE],
    end: { kind: 'stop', unit: SOCKET, path: SOCKET_FILE },
  });
}

/** Every certificate that this program makes for the host. */
function certificatesOn(cluster: Cluster, host: Host): readonly string[] {
  const ofMember = cluster.members
    .filter((member) => member.host === host.name)
    .flatMap((member) => memberCertificates(cluster, member));
  const ofBalancer = cluster.services
    .filter(({ balancers }) => balancers.some((each) => each.host === host.name))
    .flatMap((each) => balancerCertificates(cluster, each));
  const paths = [...ofMember, ...ofBalancer].map(({ destination }) =>
    destination.layout === 'pair' ? destination.certificatePath : destination.path,
  );
  return [...new Set(paths)];
}
