import { beforeAll, describe, expect, test } from '@jest/globals';
import { lookAtCluster, type FoundCluster } from '../../../src/adopt/adopt-cluster.js';
import { decideVariables } from '../../../src/adopt/decide-variables.js';
import { certificateFilesKey, type CertificateFiles } from '../../../src/facts/certificate-files.js';
import { ETCD, etcdOnHost, settingPlaces } from '../../../src/facts/etcd-process.js';
import { etcdStatusKey, type EtcdStatus } from '../../../src/facts/etcd-status.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { healthy, RUNNING, SILENT } from '../../support/etcd-answers.js';
import { fakeProbe, type FakeAnswers } from '../../support/fake-probe.js';
import { fixture } from '../../support/fixture.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';
import { loadFiles } from '../../support/write-inventory.js';

const HOSTS = ['etcd-1', 'etcd-2', 'etcd-3'] as const;
const HOW = ['package', 'flags', 'yaml'] as const;
const CA = '/etc/ssl/etcd/certificate/ca.crt';
const CONFIG = '/etc/etcd/etcd.conf.yml';
const FILES = [
  '/lib/systemd/system/etcd.service',
  '/etc/default/etcd',
  '/etc/systemd/system/etcd.service',
  '/etc/systemd/system/etcd-member.service',
  CONFIG,
];
const INVENTORY = `all:
  children:
    etcd:
      hosts:
        etcd-1: { ansible_host: 192.0.2.11 }
        etcd-2: { ansible_host: 192.0.2.12 }
        etcd-3: { ansible_host: 192.0.2.13 }
`;
const NO_STORE = { certificate: () => undefined, trustBundle: () => undefined };

let authority: SigningAuthority;
const leaves: string[] = [];

beforeAll(async () => {
  authority = await authorityFrom(TODAY);
  for (const number of [1, 2, 3]) {
    const profile = {
      ...SERVER_PROFILE,
      commonName: `etcd-${number}-dev`,
      ipAddresses: [`192.0.2.1${number}`],
      dnsNames: [],
    };
    leaves.push((await issueCertificate(authority, profile, circumstancesAt(TODAY))).certificatePem);
  }
});

function pem(text: string, hasKey = true): CertificateFiles {
  const stat = { owner: 'etcd', group: 'etcd', mode: '0600' };
  return { certificate: stat, key: hasKey ? stat : undefined, pem: text, publicKey: { kind: 'unchecked' } };
}

const MISSING: CertificateFiles = { certificate: undefined, key: undefined, pem: '', publicKey: { kind: 'unchecked' } };
const USUAL = ['/etc/kubernetes/pki/etcd/healthcheck-client', '/etc/kubernetes/pki/apiserver-etcd-client'];

interface Changes {
  readonly status?: EtcdStatus;
  readonly processes?: string;
  readonly more?: FakeAnswers;
}

/** What a hand-made member's host answers: each is made in another way, as captured from real ones. */
function hostAnswers(index: number, changes: Changes = {}): FakeAnswers {
  const number = index + 1;
  const certificate = `/etc/ssl/etcd/certificate/etcd-${number}-dev_cert.pem`;
  const key = `/etc/ssl/etcd/private/etcd-${number}-dev_key.pem`;
  const leaf = leaves[index] ?? '';
  const how = HOW[index] ?? 'yaml';
  const places = settingPlaces.parse(
    fixture(`facts/etcd-setting-places-${how === 'flags' ? 'flags' : 'package'}.txt`),
    FILES,
  );
  const asked = { clientUrl: `https://192.0.2.1${number}:2379`, client: { ca: CA, certificate, key } };
  const processes = changes.processes ?? fixture(`facts/etcd-process-${how}.txt`);
  return {
    'etcd-processes': { [ETCD]: etcdOnHost.parse(processes, [ETCD]).get(ETCD) },
    'etcd-setting-places': Object.fromEntries(places),
    'file-contents': { [CONFIG]: fixture('facts/etcd.conf.yml') },
    'file-names': { '/etc/ssl/etcd/certificate': ['ca.crt'], '/etc/ssl/etcd/private': [] },
    units: { etcd: { ...RUNNING, startedAt: 1795237489 }, 'etcd-member': { ...RUNNING, startedAt: 1795237489 } },
    'certificate-files': {
      [certificateFilesKey(certificate)]: pem(leaf, false),
      [certificateFilesKey(certificate, key)]: pem(leaf),
      [certificateFilesKey(CA)]: pem(authority.certificatePem, false),
      ...Object.fromEntries(USUAL.map((stem) => [certificateFilesKey(`${stem}.crt`, `${stem}.key`), MISSING])),
    },
    'etcd-status': { [etcdStatusKey(asked)]: changes.status ?? healthy(number) },
    ...changes.more,
  };
}

async function look(
  changes: Partial<Record<(typeof HOSTS)[number], Changes>> = {},
  inventoryText = INVENTORY,
  store = NO_STORE as Parameters<typeof lookAtCluster>[0]['authority'],
): Promise<FoundCluster & { readonly lines: readonly string[]; readonly written: ReturnType<typeof decideVariables> }> {
  const inventory = await loadFiles({ 'inventory.yaml': inventoryText });
  const found = await lookAtCluster({
    inventory,
    probe: (host) =>
      fakeProbe(
        hostAnswers(
          HOSTS.findIndex((each) => each === host),
          changes[host as (typeof HOSTS)[number]],
        ),
      ),
    authority: store,
    now: TODAY,
  });
  const lines = found.items.map(
    ({ verdict, check, host = '-', evidence }) => `${verdict} ${check} ${host}: ${evidence}`,
  );
  return { ...found, lines, written: decideVariables(inventory, found.variables) };
}

function bad({ lines }: { readonly lines: readonly string[] }): readonly string[] {
  return lines.filter((line) => !line.startsWith('ok'));
}

describe('a cluster that was made by hand, each member in another way', () => {
  test('is described, each variable with its place', async () => {
    const found = await look();
    expect(bad(found)).toEqual([]);
    expect(found.lines.at(-1)).toBe('ok cluster -: one cluster of 3 members, id 77; authority CN=etcd-ca');
    expect(found.authorityPem).toBe(authority.certificatePem);
    const { shared, hosts } = found.written;
    expect(shared.map(({ name, value }) => [name, value])).toEqual([
      ['etcd_managed', false],
      ['etcd_trusted_ca_file', CA],
    ]);
    const own = [...hosts].flatMap(([host, variables]) =>
      variables.map(({ name, value, found: [place] }) => `${host} ${name}=${String(value)} # ${place ?? ''}`),
    );
    expect(own).toContain('etcd-1 etcd_member_name=etcd-1-dev # ETCD_NAME in /etc/default/etcd:1 on etcd-1');
    expect(own).toContain(
      'etcd-2 etcd_cert_file=/etc/ssl/etcd/certificate/etcd-2-dev_cert.pem # --cert-file in /etc/systemd/system/etcd.service:15 on etcd-2',
    );
    expect(own).toContain('etcd-3 etcd_unit=etcd-member # systemd unit of the running etcd on etcd-3');
    expect(own).toContain('etcd-3 etcd_data_dir=/var/lib/etcd/data # data-dir in /etc/etcd/etcd.conf.yml:3 on etcd-3');
    expect(own.filter((line) => line.includes('etcd_data_dir')).map((line) => line.split(' ')[0])).toEqual([
      'etcd-2',
      'etcd-3',
    ]);
    expect(own.join('\n')).not.toMatch(/etcd_client_(url|port)|etcd_peer_port|heartbeat| ip=/);
  });

  test.each([
    ['kubespray', 'admin-etcd-2.pem', 'admin-etcd-2-key.pem'],
    ['kubeadm', 'client.crt', 'client.key'],
    ['hand', 'ops_cert.pem', 'ops_key.pem'],
  ])(
    'is asked with a pair beside the server certificate, which is for servers only: named as by %s',
    async (_, name, keyName) => {
      const profile = { ...SERVER_PROFILE, ipAddresses: ['192.0.2.12'], dnsNames: [] };
      const sign = async (usage: 'server' | 'client'): Promise<string> =>
        (await issueCertificate(authority, { ...profile, usages: [usage] }, circumstancesAt(TODAY))).certificatePem;
      const directory = '/etc/ssl/etcd/certificate';
      const own = [`${directory}/etcd-2-dev_cert.pem`, '/etc/ssl/etcd/private/etcd-2-dev_key.pem'] as const;
      const [server, client] = await Promise.all([sign('server'), sign('client')]);
      const accepted = { ca: CA, certificate: `${directory}/${name}`, key: `${directory}/${keyName}` };
      const more: FakeAnswers = {
        'file-names': {
          [directory]: ['ca.crt', name, keyName, 'README'],
          '/etc/ssl/etcd/private': ['etcd-2-dev_key.pem'],
        },
        'certificate-files': {
          ...hostAnswers(1)['certificate-files'],
          [certificateFilesKey(own[0])]: pem(server, false),
          [certificateFilesKey(...own)]: pem(server),
          [certificateFilesKey(accepted.certificate, accepted.key)]: pem(client),
        },
        'etcd-status': { [etcdStatusKey({ clientUrl: 'https://192.0.2.12:2379', client: accepted })]: healthy(2) },
      };
      const found = await look({ 'etcd-2': { more } });
      expect(bad(found)).toEqual([]);
      expect(found.lines).toContain(
        `ok client-pair etcd-2: ${directory}/${name} is accepted at https://192.0.2.12:2379`,
      );
    },
  );

  test('has its address by `ip`, where ssh goes another way', async () => {
    const { written } = await look({}, INVENTORY.replace('192.0.2.12', 'bastion.example'));
    expect(written.hosts.get('etcd-2')?.find(({ name }) => name === 'ip')).toEqual({
      name: 'ip',
      value: '192.0.2.12',
      found: ['--advertise-client-urls in /etc/systemd/system/etcd.service:13 on etcd-2'],
    });
  });
});

describe('a host cannot be adopted, and the others are looked at all the same', () => {
  function without(pattern: RegExp, replacement: string, name = 'flags'): string {
    const text = fixture(`facts/etcd-process-${name}.txt`);
    const argv = Buffer.from(/^A (.*)$/m.exec(text)?.[1] ?? '', 'base64').toString('utf8');
    return text.replace(/^A .*$/m, `A ${Buffer.from(argv.replaceAll(pattern, replacement)).toString('base64')}`);
  }
  const FLAGS = fixture('facts/etcd-process-flags.txt');

  test.each([
    ['nothing runs', 'T /usr/bin/etcdctl\n', 'etcd-process etcd-2: etcd is not running here'],
    [
      'a container',
      FLAGS.replace(/^C .*$/m, `C ${Buffer.from('0::/system.slice/docker-1.scope\n').toString('base64')}`),
      'etcd-process etcd-2: etcd (process 112) runs in a container',
    ],
    [
      'a login session',
      FLAGS.replace(/^U .*\n/m, '').replace(
        /^C .*$/m,
        `C ${Buffer.from('0::/user.slice/session-1.scope\n').toString('base64')}`,
      ),
      'etcd-process etcd-2: etcd (process 112) is not a systemd service: it runs in /user.slice/session-1.scope',
    ],
    [
      'two members',
      `${FLAGS}${FLAGS}`,
      'etcd-process etcd-2: several etcd run here: etcd (process 112), etcd (process 112)',
    ],
    ['no etcdctl', FLAGS.replace(/^T .*$/m, 'T '), 'etcdctl etcd-2: etcdctl is not on the PATH'],
    ['plain http', without(/https:/g, 'http:'), 'tls etcd-2: etcd listens for clients without TLS'],
    [
      'no client certificates',
      without(/--trusted-ca-file=[^\0]*\0/g, ''),
      'tls etcd-2: etcd does not require client certificates',
    ],
    [
      'only itself',
      without(/192\.0\.2\.12:2379/g, '127.0.0.1:2379'),
      'etcd-process etcd-2: etcd listens for clients only on 127.0.0.1',
    ],
  ])('%s', async (_, processes, expected) => {
    const found = await look({ 'etcd-2': { processes } });
    expect(bad(found)).toEqual([expect.stringContaining(`fail ${expected}`)]);
    expect(found.items.find(({ verdict }) => verdict === 'fail')?.next).not.toBe('');
    expect([...found.variables.keys()]).toEqual(['etcd-1', 'etcd-3']);
  });

  test('no client certificate is accepted', async () => {
    const found = await look({ 'etcd-2': { status: SILENT } });
    expect(bad(found)).toEqual([
      'fail client-pair etcd-2: no client certificate here is accepted by etcd at https://192.0.2.12:2379: ' +
        '/etc/ssl/etcd/certificate/etcd-2-dev_cert.pem: connection refused',
    ]);
  });
});

describe('what runs is not the one cluster of the inventory', () => {
  test('two clusters', async () => {
    const found = await look({ 'etcd-3': { status: healthy(3, { clusterId: '88' }) } });
    expect(bad(found)).toEqual([
      'fail cluster -: these are 2 clusters: etcd-1, etcd-2 (cluster id 77); etcd-3 (cluster id 88)',
    ]);
  });

  test('a member that the inventory does not name', async () => {
    const found = await look({}, INVENTORY.replace(/ {8}etcd-3.*\n/, ''));
    expect(bad(found)).toEqual([
      'fail cluster -: member m3 (https://10.0.0.3:2380) is in the cluster, and no host of the group etcd is it: the load balancer would leave it out',
    ]);
  });

  test('one member under two names', async () => {
    const found = await look({ 'etcd-3': { status: healthy(2) } });
    expect(bad(found)[0]).toBe('fail cluster -: etcd-2 and etcd-3 are the same member');
  });

  test('another authority is in the store', async () => {
    const other = (await authorityFrom(TODAY)).certificatePem;
    const found = await look({}, INVENTORY, { certificate: () => other, trustBundle: () => other });
    expect(bad(found)).toEqual([expect.stringContaining('fail authority -: the store holds CN=etcd-ca')]);
  });
});

describe('a person should know', () => {
  test('that etcd takes every address of a host that is to balance', async () => {
    const text = fixture('facts/etcd-process-flags.txt');
    const argv = Buffer.from(/^A (.*)$/m.exec(text)?.[1] ?? '', 'base64').toString('utf8');
    const wide = argv.replace('https://192.0.2.12:2379,https://127.0.0.1:2379', 'https://0.0.0.0:2379');
    const processes = text.replace(/^A .*$/m, `A ${Buffer.from(wide).toString('base64')}`);
    expect(bad(await look({ 'etcd-2': { processes } }))).toEqual([
      expect.stringContaining('warn listen-address etcd-2: etcd listens on every address at port 2379'),
    ]);
    const otherPort = INVENTORY.replace('all:\n', 'all:\n  vars: { etcd_lb_port: 2378 }\n');
    expect(bad(await look({ 'etcd-2': { processes } }, otherPort))).toEqual([]);
  });

  test('of a learner, an alarm, and a member that cannot commit', async () => {
    const status = healthy(2, { isLearner: true, alarms: ['NOSPACE'], isHealthy: false });
    expect(bad(await look({ 'etcd-2': { status } }))).toEqual([
      'warn member etcd-2: cannot commit a proposal',
      'warn member etcd-2: is a learner',
      'warn member etcd-2: alarm NOSPACE is raised',
    ]);
  });

  test('that a file was changed since the start', async () => {
    const more = { units: { etcd: { ...RUNNING, startedAt: 1795237487 } } };
    expect(bad(await look({ 'etcd-2': { more } }))).toEqual([
      'warn etcd-process etcd-2: /etc/systemd/system/etcd.service changed after etcd was started: a restart would apply that too',
    ]);
  });
});

test('an etcd of our own is not adopted', async () => {
  const inventory = `all:\n  vars: { etcd_pki_dir: /etc/ssl/own }\n${INVENTORY.slice(5)}`;
  const certificate = '/etc/ssl/own/server.crt';
  const text = fixture('facts/etcd-process-package.txt');
  const environment = Buffer.from(/^E (.*)$/m.exec(text)?.[1] ?? '', 'base64').toString('utf8');
  const ours = environment.replaceAll('/etc/ssl/etcd/certificate/etcd-1-dev_cert.pem', certificate);
  const processes = text.replace(/^E .*$/m, `E ${Buffer.from(ours).toString('base64')}`);
  const key = '/etc/ssl/etcd/private/etcd-1-dev_key.pem';
  const leaf = leaves[0] ?? '';
  const asked = { clientUrl: 'https://192.0.2.11:2379', client: { ca: CA, certificate, key } };
  const more: FakeAnswers = {
    'certificate-files': {
      ...hostAnswers(0)['certificate-files'],
      [certificateFilesKey(certificate)]: pem(leaf, false),
      [certificateFilesKey(certificate, key)]: pem(leaf),
    },
    'etcd-status': { [etcdStatusKey(asked)]: healthy(1) },
  };
  const store = { certificate: () => authority.certificatePem, trustBundle: () => authority.certificatePem };
  expect(bad(await look({ 'etcd-1': { processes, more } }, inventory, store))).toEqual([
    expect.stringContaining('fail cluster -: provision itself made this etcd'),
  ]);
});
