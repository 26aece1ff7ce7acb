// What a host tells Prometheus, in a real shell, with real certificates, and as Debian's promtool reads it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Cluster } from '../../src/model/cluster.js';
import { issueCertificate } from '../../src/pki/issue.js';
import { memberCertificates } from '../../src/pki/certificate-list.js';
import { roleTable } from '../../src/roles/table.js';
import { NOT_INSTALLED } from '../support/etcd-answers.js';
import { fakeProbe } from '../support/fake-probe.js';
import { prometheusProgram } from '../support/promtool.js';
import { ROLE_TOOLS } from '../support/role-tools.js';
import { SAMPLE_APISERVER, SAMPLE_CLUSTER, SAMPLE_SERVICE, sampleMember } from '../support/sample-cluster.js';
import { scratch } from '../support/scratch.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { namedHost, templateInventory } from '../support/template-inventory.js';
import { authorityFrom, circumstancesAt, TODAY } from '../support/test-authority.js';

const SCRIPT = '/usr/local/lib/provision/host-metrics';

function clusterIn(directory: string): Cluster {
  const server = { certificate: `${directory}/server.crt`, key: `${directory}/server.key` };
  return {
    ...SAMPLE_CLUSTER,
    members: [{ ...sampleMember(1), pkiDir: directory, server }],
    services: [SAMPLE_SERVICE, SAMPLE_APISERVER],
    hostMetrics: [{ host: 'etcd-1', address: '10.0.0.1', port: 9380 }],
  };
}

/** The files of the role by path, on a bare host. */
async function filesOf(cluster: Cluster): Promise<ReadonlyMap<string, string>> {
  const inventory = templateInventory(['etcd-1']);
  const resources = roleTable(ROLE_TOOLS).get('etcd-host-metrics')?.resources(namedHost('etcd-1'), inventory, cluster);
  const probe = fakeProbe(
    {
      'file-states': new Proxy(
        {},
        { get: () => ({ kind: 'absent' }), getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true }) },
      ),
      units: { 'provision-etcd-metrics.socket': NOT_INSTALLED },
    },
    {},
    'etcd-1',
  );
  const outcomes = await Promise.all((resources ?? []).map(async (resource) => resource.plan(probe)));
  return new Map(
    outcomes.flatMap((outcome) =>
      (outcome.kind === 'change' ? outcome.change.actions : []).flatMap((action) =>
        action.kind === 'write-file' ? [[action.path, action.content.reveal()] as const] : [],
      ),
    ),
  );
}

async function ask(request: string, directory = temporaryDirectory('host-metrics')) {
  const held = 'case $* in *10.0.0.100) echo 2: eth0 ;; esac';
  mkdirSync(join(directory, 'bin'), { recursive: true });
  writeFileSync(join(directory, 'bin/ip'), `#!/bin/sh\n${held}\n`, { mode: 0o755 });
  const runs = 'case $* in *" haproxy.service") exit 0 ;; *) exit 3 ;; esac';
  writeFileSync(join(directory, 'bin/systemctl'), `#!/bin/sh\n${runs}\n`, { mode: 0o755 });
  const script = (await filesOf(clusterIn(directory))).get(SCRIPT) ?? '';
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], {
    cwd: scratch(),
    encoding: 'utf8',
    input: request,
    env: { PATH: `${directory}/bin:/usr/bin:/bin` },
  });
  const [head = '', body = ''] = stdout.split('\r\n\r\n');
  return { status, head, body, stderr };
}

const REQUEST = 'GET /metrics HTTP/1.1\r\nHost: 10.0.0.1:9380\r\nUser-Agent: Prometheus\r\n\r\n';

describe('what a host tells Prometheus', () => {
  test('which virtual IPs it holds, and when each certificate ends', async () => {
    const directory = temporaryDirectory('host-metrics');
    const cluster = clusterIn(directory);
    const [wanted] = memberCertificates(cluster, cluster.members[0] ?? sampleMember(1));
    if (wanted === undefined) throw new Error('no certificate is wanted');
    const authority = await authorityFrom(TODAY);
    const { certificatePem } = await issueCertificate(authority, wanted.profile, circumstancesAt(TODAY));
    writeFileSync(join(directory, 'server.crt'), certificatePem);
    writeFileSync(join(directory, 'peer.crt'), 'no certificate\n');
    const { status, head, body, stderr } = await ask(REQUEST, directory);
    expect([status, stderr]).toEqual([0, '']);
    expect(head).toMatch(/^HTTP\/1\.0 200 OK\r\nContent-Type: text\/plain; version=0\.0\.4\r\n/);
    const end = TODAY.getTime() / 1000 + 365 * 86_400;
    const [, found] = /not_after_seconds\{path="[^"]*server\.crt"\} (\d+)\n/.exec(body) ?? [];
    expect(Math.abs(Number(found) - end)).toBeLessThan(2 * 86_400);
    expect(body.replaceAll(/(\{path=")[^"]*(server\.crt"\} )\d+/g, '$1$2END')).toBe(
      [
        '# TYPE provision_virtual_ip_held gauge',
        'provision_virtual_ip_held{service="etcd",ip="10.0.0.100"} 1',
        'provision_virtual_ip_held{service="kube-apiserver",ip="10.0.0.200"} 0',
        '# TYPE provision_load_balancer_running gauge',
        'provision_load_balancer_running{service="etcd"} 1',
        'provision_load_balancer_running{service="kube-apiserver"} 0',
        '# TYPE provision_certificate_not_after_seconds gauge',
        'provision_certificate_not_after_seconds{path="server.crt"} END',
        '',
      ].join('\n'),
    );
    const linted = spawnSync(prometheusProgram('promtool'), ['check', 'metrics'], { input: body, encoding: 'utf8' });
    expect(linted.stderr.split('\n').filter((line) => line !== '' && !line.includes('no help text'))).toEqual([]);
  });

  test.each([
    ['a request that never ends', 'GET / HTTP/1.1\r\nHost: x'],
    ['nothing', ''],
    ['words that a shell would read', 'GET /$(touch planted) HTTP/1.1\r\n`touch planted`\r\n\\\r\n\r\n'],
  ])('the same to %s', async (_, request) => {
    const { status, head, body } = await ask(request);
    expect([status, head.split('\r\n')[0]]).toEqual([0, 'HTTP/1.0 200 OK']);
    expect(body).toContain('provision_virtual_ip_held{service="etcd",ip="10.0.0.100"} 1');
  });
});

test('systemd listens at the address and port of the inventory', async () => {
  const files = await filesOf(clusterIn('/etc/etcd/pki'));
  expect([...files.keys()]).toEqual([
    SCRIPT,
    '/etc/systemd/system/provision-etcd-metrics@.service',
    '/etc/systemd/system/provision-etcd-metrics.socket',
  ]);
  expect(files.get('/etc/systemd/system/provision-etcd-metrics.socket')).toContain('ListenStream=10.0.0.1:9380\n');
  expect(files.get('/etc/systemd/system/provision-etcd-metrics@.service')).toContain(`ExecStart=${SCRIPT}\n`);
});
