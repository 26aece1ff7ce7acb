import { expect, test } from '@jest/globals';
import type { HostAddress } from '../../../src/facts/host-addresses.js';
import { changed, type Resource } from '../../../src/model/change.js';
import { serviceNamed } from '../../../src/model/virtual-service.js';
import { beforeAddressGoes } from '../../../src/roles/kube-apiserver/old-address.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const OTHER: HostAddress = { interface: 'eth0', address: '10.0.0.99', prefixLength: 32 };
const CURRENT: HostAddress = { interface: 'eth0', address: '10.0.0.100', prefixLength: 32 };
const SECOND: HostAddress = { interface: 'eth1', address: '192.168.0.1', prefixLength: 24 };

const MOVED: Resource = {
  address: 'static-pod:x',
  paths: [],
  plan: async () => Promise.resolve(changed({ summary: 'move', diff: [], actions: [], disruptive: true })),
};

/** What is decided for an API server that uses these servers, while a balancer has these addresses beside its own. */
async function decided(servers: string | undefined, held: readonly HostAddress[]): Promise<string> {
  const [controlPlane] = SAMPLE_CLUSTER.controlPlanes;
  const service = serviceNamed(SAMPLE_CLUSTER, 'etcd');
  if (controlPlane === undefined || service === undefined) throw new Error('the sample has both');
  const text = `spec: {containers: [{name: kube-apiserver, command: ["--etcd-servers=${servers ?? ''}"]}]}\n`;
  const balancers = Object.fromEntries(
    service.balancers.map(({ host, address }, index) => [
      host,
      { 'host-addresses': { all: [{ interface: 'eth0', address, prefixLength: 24 }, ...(index === 1 ? held : [])] } },
    ]),
  );
  const probe = fakeProbe({ 'file-contents': { [MANIFEST]: servers === undefined ? undefined : text } }, balancers);
  return (await beforeAddressGoes(service, controlPlane, MOVED).plan(probe)).kind;
}

test.each([
  ['an address that a balancer holds, and the inventory no longer names', 'https://10.0.0.99:2379', [OTHER], 'change'],
  ['another port of the address', 'https://10.0.0.100:12379', [CURRENT], 'change'],
  ['one such address among others', 'https://10.0.0.1:2379,https://10.0.0.99:2379', [OTHER], 'change'],
  ['the address that is to stay', 'https://10.0.0.100:2379', [CURRENT], 'unchanged'],
  ['an address that nobody here holds', 'https://10.0.0.99:2379', [CURRENT], 'unchanged'],
  ['the members', 'https://10.0.0.1:2379,https://10.0.0.2:2379', [OTHER], 'unchanged'],
  ["a balancer's second address", 'https://192.168.0.1:2379', [SECOND], 'unchanged'],
  ['nothing yet', undefined, [OTHER], 'unchanged'],
])('an API server that uses %s', async (_, servers, held, kind) => {
  expect(await decided(servers, held)).toBe(kind);
});
