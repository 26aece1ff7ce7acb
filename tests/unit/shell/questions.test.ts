import { describe, expect, test } from '@jest/globals';
import { containersByHand, journalByHand, restartByHand, startByHand } from '../../../src/shell/by-hand.js';
import { etcdctl, etcdctlByHand, unverifiedEtcdctl } from '../../../src/shell/etcdctl.js';
import { curlCommand, opensslCommand, opensslConnection } from '../../../src/shell/https-request.js';
import { serviceCommand, type ServiceVerb } from '../../../src/shell/service-command.js';

describe('a question over TLS', () => {
  const all = { ca: '/ca file', certificate: '/c.crt', key: '/c.key' };
  const CURL = "curl -sS --max-time 7 --noproxy '*' --globoff";
  const OPENSSL = 'openssl s_client -quiet -ign_eof -connect';

  test.each([
    [{ url: 'https://10.0.0.1:2379/health?a=b' }, `${CURL} --insecure 'https://10.0.0.1:2379/health?a=b'`],
    [{ url: 'https://a:1/x', ...all }, `${CURL} --cacert '/ca file' --cert /c.crt --key /c.key https://a:1/x`],
    // Half a pair is none.
    [{ url: 'https://a:1/x', ca: '/ca', certificate: '/c.crt' }, `${CURL} --cacert /ca https://a:1/x`],
    [{ url: 'https://a:1/x', ca: '/ca', key: '/c.key' }, `${CURL} --cacert /ca https://a:1/x`],
    [
      { url: 'https://a:1/x', ca: '/ca', connectTo: '10.0.0.9' },
      `${CURL} --cacert /ca --connect-to ::10.0.0.9: https://a:1/x`,
    ],
    [
      { url: 'https://a:1/x', ca: '/ca', connectTo: 'fd00::9' },
      `${CURL} --cacert /ca --connect-to '::[fd00::9]:' https://a:1/x`,
    ],
  ])('by curl: %j', (request, command) => {
    expect(curlCommand(request, 7)).toBe(command);
  });

  test.each([
    [{ url: 'https://10.0.0.1:2379/' }, `${OPENSSL} 10.0.0.1:2379`],
    [
      { url: 'https://a/x', ca: '/ca' },
      `${OPENSSL} a:443 -servername a -CAfile /ca -verify_return_error -verify_hostname a`,
    ],
    [
      { url: 'https://[fd00::1]:1/x', ...all },
      `${OPENSSL} '[fd00::1]:1' -CAfile '/ca file' -verify_return_error -verify_ip fd00::1 -cert /c.crt -key /c.key`,
    ],
    // Another address is asked, and the URL's name is verified.
    [
      { url: 'https://a:1/x', ca: '/ca', connectTo: 'fd00::9' },
      `${OPENSSL} '[fd00::9]:1' -servername a -CAfile /ca -verify_return_error -verify_hostname a`,
    ],
    [
      { url: 'https://10.0.0.1:1/x', ca: '/ca', connectTo: '10.0.0.9' },
      `${OPENSSL} 10.0.0.9:1 -CAfile /ca -verify_return_error -verify_ip 10.0.0.1`,
    ],
  ])('by openssl: %j', (request, command) => {
    expect(opensslConnection(request)).toBe(command);
  });

  test('by openssl is a whole exchange, of the path and the query, in its time', () => {
    expect(opensslCommand({ url: 'https://a:1/health?x=y#z' }, 3)).toBe(
      `printf 'GET /health?x=y HTTP/1.0\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n' | timeout 3 ${OPENSSL} a:1 -servername a`,
    );
  });
});

describe('etcdctl', () => {
  const member = {
    host: 'etcd-1',
    clientUrl: 'https://127.0.0.1:2379',
    client: { ca: '/pki/ca.crt', certificate: '/pki/client.crt', key: '/pki/my key' },
  };
  const FLAGS = "--endpoints=https://127.0.0.1:2379 --cacert=/pki/ca.crt --cert=/pki/client.crt --key='/pki/my key'";
  const LIMITS = '--dial-timeout=2s --command-timeout=5s';

  test('verifies, and never hangs', () => {
    expect(etcdctl(member)).toBe(`timeout 15 etcdctl ${FLAGS} ${LIMITS}`);
  });

  test('shows and verifies nothing of its own where it only asks', () => {
    expect(unverifiedEtcdctl(member.clientUrl)).toBe(
      `timeout 15 etcdctl --endpoints=https://127.0.0.1:2379 --insecure-skip-tls-verify ${LIMITS}`,
    );
  });

  test('is typed by hand with the same files, on the member’s host', () => {
    expect(etcdctlByHand({ ...member, client: { ...member.client, key: '/k' } }, 'member list')).toBe(
      "ssh etcd-1 'sudo env ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/pki/ca.crt --cert=/pki/client.crt --key=/k member list'",
    );
  });
});

test('what a person types', () => {
  expect([
    journalByHand('h', 'a'),
    journalByHand('h', 'a', 'b'),
    containersByHand('h', 'kube-apiserver'),
    restartByHand('h', 'kubelet'),
    ...[['a'], ['a', 'a'], ['a', 'b'], ['a', 'b', 'a']].map((units) =>
      startByHand(units.map((unit, index) => ({ host: `h${index}`, unit }))),
    ),
  ]).toEqual([
    'ssh h sudo journalctl -u a -n 50',
    'ssh h sudo journalctl -u a -u b -n 50',
    'ssh h sudo crictl ps -a --name kube-apiserver',
    'ssh h sudo systemctl restart kubelet',
    'ssh h0 sudo systemctl start --no-block a',
    'for h in h0 h1; do ssh "$h" sudo systemctl start --no-block a; done',
    'ssh h0 sudo systemctl start --no-block a; ssh h1 sudo systemctl start --no-block b',
    'ssh h0 sudo systemctl start --no-block a; ssh h1 sudo systemctl start --no-block b; ssh h2 sudo systemctl start --no-block a',
  ]);
});

describe('what is asked of systemd', () => {
  test.each<ServiceVerb>(['start', 'restart', 'reload', 'stop', 'enable', 'disable'])('%s', (verb) => {
    const { summary, timeoutMs } = serviceCommand(verb, 'x@y');
    expect({ summary, timeoutMs }).toEqual({ summary: `systemctl ${verb} x@y`, timeoutMs: 120_000 });
  });

  test.each(['mask', 'unmask'] as const)('%s lasts until the next boot only', (verb) => {
    expect(serviceCommand(verb, 'x').script).toMatch(
      new RegExp(`^systemctl ${verb} --runtime --quiet x\\.service && exit 0\n`),
    );
  });
});
