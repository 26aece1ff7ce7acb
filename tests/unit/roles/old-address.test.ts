import { isIP } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import type { HostAddress } from '../../../src/facts/host-addresses.js';
import { changed, UNCHANGED, type Resource } from '../../../src/model/change.js';
import type { Cluster, ControlPlane } from '../../../src/model/cluster.js';
import type { Probe } from '../../../src/model/remote.js';
import { serviceNamed, type VirtualService } from '../../../src/model/virtual-service.js';
import {
  afterBalancersWent,
  beforeAddressGoes,
  beforeBalancersGo,
} from '../../../src/roles/kube-apiserver/old-address.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import { fakeProbe, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { sampleBalancer, SAMPLE_CLUSTER, shownCertificate } from '../../support/sample-cluster.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const OTHER: HostAddress = { interface: 'eth0', address: '10.0.0.99', prefixLength: 32 };
const CURRENT: HostAddress = { interface: 'eth0', address: '10.0.0.100', prefixLength: 32 };
const ALONE: HostAddress = { interface: 'eth0', address: '10.0.0.2', prefixLength: 32 };
const SECOND: HostAddress = { interface: 'eth1', address: '192.168.0.1', prefixLength: 24 };

const MOVED: Resource = {
  address: 'static-pod:x',
  paths: [],
  plan: async () =>
    Promise.resolve(changed({ summary: 'move', diff: [], actions: [], effect: 'change', disruptive: true })),
};

const THERE: Resource = { ...MOVED, plan: async () => Promise.resolve(UNCHANGED) };

/** What a balancer has beside its own address, and what a former one has that is at 10.0.0.50; `away`: it can't be asked. */
interface Held {
  readonly balancer: readonly HostAddress[];
  readonly former: readonly HostAddress[] | 'away';
}

type Build = typeof beforeAddressGoes | typeof afterBalancersWent | typeof beforeBalancersGo;

/** What is decided for an API server that uses these servers. */
async function decided(
  servers: string | undefined,
  held: Held,
  build: Build = beforeAddressGoes,
  pem = '',
): Promise<string> {
  const { resource, probe } = asked(servers, held, build, { pem });
  return (await resource.plan(probe)).kind;
}

/** What differs from the sample. */
interface Given {
  /** What a member shows. */
  readonly pem?: string;
  readonly of?: Partial<ControlPlane>;
  readonly moved?: Partial<Resource>;
}

function asked(
  servers: string | undefined,
  { balancer: held, former }: Held,
  build: Build,
  { pem = '', of = {}, moved: more = {} }: Given,
): { readonly resource: Resource; readonly probe: Probe } {
  const [sample] = SAMPLE_CLUSTER.controlPlanes;
  const controlPlane = sample === undefined ? undefined : { ...sample, ...of };
  const found = serviceNamed(SAMPLE_CLUSTER, 'etcd');
  if (controlPlane === undefined || found === undefined) throw new Error('the sample has both');
  const text = `spec: {containers: [{name: kube-apiserver, command: ["--etcd-servers=${servers ?? ''}"]}]}\n`;
  const service = { ...found, formerBalancers: [{ ...sampleBalancer(1), host: 'old', address: '10.0.0.50' }] };
  const own: HostAddress = { interface: 'eth0', address: '10.0.0.50', prefixLength: 24 };
  const old: FakeAnswers = former === 'away' ? UNREACHABLE : { 'host-addresses': { all: [own, ...former] } };
  const balancers = Object.fromEntries(
    service.balancers.map(({ host, address }, index) => [
      host,
      {
        'host-addresses': { all: [{ interface: 'eth0', address, prefixLength: 24 }, ...(index === 1 ? held : [])] },
        // One member suffices, whichever it is.
        'certificate-files': shownCertificate(index === 1 ? pem : ''),
      },
    ]),
  );
  const manifest = { 'file-contents': { [MANIFEST]: servers === undefined ? undefined : text } };
  const probe = fakeProbe(manifest, { ...balancers, old });
  const moved = { ...(build === afterBalancersWent ? THERE : MOVED), ...more };
  const described: Cluster & VirtualService = { ...SAMPLE_CLUSTER, ...service, services: [service] };
  return { resource: build(described, controlPlane, moved), probe };
}

test.each([
  ['an address that a balancer holds, and the inventory no longer names', 'https://10.0.0.99:2379', [OTHER], 'change'],
  ['another port of the address', 'https://10.0.0.100:12379', [CURRENT], 'change'],
  ['one such address among others', 'https://10.0.0.1:2379,https://10.0.0.99:2379', [OTHER], 'change'],
  ['the address that is to stay', 'https://10.0.0.100:2379', [CURRENT], 'unchanged'],
  ['an address that nobody here holds', 'https://10.0.0.99:2379', [CURRENT], 'unchanged'],
  ['the members', 'https://10.0.0.1:2379,https://10.0.0.2:2379', [OTHER], 'unchanged'],
  ["a balancer's second address", 'https://192.168.0.1:2379', [SECOND], 'unchanged'],
  ["a balancer's own address, which has no network around it", 'https://10.0.0.2:2379', [ALONE], 'unchanged'],
  ['nothing yet', undefined, [OTHER], 'unchanged'],
])('an API server that uses %s', async (_, servers, held, kind) => {
  expect(await decided(servers, { balancer: held, former: [] })).toBe(kind);
});

describe('an API server that leaves an old address, and stays with the members', () => {
  const doubt = async (
    servers: string,
    build: Build,
    of: Partial<ControlPlane>,
    moved: Partial<Resource> = {},
  ): Promise<string | undefined> => {
    const held = { balancer: [OTHER], former: [OTHER] };
    const { resource, probe } = asked(servers, held, build, { of, moved });
    return resource.doubt?.(probe);
  };
  const stays = expect.stringContaining('stays with them until the playbook `repoint` moves it');

  test.each([beforeAddressGoes, beforeBalancersGo])('is shown where it moves on demand: %p', async (build) => {
    expect(await doubt(ELSEWHERE, build, { repoint: 'on-demand' })).toEqual(stays);
    expect(await doubt('https://10.0.0.1:2379', build, { repoint: 'on-demand' })).toBeUndefined();
    expect(await doubt(ELSEWHERE, build, {})).toBeUndefined();
  });

  test('hides nothing else that is doubtful', async () => {
    const moved = { doubt: async () => Promise.resolve('two files') };
    expect(await doubt(ELSEWHERE, beforeAddressGoes, { repoint: 'on-demand' }, moved)).toMatch(/^two files; .*stays/);
    expect(await doubt(ELSEWHERE, beforeAddressGoes, {}, moved)).toBe('two files');
  });
});

describe('an API server that uses the name of a balancer which others run, and the next certificates do not have', () => {
  test.each([
    ['that the members show now', 'https://balancer.example:2379', ['balancer.example'], 'change'],
    ['that a member shows in capitals', 'https://balancer.example:2379', ['Balancer.Example'], 'change'],
    ['that a member shows beside others', 'https://b.example:2379', ['a.example', 'b.example'], 'change'],
    ['beside one that stays', 'https://etcd.example.com:2379,https://b.example:2379', ['b.example'], 'change'],
    ['by its address', 'https://10.9.0.1:2379', ['10.9.0.1'], 'change'],
    ['that no member shows', 'https://balancer.example:2379', ['other.example'], 'unchanged'],
    ['that stays', 'https://etcd.example.com:2379', ['etcd.example.com'], 'unchanged'],
  ])('%s', async (_, servers, names, kind) => {
    const authority = await authorityFrom(TODAY);
    const [dnsNames, ipAddresses] = [0, 4].map((version) => names.filter((name) => isIP(name) === version));
    const shown = { ...SERVER_PROFILE, dnsNames: dnsNames ?? [], ipAddresses: ipAddresses ?? [] };
    const { certificatePem } = await issueCertificate(authority, shown, circumstancesAt(TODAY));
    expect(await decided(servers, { balancer: [], former: [] }, beforeAddressGoes, certificatePem)).toBe(kind);
  });
});

const HERE = 'https://10.0.0.100:2379';
const ELSEWHERE = 'https://10.0.0.99:2379';

test.each([
  [
    'another address, which a former balancer holds: at the beginning',
    ELSEWHERE,
    [OTHER],
    ['change', 'change', 'unknown'],
  ],
  ['the address that stays, at a former balancer: late', HERE, [CURRENT], ['unchanged', 'change', 'unknown']],
  ['the address that stays, which no former balancer has any more', HERE, [], ['unchanged', 'unchanged', 'unchanged']],
  [
    'the address that stays, while its former balancer is away',
    HERE,
    'away' as const,
    ['unchanged', 'unchanged', 'unchanged'],
  ],
  [
    'the members, while a former balancer has it',
    'https://10.0.0.1:2379',
    [CURRENT],
    ['unchanged', 'unchanged', 'unchanged'],
  ],
  ['nothing yet', undefined, [CURRENT], ['unchanged', 'unchanged', 'unchanged']],
])('an API server leaves %s, and comes back', async (_, servers, former, kinds) => {
  const held = { balancer: [], former };
  const found = [beforeAddressGoes, beforeBalancersGo, afterBalancersWent].map(async (build) =>
    decided(servers, held, build),
  );
  expect(await Promise.all(found)).toEqual(kinds);
});

test('what is left to change is changed, whatever a former balancer holds', async () => {
  const moved = { plan: MOVED.plan.bind(MOVED) };
  const { resource, probe } = asked(HERE, { balancer: [], former: [CURRENT] }, afterBalancersWent, { moved });
  expect(await resource.plan(probe)).toEqual(await MOVED.plan(probe));
});
