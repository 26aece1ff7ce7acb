import { describe, expect, test } from '@jest/globals';
import type { HaproxyServer } from '../../../src/proxies/haproxy/servers.js';
import { httpsKey, type HttpsAnswer } from '../../../src/facts/https-answer.js';
import { backendsNamed } from '../../../src/gates/backends-named.js';
import { allBackendsUp, backendsUp, batchBackendsUp } from '../../../src/gates/backends-up.js';
import { keepalivedOneHolder } from '../../../src/gates/keepalived-one-holder.js';
import { vipAnswers, vipForwards, vipQuestion } from '../../../src/gates/vip-answers.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_APISERVER, SAMPLE_CLUSTER, SAMPLE_SERVICE } from '../../support/sample-cluster.js';
import { gateInput } from '../../support/gate-input.js';

describe('backends-up', () => {
  const gate = backendsUp(SAMPLE_SERVICE);
  const good = ['m1', 'm2', 'm3'].map((name): HaproxyServer => ({ name, status: 'UP', check: 'L7OK' }));
  const host = (servers: readonly HaproxyServer[] | undefined): FakeAnswers => ({
    'haproxy-servers': { '23790 etcd': servers },
    'host-addresses': { all: [] },
  });
  const others = { 'etcd-2': host(undefined), 'etcd-3': host(undefined) };

  test.each([
    ['all checks passed', good, { open: true }],
    ['HAProxy is silent', undefined, { open: false, reason: 'HAProxy on etcd-1 does not answer' }],
    [
      'a member counts as up, but was never checked',
      [...good.slice(0, 2), { name: 'm3', status: 'UP 1/3', check: 'INI' }],
      { open: false, reason: 'HAProxy on etcd-1 finds m3 UP 1/3: INI' },
    ],
    [
      'a member is down',
      [...good.slice(0, 2), { name: 'm3', status: 'DOWN', check: 'L4CON' }],
      { open: false, reason: 'HAProxy on etcd-1 finds m3 DOWN: L4CON' },
    ],
    ['a member is missing', good.slice(0, 2), { open: false, reason: 'HAProxy on etcd-1 does not know m3' }],
  ])('%s', async (_, servers, answer) => {
    const probes = fakeProbes({ 'etcd-1': host(servers), ...others });
    expect(await gate.check(gateInput(probes, { batch: ['etcd-1'] }))).toMatchObject(answer);
  });

  const down = (name: string): HaproxyServer => ({ name, status: 'DOWN', check: 'L4CON' });
  test.each([
    [
      'a member on a host that can’t be asked is left out',
      [...good.slice(0, 2), down('m3')],
      { open: true, note: "etcd-3 can't be asked, and is left out" },
    ],
    [
      'and excuses no other one',
      [good[0], down('m2'), down('m3')].filter((each) => each !== undefined),
      { open: false, reason: 'HAProxy on etcd-1 finds m2 DOWN: L4CON' },
    ],
  ])('%s', async (_, servers, answer) => {
    const probes = fakeProbes({ 'etcd-1': host(servers), ...others, 'etcd-3': UNREACHABLE });
    expect(await gate.check(gateInput(probes, { batch: ['etcd-1'] }))).toMatchObject(answer);
    const strict = await allBackendsUp(SAMPLE_SERVICE).check(gateInput(probes, { batch: ['etcd-1'] }));
    expect(strict).toMatchObject({ open: false, reason: expect.stringContaining('m3 DOWN') as unknown });
  });
});

describe('batch-backends-up', () => {
  const seen = (...down: readonly string[]): FakeAnswers => ({
    'haproxy-servers': {
      '23790 etcd': ['m1', 'm2', 'm3'].map((name) => ({
        ...{ name, status: down.includes(name) ? 'DOWN' : 'UP', check: down.includes(name) ? 'L6RSP' : 'L7OK' },
      })),
    },
  });

  // Certificates of all API servers have ended at once: each is mended in its turn.
  test.each([
    ['others are down', [['m2', 'm3'], ['m2'], ['m3']], { open: true }],
    ['the one of the batch is', [[], [], ['m1']], { open: false, reason: 'HAProxy on etcd-3 finds m1 DOWN: L6RSP' }],
  ] as const)('where %s, for every balancer', async (_, downs, answer) => {
    const probes = fakeProbes(Object.fromEntries(downs.map((down, index) => [`etcd-${index + 1}`, seen(...down)])));
    expect(await batchBackendsUp(SAMPLE_SERVICE).check(gateInput(probes, { batch: ['etcd-1'] }))).toMatchObject(answer);
  });
});

describe('keepalived-one-holder', () => {
  const gate = keepalivedOneHolder(SAMPLE_SERVICE, SAMPLE_CLUSTER);
  const host = (number: number, isHolder: boolean, source = `10.0.0.${number}`): FakeAnswers => ({
    'host-addresses': {
      all: [`10.0.0.${number}`, ...(isHolder ? ['10.0.0.100'] : [])].map((address) => ({
        interface: 'eth0',
        address,
        prefixLength: 24,
      })),
    },
    'source-addresses': { '10.0.0.1': source, '10.0.0.2': source, '10.0.0.3': source },
  });

  test.each([
    ['one holds it', [host(1, false), host(2, true), host(3, false)], { open: true, note: 'etcd-2 holds 10.0.0.100' }],
    [
      'one does, and another one can’t be asked',
      [host(1, true), host(2, false), UNREACHABLE],
      { open: true, note: "etcd-1 holds 10.0.0.100; etcd-3 can't be asked, and is left out" },
    ],
    [
      'nobody does, and one can’t be asked',
      [host(1, false), host(2, false), UNREACHABLE],
      { open: false, isAway: true, reason: "no balancer holds 10.0.0.100; etcd-3 can't be asked" },
    ],
    ['nobody does', [1, 2, 3].map((n) => host(n, false)), { open: false, reason: 'no balancer holds 10.0.0.100' }],
    [
      'two do',
      [host(1, true), host(2, true), host(3, false)],
      { open: false, reason: '10.0.0.100 is held by etcd-1 and etcd-2 at once' },
    ],
    [
      'the holder would talk to its peers from it',
      [host(1, true, '10.0.0.100'), host(2, false), host(3, false)],
      { open: false, reason: 'etcd-1 would talk to etcd-2, etcd-3 from 10.0.0.100' },
    ],
  ])('%s', async (_, [one, two, three], answer) => {
    const probes = fakeProbes({ 'etcd-1': one ?? {}, 'etcd-2': two ?? {}, 'etcd-3': three ?? {} });
    expect(await gate.check(gateInput(probes, { batch: ['etcd-1'] }))).toMatchObject(answer);
  });
});

describe('vip-answers', () => {
  const gate = vipAnswers(SAMPLE_SERVICE, SAMPLE_CLUSTER);
  const files = { ca: '/pki/ca.crt', certificate: '/pki/client.crt', key: '/pki/client.key' };
  const url = 'https://10.0.0.100:2379/health?exclude=NOSPACE';
  const host = (used: typeof files, answer: HttpsAnswer): FakeAnswers => ({
    'https-answers': { [httpsKey({ url, ...used })]: answer },
  });
  const ok: HttpsAnswer = { kind: 'answer', status: 200, body: '{"health":"true"}' };

  test('is asked from the host of the action, with its own files', async () => {
    const probes = fakeProbes({ 'etcd-1': {}, 'cp-1': host(files, ok) });
    expect(
      await gate.check(gateInput(probes, { batch: ['cp-1'], arguments: vipQuestion(SAMPLE_SERVICE, files) })),
    ).toMatchObject({ open: true });
  });

  test('is asked from the balancers of the batch, with the files of HAProxy', async () => {
    const bundle = '/etc/haproxy/etcd-client.pem';
    const haproxy = { ca: '/etc/haproxy/etcd-ca.crt', certificate: bundle, key: bundle };
    expect(
      await gate.check(gateInput(fakeProbes({ 'etcd-2': host(haproxy, ok) }), { batch: ['etcd-2'] })),
    ).toMatchObject({
      open: true,
    });
  });

  test.each([
    [{ kind: 'failure', reason: 'Connection refused' }, `from cp-1, ${url} fails: Connection refused`],
    [{ kind: 'answer', status: 503, body: '{"health":"false"}' }, `from cp-1, ${url} answers 503: {"health":"false"}`],
  ] as const)('does not open: %j', async (answer, reason) => {
    const probes = fakeProbes({ 'cp-1': host(files, answer) });
    expect(
      await gate.check(gateInput(probes, { batch: ['cp-1'], arguments: vipQuestion(SAMPLE_SERVICE, files) })),
    ).toMatchObject({
      open: false,
      reason,
    });
  });
});

describe('vip-answers: kube-apiserver', () => {
  const gate = vipAnswers(SAMPLE_APISERVER, SAMPLE_CLUSTER);
  const url = 'https://10.0.0.200:8443/readyz';
  const host = (ca: string, answer: HttpsAnswer): FakeAnswers => ({
    'https-answers': { [httpsKey({ url, ca })]: answer },
  });
  const ok: HttpsAnswer = { kind: 'answer', status: 200, body: 'ok' };
  const [BALANCER, NODE] = ['/etc/haproxy/kube-apiserver-ca.crt', '/etc/kubernetes/pki/ca.crt'];
  const asked = (ofNode: HttpsAnswer) =>
    fakeProbes({
      'etcd-1': host(BALANCER, ok),
      'etcd-2': host(BALANCER, ok),
      'etcd-3': host(BALANCER, ok),
      'cp-1': host(NODE, ofNode),
    });

  test('is asked from every host that uses it, each with the authority that it has, and nothing shown', async () => {
    expect(await gate.check(gateInput(asked(ok), { batch: ['elsewhere'] }))).toEqual({ open: true });
    const one = fakeProbes({ 'cp-1': host(NODE, ok) });
    expect(await gate.check(gateInput(one, { batch: ['cp-1'] }))).toEqual({ open: true });
  });

  test.each([
    ["curl: (60) SSL: no alternative certificate subject name matches target host name '10.0.0.200'", true],
    ['verify error:num=64:IP address mismatch', true],
    ['verify error:num=62:hostname mismatch', true],
    ['verify error:num=19:self-signed certificate in certificate chain', false],
    ['curl: (7) Failed to connect to 10.0.0.200 port 8443: Connection refused', false],
  ])('where the certificate does not name the address, it is that which is to be done: %s', async (reason, unnamed) => {
    const answer = await gate.check(gateInput(asked({ kind: 'failure', reason }), { batch: ['elsewhere'] }));
    expect(answer).toMatchObject({ open: false, reason: `from cp-1, ${url} fails: ${reason}` });
    const next = answer.open ? '' : answer.next;
    expect(next === 'issue its certificate with kubeadm').toBe(unnamed);
    expect(next.includes('journalctl')).toBe(!unnamed);
  });
});

describe('backends-named: kube-apiserver', () => {
  const endpoint = { ip: '10.0.0.200', name: 'api.example.com', port: 8443 };
  const gate = backendsNamed({ ...SAMPLE_APISERVER, endpoint });
  const asked = (name: string): string =>
    httpsKey({ url: `https://${name}:6443/readyz`, ca: '/etc/kubernetes/pki/ca.crt', connectTo: '10.0.0.11' });
  const probes = (byName: HttpsAnswer) =>
    fakeProbes({
      'cp-1': {
        'https-answers': {
          [asked('10.0.0.200')]: { kind: 'answer', status: 200, body: 'ok' },
          [asked('api.example.com')]: byName,
        },
      },
    });

  test('each is asked on its own host, past the virtual IP, by every name of it', async () => {
    const good = probes({ kind: 'answer', status: 200, body: 'ok' });
    expect(await gate.check(gateInput(good, { batch: ['cp-1'] }))).toEqual({ open: true });
    const bad = probes({ kind: 'failure', reason: 'no alternative certificate subject name matches' });
    expect(await gate.check(gateInput(bad, { batch: ['cp-1'] }))).toEqual({
      open: false,
      reason: 'cp-1, asked as api.example.com, fails: no alternative certificate subject name matches',
      next: 'ssh cp-1 sudo crictl ps -a --name kube-apiserver',
    });
  });
});

describe('vip-forwards', () => {
  const bundle = '/etc/haproxy/etcd-client.pem';
  const url = 'https://10.0.0.100:2379/health?exclude=NOSPACE';
  const asked = httpsKey({ url, certificate: bundle, key: bundle });

  test.each([
    [{ kind: 'answer', status: 200, body: '{"health":"true"}' }, { open: true }],
    [
      { kind: 'failure', reason: 'bad certificate' },
      { open: false, reason: `from etcd-2, ${url} fails: bad certificate` },
    ],
  ] as const)('asks with the client certificate, and does not verify the server: %j', async (said, answer) => {
    const probes = fakeProbes({ 'etcd-2': { 'https-answers': { [asked]: said } } });
    expect(await vipForwards(SAMPLE_SERVICE).check(gateInput(probes, { batch: ['etcd-2'] }))).toMatchObject(answer);
  });
});
