// Facts and judgements of a few lines each.
import { describe, expect, jest, test } from '@jest/globals';
import { claimOf, namesAddress } from '../../../src/facts/address-claim.js';
import { answersSoon } from '../../../src/facts/answers-soon.js';
import {
  clientFilesOf,
  clientServersOf,
  minorVersionOf,
  USUAL_CLIENT_FILES,
} from '../../../src/facts/apiserver-manifest.js';
import { parseObject } from '../../../src/facts/apiserver-object.js';
import { ALL_ADDRESSES } from '../../../src/facts/host-addresses.js';
import { kubeletField } from '../../../src/facts/kubelet-config.js';
import { kubeletConfOf } from '../../../src/facts/kubelet-processes.js';
import { fieldsOf } from '../../../src/facts/protobuf-fields.js';
import { runtimeProcess } from '../../../src/facts/runtime-process.js';
import { readStaticPodManifest } from '../../../src/facts/static-pod-manifest.js';
import { rivalFiles } from '../../../src/facts/static-pods.js';
import { unlessLost } from '../../../src/facts/unless-lost.js';
import { RemoteError } from '../../../src/model/errors.js';
import type { Fact, Probe } from '../../../src/model/remote.js';
import { fakeProbe, unreachableError } from '../../support/fake-probe.js';

describe('the fields of a message', () => {
  test.each<[string, readonly number[], readonly (readonly [number, unknown])[]]>([
    [
      'numbers',
      [0x08, 1, 0x10, 0xac, 0x02],
      [
        [1, 1n],
        [2, 300n],
      ],
    ],
    ['a number of 64 bits', [0x08, ...Array<number>(9).fill(0xff), 1], [[1, 2n ** 64n - 1n]]],
    [
      'bytes, and what comes after them',
      [0x1a, 2, 7, 8, 0x20, 5],
      [
        [3, Buffer.from([7, 8])],
        [4, 5n],
      ],
    ],
    ['a field of a high number', [0x82, 0x01, 1, 9], [[16, Buffer.from([9])]]],
    ['the last of two of one number', [0x08, 1, 0x08, 2], [[1, 2n]]],
    ['nothing after what is neither', [0x08, 1, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x10, 1], [[1, 1n]]],
    ['nothing', [], []],
    ['what is cut off', [0x1a, 9, 7], [[3, Buffer.from([7])]]],
  ])('are %s', (_, bytes, expected) => {
    expect([...fieldsOf(Buffer.from(bytes))]).toEqual(expected);
  });
});

describe('whose virtual IP it is', () => {
  const VIP = '10.0.0.100';
  const STATE = { active: false, starting: false, enabled: false, load: 'loaded' };
  const ask = async (addresses: readonly string[], state: object, text: string | undefined) =>
    claimOf(
      { vip: VIP, keepalived: { unit: 'keepalived', configFile: '/k.conf' } },
      fakeProbe({
        'host-addresses': { [ALL_ADDRESSES]: addresses.map((address) => ({ address })) },
        units: { keepalived: { ...STATE, ...state } },
        'file-contents': { '/k.conf': text },
      }),
    );

  test.each<[readonly string[], object, string | undefined, string | undefined]>([
    [['10.0.0.1', VIP], {}, undefined, 'holds the virtual IP 10.0.0.100'],
    [['10.0.0.1', '10.0.0.10'], { active: true }, VIP, 'runs keepalived, which may take the virtual IP 10.0.0.100'],
    [[], { starting: true }, VIP, 'runs keepalived, which may take the virtual IP 10.0.0.100'],
    [[], { enabled: true }, VIP, 'starts at boot keepalived, which may take the virtual IP 10.0.0.100'],
    [[], {}, VIP, undefined],
    [[], { active: true }, '10.0.0.10', undefined],
    [[], { active: true }, undefined, undefined],
  ])('of a host with %j, whose unit is %j and names %j', async (addresses, state, text, expected) => {
    expect(await ask(addresses, state, text)).toBe(expected);
  });

  test.each<[string, string, boolean]>([
    ['virtual_ipaddress { 10.0.0.1/24 dev eth0 }', '10.0.0.1', true],
    ['a\n  10.0.0.1', '10.0.0.1', true],
    ['{10.0.0.1}', '10.0.0.1', true],
    ['[10.0.0.1];', '10.0.0.1', true],
    ['server a 10.0.0.1:2379 check', '10.0.0.1', true],
    ['bind fd00::1', 'fd00::1', true],
    // With a port it stands in brackets.
    ['server a [fd00::1]:2379', 'fd00::1', true],
    ['bind fd00::1:2379', 'fd00::1', false],
    ['! 10.0.0.1', '10.0.0.1', false],
    ['a # 10.0.0.1', '10.0.0.1', false],
    ['10.0.0.11 110.0.0.1 x10.0.0.1', '10.0.0.1', false],
    ['', '10.0.0.1', false],
  ])('%j names %s: %s', (text, address, expected) => {
    expect(namesAddress(text, address)).toBe(expected);
  });
});

describe('an object of Kubernetes', () => {
  const answer = (text: string): string => `812 ${Buffer.from(text).toString('base64')}`;
  const http = (status: number, body = '{}'): string => answer(`HTTP/1.0 ${status} x\r\nA: b\r\n\r\n${body}`);

  test.each<[string, string, unknown]>([
    ['is there', http(200, '{"a": 1}'), { kind: 'found', object: { a: 1 } }],
    ['is absent', http(404), { kind: 'absent' }],
    ['is refused', http(403), { kind: 'refused', status: 403 }],
    ['is refused with a status just below', http(499), { kind: 'refused', status: 499 }],
    ['is not told for the moment', http(500), { kind: 'silent', reason: 'the kube-apiserver answers 500' }],
    ['has no server', '- ', { kind: 'silent', reason: 'no kube-apiserver runs' }],
    ['has no server, whatever came', `- ${answer('x').slice(4)}`, { kind: 'silent', reason: 'no kube-apiserver runs' }],
    ['has a server without an answer', answer('curl: (7) refused'), { kind: 'silent', reason: 'curl: (7) refused' }],
    ['has a server that says nothing', '812', { kind: 'silent', reason: 'no HTTP answer came back' }],
  ])('%s', (_, line, expected) => {
    expect(parseObject(line)).toEqual(expected);
  });

  test.each(['', 'x812 YQ==', '812 YQ== x', '--', '12-'])('is none in %j', (line) => {
    expect(() => parseObject(line)).toThrow('no object came back');
  });
});

describe('a look at hosts that may hang', () => {
  const FACT: Fact<string> = { name: 'x', script: () => '', parse: () => new Map() };
  /** `slow` never answers, `lost` is lost, others say their name; counts who was asked. */
  function looks(asked: string[]): (host: string) => Probe {
    const probe = (host: string): Probe => ({
      host,
      ask: async (_, key) => {
        asked.push(`${host} ${key}`);
        if (host === 'slow') return new Promise(() => undefined);
        if (host === 'lost') throw unreachableError(host);
        return Promise.resolve(`${host} says ${key}` as never);
      },
      on: (name) => probe(name),
    });
    return probe;
  }

  test('gives up after its time, and does not ask that host again', async () => {
    const asked: string[] = [];
    const soon = answersSoon(looks(asked), 20);
    const first: unknown = await soon('slow')
      .ask(FACT, 'a')
      .catch((error: unknown) => error);
    expect(first).toBeInstanceOf(RemoteError);
    expect(first).toMatchObject({
      code: 'command-hung',
      host: 'slow',
      message: 'slow: look: no answer within 0.02 s',
      hint: 'try it by hand: ssh slow true',
    });
    expect(
      await soon('quick')
        .on('slow')
        .ask(FACT, 'b')
        .catch((error: unknown) => error),
    ).toBe(first);
    expect(await soon('quick').ask(FACT, 'c')).toBe('quick says c');
    await expect(soon('lost').ask(FACT, 'd')).rejects.toMatchObject({ code: 'unreachable' });
    await expect(soon('lost').ask(FACT, 'e')).rejects.toMatchObject({ code: 'unreachable' });
    expect(asked).toEqual(['slow a', 'quick c', 'lost d', 'lost e']);
  });

  test('leaves no timer where an answer came', async () => {
    const cleared = jest.spyOn(globalThis, 'clearTimeout');
    await answersSoon(looks([]), 60_000)('quick').ask(FACT, 'a');
    expect(cleared).toHaveBeenCalledTimes(1);
    expect(cleared.mock.calls[0]?.[0]).toMatchObject({ _destroyed: true });
    cleared.mockRestore();
  });
});

test('who can be decided without is told from what went wrong', async () => {
  const lost = unreachableError('a');
  expect(await unlessLost(Promise.resolve(7))).toBe(7);
  expect(await unlessLost(Promise.reject(lost))).toBe(lost);
  await expect(unlessLost(Promise.reject(new Error('a bug')))).rejects.toThrow('a bug');
});

describe('the manifest of an API server', () => {
  const manifest = (...words: readonly string[]): string =>
    `kind: Pod\nspec:\n  containers:\n  - name: kube-apiserver\n    command: [kube-apiserver, ${words.join(', ')}]\n`;
  const read = (...words: readonly string[]) => readStaticPodManifest('/m', manifest(...words), 'kube-apiserver');

  test('says where its client files are; what it does not say is as usual', () => {
    expect(clientFilesOf(read('--etcd-cafile=/a', '--etcd-certfile=/b', '--etcd-keyfile=/c'))).toEqual({
      ca: '/a',
      certificate: '/b',
      key: '/c',
    });
    expect(clientFilesOf(read('--v=2'))).toEqual(USUAL_CLIENT_FILES);
    expect(USUAL_CLIENT_FILES).toEqual({
      ca: '/etc/kubernetes/pki/etcd/ca.crt',
      certificate: '/etc/kubernetes/pki/apiserver-etcd-client.crt',
      key: '/etc/kubernetes/pki/apiserver-etcd-client.key',
    });
  });

  test('names its servers', () => {
    expect(clientServersOf('/m', manifest('"--etcd-servers= https://a:1 ,,https://b:1"'))).toEqual([
      'https://a:1',
      'https://b:1',
    ]);
    expect(clientServersOf('/m', manifest('--v=2'))).toEqual([]);
    expect(() => clientServersOf('/m', manifest('--etcd-servers=a', '--etcd-servers=b'))).toThrow('/m: --etcd-servers');
  });

  test.each<[string, number | undefined]>([
    ['image: registry.k8s.io/kube-apiserver:v1.28.2', 28],
    ['image: x/kube-apiserver-amd64:v1.9.0', 9],
    ['image: x/kube-apiserver:v1.28', undefined],
    ['image: x/kube-apiserver:v2.1.0', undefined],
    ['image: x/my-kube-apiserverx:v1.28.2', undefined],
    ['image: xkube-apiserver:v1.28.2', undefined],
  ])('%s is of minor version %s', (text, minor) => {
    expect(minorVersionOf(text)).toBe(minor);
  });
});

describe('the kubelet of a host', () => {
  const process = (...argv: readonly string[]) => ({ pid: 1, argv, connections: [] });

  test.each([
    [[process('kubelet', '--kubeconfig=/a.conf'), process('kubelet', '--kubeconfig=/b.conf')], '/a.conf'],
    [[process('kubelet', '--kubeconfig', '/a.conf')], '/a.conf'],
    [[process('kubelet', '--kubeconfig=a.conf')], '/etc/kubernetes/kubelet.conf'],
    [[process('kubelet')], '/etc/kubernetes/kubelet.conf'],
    [[], '/etc/kubernetes/kubelet.conf'],
  ])('%j has its kubeconfig at %s', (processes, expected) => {
    expect(kubeletConfOf(processes)).toBe(expected);
  });

  test.each([
    ['cgroupDriver: systemd\n', 'systemd'],
    ['a: 1\n"cgroupDriver": "cgroupfs", \n', 'cgroupfs'],
    ["'cgroupDriver':systemd", 'systemd'],
    ['  cgroupDriver: systemd\n', undefined],
    ['cgroupDriver: systemd x\n', undefined],
    ['xcgroupDriver: systemd\n', undefined],
    ['failSwapOn: false\n', undefined],
    [undefined, undefined],
  ])('with a configuration of %j has the driver %s', async (text, expected) => {
    const probe = fakeProbe({ 'file-contents': { '/var/lib/kubelet/config.yaml': text } });
    expect(await kubeletField(probe, 'cgroupDriver')).toBe(expected);
    const other = fakeProbe({ 'file-contents': { '/var/lib/kubelet/config.yaml': 'failSwapOn: false\n' } });
    expect(await kubeletField(other, 'failSwapOn')).toBe('false');
  });
});

describe('files that claim a pod', () => {
  const pod = (name: string, container: string, more = ''): string =>
    `metadata: {name: ${name}${more}}\nspec: {containers: [null, {name: ${container}}]}\n`;
  const OWN = { name: 'own.yaml', text: pod('api', 'kube-apiserver') };

  test.each<[string, string | undefined, boolean]>([
    ['the same name', pod('api', 'x'), true],
    ['the same name, in the namespace that is meant without one', pod('api', 'x', ', namespace: default'), true],
    ['the same name, with an empty namespace', pod('api', 'x', ", namespace: ''"), true],
    ['the same name elsewhere', pod('api', 'x', ', namespace: other'), false],
    ['another pod with the same container', pod('other', 'kube-apiserver', ', namespace: other'), true],
    ['another pod', pod('other', 'x'), false],
    ['another pod in a second document', `${pod('other', 'x')}---\n${pod('api', 'x')}`, false],
    ['no name, and other containers', 'spec: {containers: [{name: x}]}', false],
    ['no name, and the same container', 'spec: {containers: [{name: kube-apiserver}]}', true],
    ['no containers', 'metadata: {name: other}\nspec: {containers: x}', false],
    ['no object', '', false],
    ['no YAML', 'a: *none', false],
    ['more than is read', undefined, false],
  ])('one with %s', (_, text, expected) => {
    const files = [{ name: 'b', text }, OWN, { name: 'z', text }];
    expect(rivalFiles(files, 'own.yaml', 'kube-apiserver')).toEqual(expected ? ['b', 'z'] : []);
  });

  test('are none where the pod itself is not known, or has no name', () => {
    const other = { name: 'b', text: pod('api', 'kube-apiserver') };
    expect(rivalFiles([other], 'own.yaml', 'kube-apiserver')).toEqual([]);
    expect(rivalFiles([other, { ...OWN, text: undefined }], 'own.yaml', 'kube-apiserver')).toEqual([]);
    const nameless = { name: 'own.yaml', text: 'spec: {containers: [{name: x}]}' };
    expect(rivalFiles([nameless, { name: 'b', text: nameless.text }], 'own.yaml', 'y')).toEqual([]);
  });
});

test('a runtime whose line did not come is not known', () => {
  expect([...runtimeProcess.parse('/usr/bin/containerd abc\nno-blank\n', ['a', 'b', 'c']).values()]).toEqual([
    { program: '/usr/bin/containerd', proxies: 'abc' },
    { program: undefined, proxies: undefined },
    { program: undefined, proxies: undefined },
  ]);
});
