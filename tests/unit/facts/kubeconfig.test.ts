import { describe, expect, test } from '@jest/globals';
import { kubeconfigAnswer, kubeconfigAnswerKey } from '../../../src/facts/kubeconfig-answer.js';
import { kubeconfigCertificates } from '../../../src/facts/kubeconfig-certificates.js';
import { credentialsOf, nodeOf, readKubeconfig } from '../../../src/facts/kubeconfig.js';
import { kubeletCertificate } from '../../support/kubelet-certificate.js';

const FILE = '/etc/kubernetes/kubelet.conf';
const SERVER = 'https://10.0.0.11:6443';
const CLUSTER = `{server: "${SERVER}", certificate-authority: ca.crt}`;
const USER = '{client-certificate: /pki/node.pem, client-key: ../node.key}';

interface Given {
  readonly clusters?: string;
  readonly contexts?: string;
  readonly users?: string;
  readonly more?: string;
}

/** A kubeconfig whose context is the second of two, unless its lists are others. */
function text({
  clusters = `{name: other, cluster: {server: "https://10.9.9.9:1", certificate-authority: x}}, {name: k, cluster: ${CLUSTER}}`,
  contexts = '{name: a, context: {cluster: other, user: other}}, {name: c, context: {cluster: k, user: u}}',
  users = `{name: other, user: {token: U0VDUkVU}}, {name: u, user: ${USER}}`,
  more = 'current-context: c\n',
}: Given): string {
  return `# Größe\n${more}clusters: [${clusters}]\ncontexts: [${contexts}]\nusers: [${users}]\n`;
}

const read = (given: Given) => readKubeconfig(FILE, text(given));
const credentials = (given: Given) => credentialsOf(read(given));
const inCluster = (more: string): Given => ({ clusters: `{name: k, cluster: {server: "${SERVER}", ${more}}}` });
const asUser = (user: string): Given => ({ users: `{name: u, user: {${user}}}` });

describe('the cluster of a kubeconfig', () => {
  test('is that of its current context; the only one where there is one', () => {
    expect(read({}).server.href).toBe(`${SERVER}/`);
    expect(read({ more: 'current-context: a\n' }).server.href).toBe('https://10.9.9.9:1/');
    const only = read({ clusters: `{name: x, cluster: {server: "${SERVER}"}}`, contexts: '', more: '' });
    expect([only.server.href, only.serverNode.value, only.name]).toEqual([`${SERVER}/`, SERVER, FILE]);
  });

  test.each<[string, Given, string, string]>([
    ['there is none', { clusters: '' }, '', 'it has no clusters'],
    ['its entries are none', { clusters: 'x, {name: k}, {name: k, cluster: x}' }, '', 'it has no clusters'],
    ['no context is current', { more: '' }, ':2', 'names none of them'],
    ['its context is not there', { more: 'current-context: x\n' }, ':2', 'names none of them'],
    ['its context names none', { contexts: '{name: c, context: {user: u}}' }, ':2', 'names none of them'],
    [
      'two have the name',
      { clusters: `{name: k, cluster: ${CLUSTER}}, {name: k, cluster: ${CLUSTER}}` },
      ':2',
      'names none of them',
    ],
    ['it has no server', { clusters: '{name: k, cluster: {a: 1}}' }, ':3', 'gives no server in its place'],
    ['its server is a number', { clusters: '{name: k, cluster: {server: 1}}' }, ':3', 'gives no server in its place'],
    ['its server is a map', { clusters: '{name: k, cluster: {server: {a: b}}}' }, ':3', 'gives no server in its place'],
    ...['http://a:1', 'https://me@a:1', 'https://:pw@a:1', 'nothing'].map((url): [string, Given, string, string] => [
      `its server is ${url}`,
      { clusters: `{name: k, cluster: {server: "${url}"}}` },
      ':3',
      'is no https URL without a user',
    ]),
    ['it is no map', { more: '- x\n' }, '', ''],
    ['it is more than is read', { more: `x: ${'['.repeat(300)}${']'.repeat(300)}\n` }, ':2', 'it '],
  ])('is refused where %s', (_, given, place, words) => {
    let message = '';
    try {
      read(given);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message.startsWith(`${FILE}${place}: `)).toBe(true);
    expect(message).toContain(words);
    expect(message).toMatch(/; it is left as it is$/);
  });
});

describe('what a kubeconfig shows and verifies by', () => {
  test('are files, from its own directory on', () => {
    expect(credentials({})).toEqual({
      ca: { kind: 'file', path: '/etc/kubernetes/ca.crt' },
      certificate: { kind: 'file', path: '/pki/node.pem' },
      key: { kind: 'file', path: '/etc/node.key' },
      serverName: undefined,
    });
  });

  test.each(['', "'", '"'])('are texts within it, by where their bytes are, in quotes like %s', (quotes) => {
    const data = { ca: 'Q0E=', certificate: 'Q0VSVA==', key: 'S0VZ' };
    const given: Given = {
      clusters: `{name: k, cluster: {server: "${SERVER}", certificate-authority: x, certificate-authority-data: ${quotes}${data.ca}${quotes}, tls-server-name: api}}`,
      ...asUser(
        `client-certificate: x, client-certificate-data: ${quotes}${data.certificate}${quotes}, client-key-data: ${quotes}${data.key}${quotes}`,
      ),
    };
    const found = credentials(given);
    const bytes = Buffer.from(text(given));
    for (const name of ['ca', 'certificate', 'key'] as const) {
      const part = found[name];
      if (part.kind !== 'inline') throw new Error(`${name} is ${part.kind}`);
      expect(bytes.subarray(part.start - 1, part.start - 1 + part.bytes).toString()).toBe(data[name]);
      expect(part.pem()).toBe(Buffer.from(data[name], 'base64').toString());
    }
    expect(found.serverName).toBe('api');
  });

  test.each<[string, Given, string]>([
    [
      'its way is through a proxy',
      inCluster('certificate-authority: x, proxy-url: http://p'),
      'its cluster sets proxy-url',
    ],
    ['nothing is verified', inCluster('insecure-skip-tls-verify: true'), 'its cluster sets insecure-skip-tls-verify'],
    ['it has no authority', inCluster('a: 1'), 'it gives no certificate-authority'],
    [
      'its authority is empty',
      inCluster("certificate-authority: '', certificate-authority-data: ''"),
      'it gives no certificate-authority',
    ],
    ['its authority is no text', inCluster('certificate-authority: 7'), 'it gives no certificate-authority'],
    ['it names no user', { users: `{name: v, user: ${USER}}` }, 'its current context names no user'],
    [
      'its user has a token, too',
      asUser('client-certificate: a, client-key: b, token: U0VDUkVU'),
      'its user is known by token',
    ],
    ['its user has no certificate', asUser('client-key: b'), 'it gives no client-certificate'],
    ['its user has no key', asUser('client-certificate: b'), 'it gives no client-key'],
    [
      'a text goes on in the next line',
      asUser('client-certificate: a, client-key-data: "U0VD\n UkVU"'),
      'client-key-data is not written in one line',
    ],
    [
      'a text has an escape',
      asUser(String.raw`client-certificate: a, client-key-data: "U0VD\x41"`),
      'client-key-data is not written in one line',
    ],
  ])('are refused where %s', (_, given, words) => {
    expect(() => credentials(given)).toThrow(words);
    expect(() => credentials(given)).not.toThrow(/U0VD/);
  });

  test('and an insecure-skip-tls-verify that is false is none', () => {
    const given = inCluster('certificate-authority: x, insecure-skip-tls-verify: false');
    expect(credentials(given).ca).toEqual({ kind: 'file', path: '/etc/kubernetes/x' });
  });
});

describe('a question with a kubeconfig', () => {
  const key = (url: string, serverName?: string): unknown =>
    JSON.parse(kubeconfigAnswerKey({ file: FILE, url, credentials: { ...credentials({}), serverName } }));
  const FILES = ['/etc/kubernetes/ca.crt', '/pki/node.pem', '/etc/node.key', FILE];

  test.each([
    ['https://10.0.0.1:6443/api/v1', undefined, 'https://10.0.0.1:6443/api/v1', null],
    ['https://10.0.0.1:6443/api/v1', 'api', 'https://api:6443/api/v1', '10.0.0.1'],
    ['https://[fd00::1]/x', 'fd00::2', 'https://[fd00::2]:443/x', 'fd00::1'],
  ])('of %s, verified as %s, asks %s at %s', (url, serverName, asked, connectTo) => {
    expect(key(url, serverName)).toEqual([asked, ...FILES, connectTo]);
  });

  test('has as many answers as there are questions', () => {
    const body = Buffer.from('one\n200').toString('base64');
    const answer = `Q C 0 ${body}\nQ N 0 \n`;
    expect([...kubeconfigAnswer.parse(answer, ['a', 'b']).values()]).toEqual([
      { kind: 'answer', status: 200, body: 'one' },
      { kind: 'failure', reason: 'the host has neither curl nor openssl' },
    ]);
    expect(() => kubeconfigAnswer.parse(answer, ['a', 'b', 'c'])).toThrow('an answer is missing');
    expect(() => kubeconfigAnswer.parse(`xQ C 0 ${body}\nQ X 0 \nQ C 0 ${body} x`, ['a'])).toThrow(
      'an answer is missing',
    );
  });
});

test('whose kubelet a certificate is of', async () => {
  expect(nodeOf(await kubeletCertificate('worker-1'))).toBe('worker-1');
  expect(nodeOf('no certificate')).toBeUndefined();
});

describe('kubeconfigs of people', () => {
  const encoded = (path: string): string => Buffer.from(path).toString('base64');
  const parse = (text: string, ...patterns: readonly string[]) => [
    ...kubeconfigCertificates.parse(text, patterns).values(),
  ];

  test('come with their certificates, and only where they were asked for', () => {
    const answer = `D 0\nC ${encoded('/home/ann/.kube/config')}\n one\nno\n two\nC ${encoded('/home/b.o-b_@+1/.kube/config')}\nD 1\nD 2\nC ${encoded('/a+b(c)')}\n`;
    expect(parse(answer, '/home/*/.kube/config', '/none', '/a+b(c)', '/cut')).toEqual([
      [
        { path: '/home/ann/.kube/config', pem: 'one\ntwo\n' },
        { path: '/home/b.o-b_@+1/.kube/config', pem: '' },
      ],
      [],
      [{ path: '/a+b(c)', pem: '' }],
      [],
    ]);
  });

  test.each([
    '/home/a/b/.kube/config',
    '/home//.kube/config',
    '/home/$(id)/.kube/config',
    '/home/a/.kube/config2',
    'x/home/a/.kube/config',
    '/home/a/xkube/config',
  ])('a host cannot name %s instead', (path) => {
    expect(() => parse(`D 0\nC ${encoded(path)}\n`, '/home/*/.kube/config')).toThrow('was not asked for');
  });
});
