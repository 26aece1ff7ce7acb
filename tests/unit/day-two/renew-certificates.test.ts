import { describe, expect, test } from '@jest/globals';
import { chooseCertificates, renewableCertificates, renewalPlays } from '../../../src/day-two/renew-certificates.js';
import { kubeadmCertificates, kubeadmPlays } from '../../../src/day-two/renew-kubeadm.js';
import { gateTable } from '../../../src/gates/table.js';
import { orderTable } from '../../../src/gates/orders.js';
import type { Play } from '../../../src/playbook/play.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';
import { TODAY } from '../../support/test-authority.js';

const ALL = renewableCertificates(SAMPLE_CLUSTER);
const RULES = {
  authority: { certificate: () => undefined, trustBundle: () => undefined },
  now: TODAY,
  renewBeforeDays: 30,
  renewal: { begun: TODAY, key: 'kept' },
} as const;

function chosen(...words: readonly string[]): readonly string[] {
  return chooseCertificates(words, ALL).map(({ host, name }) => `${host}/${name}`);
}

/** `play / host: address address`. */
function linesOf(plays: readonly Play[]): readonly string[] {
  return plays.flatMap(({ name, resources }) =>
    [...resources].map(([host, own]) => `${name} / ${host}: ${own.map(({ address }) => address).join(' ')}`),
  );
}

describe('chooseCertificates', () => {
  test.each([
    ['etcd-1/etcd-server', ['etcd-1/etcd-server']],
    ['etcd-peer', ['etcd-1/etcd-peer', 'etcd-2/etcd-peer', 'etcd-3/etcd-peer']],
    [
      'etcd-2',
      ['etcd-2/etcd-server', 'etcd-2/etcd-peer', 'etcd-2/etcdctl-client', 'etcd-2/haproxy-healthcheck-client'],
    ],
  ])('%s', (word, names) => {
    expect(chosen(word)).toEqual(names);
  });

  test('what is named twice is renewed once', () => {
    expect(chosen('etcd-1/etcd-peer', 'etcd-1/etcd-peer', 'etcd-peer')).toHaveLength(3);
  });

  test.each(['etcd-9/etcd-server', 'apiserver.crt', 'etcd-1/etcd'])(
    '%s is refused as unknown, with what is there',
    (word) => {
      const refused = expect.objectContaining({
        code: 'unknown-certificate',
        message: expect.stringContaining(word) as unknown,
        hint: expect.stringContaining('haproxy-healthcheck-client') as unknown,
      });
      expect(() => chosen('etcd-1', word)).toThrow(refused);
    },
  );
});

describe('renewalPlays', () => {
  test('hold the chosen certificates, what must take them up, and nothing else', () => {
    const some = chooseCertificates(['etcd-1/etcd-server', 'haproxy-healthcheck-client'], ALL);
    expect(linesOf(renewalPlays(SAMPLE_CLUSTER, some, RULES))).toEqual([
      'Renew certificates of the members / etcd-1: certificate:/etc/etcd/pki/server.crt',
      ...[1, 2, 3].map(
        (number) =>
          `Renew certificates of the balancers of etcd / etcd-${number}: certificate:/etc/haproxy/etcd-client.pem service:haproxy`,
      ),
    ]);
  });

  test('restart an adopted member, as its role does', () => {
    const cluster = { ...SAMPLE_CLUSTER, isManaged: false, services: [], controlPlanes: [] };
    const plays = renewalPlays(cluster, renewableCertificates(cluster), RULES);
    expect(linesOf(plays)[0]).toBe(
      'Renew certificates of the members / etcd-1: certificate:/etc/etcd/pki/server.crt etcd-member:m1',
    );
  });

  test('go through one host after another, with gates and orders that there are', () => {
    const plays = renewalPlays(SAMPLE_CLUSTER, ALL, RULES);
    const gates = gateTable(SAMPLE_CLUSTER, () => TODAY);
    expect(plays).toHaveLength(3);
    for (const play of plays) {
      expect(play.batchSize).toBe(1);
      expect([...orderTable(SAMPLE_CLUSTER).keys()]).toContain(play.order);
      for (const gate of [...play.gatesBefore, ...play.gatesAfter]) expect([...gates.keys()]).toContain(gate);
    }
  });
});

describe('of a stacked member that is to leave', () => {
  const manifest = '/etc/kubernetes/manifests/etcd.yaml';
  const cluster = { ...SAMPLE_CLUSTER, formerMembers: [{ ...sampleMember(4), host: 'cp-1', manifest }] };
  const all = [...renewableCertificates(cluster), ...kubeadmCertificates(cluster)];
  const STACKED = ['etcd-server', 'etcd-peer', 'etcd-healthcheck-client', 'apiserver-etcd-client'];
  const chosen = (...words: readonly string[]): readonly string[] =>
    chooseCertificates(words, all).map(({ host, name, group = 'ours' }) => `${group} ${host} ${name}`);

  test('are of those that kubeadm has made, and no word for those of this program means them', () => {
    expect(chosen('cp-1/kubeadm').slice(-4)).toEqual(STACKED.map((name) => `kubeadm cp-1 ${name}`));
    expect(chosen('cp-1/etcd-server')).toEqual(['kubeadm cp-1 etcd-server']);
    expect(chosen('cp-1/apiserver-etcd-client')).toEqual(['ours cp-1 apiserver-etcd-client']);
    expect(chosen('etcd-server', 'apiserver-etcd-client').filter((line) => line.startsWith('kubeadm'))).toEqual([]);
  });

  test('are renewed one member after the other, and none is restarted: etcd reads them again', () => {
    const words = ['cp-1/etcd-peer', 'cp-1/apiserver'];
    const asked = { due: { kind: 'asked', begun: 0 }, now: () => 0 } as const;
    const [play] = kubeadmPlays(cluster, chooseCertificates(words, all), asked);
    if (play === undefined) throw new Error('there is no play');
    expect(linesOf([play])).toEqual([
      `Renew certificates of kubeadm / cp-1: kubeadm-certificate:apiserver kubeadm-certificate:etcd-peer static-pod-start:/etc/kubernetes/manifests/kube-apiserver.yaml`,
    ]);
    expect([play.batchSize, play.gatesBefore, play.gatesAfter.slice(0, 2)]).toEqual([
      1,
      ['apiserver-can-spare-batch'],
      ['etcd-healthy', 'apiserver-ready'],
    ]);
    const [other] = kubeadmPlays(cluster, chooseCertificates(['cp-1/apiserver'], all), asked);
    expect(other?.gatesAfter[0]).toBe('apiserver-ready');
  });
});

describe('of kubeadm', () => {
  const both = [...ALL, ...kubeadmCertificates(SAMPLE_CLUSTER)];
  const names = (...words: readonly string[]): readonly string[] =>
    chooseCertificates(words, both).map(({ name }) => name);
  const rules = { due: { kind: 'asked', begun: 0 }, now: () => 0 } as const;
  const EVERY = [
    ...['admin.conf', 'super-admin.conf', 'apiserver', 'apiserver-kubelet-client', 'front-proxy-client'],
    ...['controller-manager.conf', 'scheduler.conf'],
  ];

  test.each([
    ['kubeadm', EVERY],
    ['cp-1/kubeadm', EVERY],
    ['scheduler.conf', ['scheduler.conf']],
    ['cp-1/apiserver', ['apiserver']],
    // Nobody who renews a host has its API server restarted unasked.
    ['cp-1', ['apiserver-etcd-client']],
  ])('are chosen by %s', (word, chosenNames) => {
    expect(names(word)).toEqual(chosenNames);
  });

  test('are named where a word means none, all of them at once too', () => {
    const hintOf = (all: typeof both): string => {
      try {
        return String(chooseCertificates(['nobody'], all).length);
      } catch (error) {
        return (error as { readonly hint?: string }).hint ?? '';
      }
    };
    expect(hintOf(both)).toContain('\nall that kubeadm made: kubeadm, or HOST/kubeadm\n');
    expect(hintOf([...ALL])).not.toContain('kubeadm, or');
  });

  test('are renewed one control plane after the other, with who reads them, behind gates that there are', () => {
    const [play, ...others] = kubeadmPlays(
      SAMPLE_CLUSTER,
      chooseCertificates(['apiserver', 'scheduler.conf'], both),
      rules,
    );
    if (play === undefined) throw new Error('there is no play');
    expect(others).toEqual([]);
    expect(linesOf([play])).toEqual([
      'Renew certificates of kubeadm / cp-1: kubeadm-certificate:apiserver kubeadm-certificate:scheduler.conf static-pod-start:/etc/kubernetes/manifests/kube-apiserver.yaml static-pod-start:/etc/kubernetes/manifests/kube-scheduler.yaml',
    ]);
    const gates = gateTable(SAMPLE_CLUSTER, () => TODAY);
    const { batchSize, order, gatesBefore, gatesAfter } = play;
    expect({ batchSize, order, gatesBefore, gatesAfter }).toEqual({
      ...{ batchSize: 1, order: 'apiserver-ready-last', gatesBefore: ['apiserver-can-spare-batch'] },
      gatesAfter: ['apiserver-ready', 'batch-backends-up: kube-apiserver', 'vip-answers: kube-apiserver'],
    });
    expect([...gatesBefore, ...gatesAfter].filter((gate) => !gates.has(gate))).toEqual([]);
    expect(linesOf(kubeadmPlays(SAMPLE_CLUSTER, chooseCertificates(['admin.conf'], both), rules))).toEqual([
      'Renew certificates of kubeadm / cp-1: kubeadm-certificate:admin.conf',
    ]);
    expect(kubeadmPlays(SAMPLE_CLUSTER, [], rules)).toEqual([]);
  });
});
