import { describe, expect, test } from '@jest/globals';
import { credentialsOf, readKubeconfig } from '../../../src/facts/kubeconfig.js';
import { usesEndpoint, withServer } from '../../../src/resources/with-server.js';
import { adminConf, kubeletConf } from '../../support/kubeconfigs.js';

const OLD = 'https://10.0.0.11:6443';
const URL_OF_VIP = 'https://10.0.0.101:8443';
const PATH = '/etc/kubernetes/kubelet.conf';

function moved(text: string, url = URL_OF_VIP): string {
  return withServer(readKubeconfig(PATH, text), url);
}

describe('the server of a kubeconfig', () => {
  test.each([
    ['of a kubelet', kubeletConf(OLD)],
    ['of an administrator', adminConf(OLD)],
    ['in double quotes', kubeletConf(`"${OLD}"`)],
    ['in single quotes, with a comment', kubeletConf(`'${OLD}' # by hand`)],
    ['with a comment and blanks', kubeletConf(`${OLD}  # by hand`)],
    ['with Windows line ends', kubeletConf(OLD).replaceAll('\n', '\r\n')],
    ['without a line end', `users: []\nclusters: [{name: a, cluster: {server: ${OLD}}}]`],
    [
      'of cluster-info, which has no context',
      `clusters:\n- cluster:\n    server: ${OLD}\n  name: ""\ncontexts: null\ncurrent-context: ""\nusers: null\n`,
    ],
    ['in JSON', JSON.stringify({ clusters: [{ name: 'a', cluster: { server: OLD } }] })],
    [
      'of several, the one of the current context',
      `current-context: c\ncontexts: [{name: c, context: {cluster: b}}]\nclusters:\n- {name: a, cluster: {server: https://other:1}}\n- {name: b, cluster: {server: ${OLD}}}\n`,
    ],
  ])('%s changes alone', (_, text) => {
    expect(moved(text)).toBe(text.replace(OLD, URL_OF_VIP));
  });

  test('may be an IPv6 address, also in a flow map', () => {
    const flow = `clusters: [{name: a, cluster: {server: ${OLD}}}]`;
    expect(moved(flow, 'https://[fd00::1]:8443')).toBe(flow.replace(OLD, '"https://[fd00::1]:8443"'));
  });

  test.each([
    ['no YAML', 'a: [\nclient-key-data: U0VDUkVU', `${PATH}:`],
    ['a key twice', `clusters: []\nclusters: []\nclient-key-data: U0VDUkVU`, `${PATH}: line 2, `],
    ['no cluster', 'kind: Config\n', PATH],
    ['a server elsewhere', `x: &s ${OLD}\nclusters: [{name: a, cluster: {server: *s}}]`, `${PATH}:2`],
    ['a server that others use', `clusters: [{name: a, cluster: {server: &s ${OLD}}}]\nx: *s\n`, `${PATH}:1`],
    ['a server in a block', `clusters:\n- name: a\n  cluster:\n    server: |\n      ${OLD}\n`, `${PATH}:4`],
    ['a user in its server', kubeletConf('https://me:U0VDUkVU@10.0.0.11:6443'), `${PATH}:5`],
    ['a server without TLS', kubeletConf('http://10.0.0.11:8080'), `${PATH}:5`],
    [
      'two clusters, and no context',
      `clusters:\n- {name: a, cluster: {server: ${OLD}}}\n- {name: b, cluster: {server: ${OLD}}}\n`,
      PATH,
    ],
    ['two documents', `${kubeletConf(OLD)}---\n${kubeletConf(OLD)}`, `${PATH}:`],
  ])('%s is refused with its place, and nothing of the text', (_, text, place) => {
    expect(() => moved(text)).toThrow(
      expect.objectContaining({ code: 'kubeconfig-unreadable', message: expect.stringContaining(place) }),
    );
    expect(() => moved(text)).not.toThrow(/U0VDUkVU/);
  });

  test.each([
    ['https://10.0.0.101:8443', true],
    ['https://api.example.com:8443', true],
    ['https://API.example.com:8443/', true],
    ['https://10.0.0.101:6443', false],
    ['https://10.0.0.11:8443', false],
    ['https://10.0.0.101', false],
  ])('%s is the virtual IP: %s', (server, isIt) => {
    const endpoint = { ip: '10.0.0.101', name: 'api.example.com', port: 8443 };
    expect(usesEndpoint(readKubeconfig(PATH, kubeletConf(server)), endpoint)).toBe(isIt);
  });
});

describe('what a kubeconfig shows', () => {
  test('is found in the file itself by its bytes, also after what has more bytes than characters', () => {
    const text = `# für alle\n${adminConf(OLD).replace('client-key-data: U0VDUkVULUtFWQ==', "client-key-data: 'U0VDUkVULUtFWQ=='")}`;
    const { ca, certificate, key } = credentialsOf(readKubeconfig(PATH, text));
    const bytes = Buffer.from(text);
    const found = [ca, certificate, key].map((part) =>
      part.kind === 'inline' ? bytes.subarray(part.start - 1, part.start - 1 + part.bytes).toString() : '',
    );
    expect(found).toEqual(['Q0EtQ0EtQ0E=', 'Q0VSVC1DRVJU', 'U0VDUkVULUtFWQ==']);
  });

  test('is a file, from the directory of the kubeconfig', () => {
    const text = kubeletConf(OLD).replace('client-key: /var/lib/kubelet', 'client-key: ../lib');
    expect(credentialsOf(readKubeconfig(PATH, text)).key).toEqual({
      kind: 'file',
      path: '/etc/lib/pki/kubelet-client-current.pem',
    });
  });

  test.each([
    [
      'a token',
      (text: string) => text.replace(/client-certificate: .*/, 'token: U0VDUkVU'),
      /:19: its user is known by token;/,
    ],
    [
      'a program',
      (text: string) => text.replace(/client-key: .*/, 'exec: {command: aws}'),
      /:20: its user is known by exec;/,
    ],
    [
      'nothing verified',
      (text: string) => text.replace(/certificate-authority-data: .*/, 'insecure-skip-tls-verify: true'),
      /:4: .*insecure-skip-tls-verify/,
    ],
    [
      'a way of its own',
      (text: string) => text.replace(/certificate-authority-data: .*/, 'proxy-url: http://p:1'),
      /:4: .*proxy-url/,
    ],
    [
      'no authority',
      (text: string) => text.replace(/ {4}certificate-authority-data: .*\n/, ''),
      /:4: it gives no certificate-authority/,
    ],
    [
      'a key in two lines',
      (text: string) => text.replace(/client-key: .*/, 'client-key-data: U0VD\n      UkVU'),
      /:20: client-key-data is not written in one line/,
    ],
  ])('%s is refused with its place', (_, change, message) => {
    const refused = (): unknown => credentialsOf(readKubeconfig(PATH, change(kubeletConf(OLD))));
    expect(refused).toThrow(message);
    expect(refused).not.toThrow(/U0VDUkVU/);
  });
});
