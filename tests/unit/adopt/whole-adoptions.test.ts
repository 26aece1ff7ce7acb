// All that adopting says and writes of three members, as they are made by hand and by kubeadm, and where one thing is different on one of them or on all.
import { beforeAll, test } from '@jest/globals';
import { lookAtCluster } from '../../../src/adopt/adopt-cluster.js';
import { decideVariables } from '../../../src/adopt/decide-variables.js';
import type { CertificateFiles } from '../../../src/facts/certificate-files.js';
import type { EtcdOnHost, EtcdProcess } from '../../../src/facts/etcd-process.js';
import type { EtcdStatus } from '../../../src/facts/etcd-status.js';
import type { CertificateProfile } from '../../../src/model/certificate.js';
import { ProvisionError, RemoteError } from '../../../src/model/errors.js';
import type { Fact, Probe } from '../../../src/model/remote.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { healthy } from '../../support/etcd-answers.js';
import { expectGolden } from '../../support/golden.js';
import { authorityFrom, circumstancesAt, daysFromToday, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';
import { loadFiles } from '../../support/write-inventory.js';

/** One host with a member, as far as it is looked at. */
interface Member {
  readonly argv: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly startedBy: EtcdProcess['startedBy'];
  readonly program?: string;
  readonly workingDirectory?: string;
  readonly etcdctl?: string | undefined;
  /** More processes, or none. */
  readonly processes?: (own: EtcdProcess) => readonly EtcdProcess[];
  /** Path → what is in it. */
  readonly pems: Readonly<Record<string, string>>;
  readonly texts?: Readonly<Record<string, string>>;
  /** Directory → names. */
  readonly names?: Readonly<Record<string, readonly string[]>>;
  /** Word → line, of all files. */
  readonly lines?: Readonly<Record<string, number>>;
  readonly changedAt?: number;
  readonly startedAt?: number;
  /** Certificates that etcd accepts from clients. */
  readonly accepts: readonly string[];
  readonly status: EtcdStatus;
  readonly publicKey?: CertificateFiles['publicKey'];
  readonly away?: true;
}

const PEMS = new Map<string, string>();
const pem = (name: string): string => {
  const found = PEMS.get(name);
  if (found === undefined) throw new Error(`no certificate ${name}`);
  return found;
};
let authority: SigningAuthority;
let stranger: SigningAuthority;

beforeAll(async () => {
  authority = await authorityFrom(daysFromToday(-500));
  stranger = await authorityFrom(daysFromToday(-500));
  const sign = async (
    name: string,
    changes: Partial<CertificateProfile>,
    signer = authority,
    day = TODAY,
  ): Promise<void> => {
    const profile = { ...SERVER_PROFILE, dnsNames: [], commonName: name, ...changes };
    PEMS.set(name, (await issueCertificate(signer, profile, circumstancesAt(day))).certificatePem);
  };
  PEMS.set('ca', authority.certificatePem);
  PEMS.set('other-ca', stranger.certificatePem);
  for (const number of [1, 2, 3]) {
    await sign(`server-${number}`, { ipAddresses: [`10.0.0.${number}`] });
    await sign(`stacked-${number}`, { ipAddresses: [`10.0.0.1${number}`, '127.0.0.1'] });
  }
  const server = { ipAddresses: ['10.0.0.2'] };
  await sign('for servers', { ...server, usages: ['server'] });
  await sign('of another name', { ipAddresses: [], dnsNames: ['elsewhere.example'] });
  await sign('of a name', { ipAddresses: [], dnsNames: ['etcd-2.example'] });
  await sign('of a stranger', server, stranger);
  await sign('expired', { ...server, usages: ['client'] }, authority, daysFromToday(-400));
  await sign('with RSA', { ...server, keyType: 'rsa-2048' });
  await sign('client', { usages: ['client'], ipAddresses: [] });
  await sign('client of a stranger', { usages: ['client'], ipAddresses: [] }, stranger);
});

const SSL = '/etc/ssl/etcd';

/** A member that someone has set up by hand, by flags of a unit. */
function byHand(number: number): Member {
  return {
    argv: [
      '/usr/bin/etcd',
      `--name=node${number}`,
      `--data-dir=/srv/etcd${number}`,
      `--listen-client-urls=https://10.0.0.${number}:2379,https://127.0.0.1:2379`,
      `--advertise-client-urls=https://10.0.0.${number}:2379`,
      `--cert-file=${SSL}/server.pem`,
      `--key-file=${SSL}/server-key.pem`,
      `--trusted-ca-file=${SSL}/ca.pem`,
    ],
    startedBy: {
      kind: 'unit',
      unit: 'etcd',
      files: { unit: ['/etc/systemd/system/etcd.service'], environment: ['/etc/default/etcd'] },
    },
    pems: { [`${SSL}/server.pem`]: pem(`server-${number}`), [`${SSL}/ca.pem`]: pem('ca') },
    lines: { '--name': 3, '--data-dir': 4, '--cert-file': 7 },
    changedAt: 100,
    startedAt: 200,
    accepts: [`${SSL}/server.pem`],
    status: healthy(number),
  };
}

const KUBEADM = '/etc/kubernetes/pki/etcd';
const MANIFEST = '/etc/kubernetes/manifests/etcd.yaml';

/** A member that kubeadm has stacked. */
function stacked(number: number, ...more: readonly string[]): Member {
  const argv = [
    'etcd',
    `--name=cp-${number}`,
    '--data-dir=/var/lib/etcd',
    `--listen-client-urls=https://127.0.0.1:2379,https://10.0.0.1${number}:2379`,
    `--advertise-client-urls=https://10.0.0.1${number}:2379`,
    `--cert-file=${KUBEADM}/server.crt`,
    `--key-file=${KUBEADM}/server.key`,
    `--trusted-ca-file=${KUBEADM}/ca.crt`,
    `--peer-cert-file=${KUBEADM}/peer.crt`,
    `--peer-key-file=${KUBEADM}/peer.key`,
    ...more,
  ];
  const members = [1, 2, 3].map((each) => ({
    ...{ id: `${each}`, name: `cp-${each}`, peerUrls: [`https://10.0.0.1${each}:2380`], isLearner: false },
  }));
  return {
    argv,
    startedBy: { kind: 'container' },
    pems: {
      [`${KUBEADM}/server.crt`]: pem(`stacked-${number}`),
      [`${KUBEADM}/ca.crt`]: pem('ca'),
      [`${KUBEADM}/healthcheck-client.crt`]: pem('client'),
    },
    texts: {
      [MANIFEST]: JSON.stringify({ kind: 'Pod', spec: { containers: [{ name: 'etcd', command: argv }] } }),
    },
    accepts: [`${KUBEADM}/healthcheck-client.crt`],
    status: healthy(number, { members }),
  };
}

function probeOf(host: string, member: Member | undefined): Probe {
  const stat = { owner: 'etcd', group: 'etcd', mode: '0600' };
  const answers: Readonly<Record<string, (own: Member, key: string) => unknown>> = {
    'etcd-processes': (own): EtcdOnHost => {
      const { argv, startedBy, program = '/usr/bin/etcd', workingDirectory = '/' } = own;
      const environment = new Map(Object.entries(own.environment ?? {}));
      const process = { pid: 7, argv, startedBy, program, workingDirectory, environment };
      return {
        processes: own.processes === undefined ? [process] : own.processes(process),
        etcdctl: 'etcdctl' in own ? own.etcdctl : '/usr/bin/etcdctl',
      };
    },
    'static-pod-files': ({ texts = {} }, directory) =>
      Object.entries(texts).flatMap(([path, text]) =>
        path.startsWith(`${directory}/`) ? [{ name: path.slice(directory.length + 1), text }] : [],
      ),
    'etcd-setting-places': ({ lines = {}, changedAt }) => ({ lines: new Map(Object.entries(lines)), changedAt }),
    'file-contents': ({ texts = {} }, path) => texts[path],
    'file-names': ({ names = {} }, directory) => names[directory] ?? [],
    units: ({ startedAt }) => ({ active: true, startedAt }),
    'certificate-files': ({ pems, publicKey = { kind: 'unchecked' } }, key) => {
      const [path = '', keyPath] = JSON.parse(key) as readonly string[];
      const text = pems[path] ?? '';
      const isThere = text !== '';
      return {
        certificate: isThere ? stat : undefined,
        key: isThere && keyPath ? stat : undefined,
        pem: text,
        publicKey,
      };
    },
    'etcd-status': ({ accepts, status }, key) =>
      accepts.some((path) => key.includes(path)) ? status : { kind: 'silent', reason: 'bad certificate' },
  };
  return {
    host,
    on: () => probeOf(host, member),
    ask: <V>({ name }: Fact<V>, key: string) => {
      const answer = answers[name];
      if (member?.away === true)
        return Promise.reject(
          new RemoteError({ code: 'unreachable', host, message: `${host}: no route\nmore`, hint: `ping ${host}` }),
        );
      if (answer === undefined) return Promise.reject(new Error(`no answer for ${name} ${key}`));
      const none: Member = {
        argv: [],
        startedBy: { kind: 'container' },
        processes: () => [],
        pems: {},
        accepts: [],
        status: healthy(1),
      };
      return Promise.resolve(answer(member ?? none, key) as V);
    },
  };
}

interface Case {
  /** By the number of the host, from 1 on. */
  readonly members?: Readonly<Record<number, Partial<Member>>>;
  readonly inventory?: (text: string) => string;
  readonly store?: Parameters<typeof lookAtCluster>[0]['authority'];
}

const OF_HAND = `all:
  children:
    etcd:
      hosts:
        etcd-1: { ansible_host: 10.0.0.1 }
        etcd-2: { ansible_host: 10.0.0.2 }
        etcd-3: { ansible_host: 10.0.0.3 }
`;
const OF_KUBEADM = `all:
  children:
    etcd_former:
      hosts:
        cp-1: { ansible_host: 10.0.0.11 }
        cp-2: { ansible_host: 10.0.0.12 }
        cp-3: { ansible_host: 10.0.0.13 }
    etcd:
      hosts:
        etcd-1: { ansible_host: 10.0.0.1 }
        etcd-2: { ansible_host: 10.0.0.2 }
`;
const NO_STORE = { certificate: () => undefined, trustBundle: () => undefined };

/** @param made the members, of whom a case changes some, by their host */
async function whole(
  text: string,
  made: Readonly<Record<string, Member>>,
  { members = {}, inventory: change = (each) => each, store = NO_STORE }: Case,
): Promise<readonly string[]> {
  const numbered = Object.entries(made);
  const at = (host: string): Member | undefined => {
    const index = numbered.findIndex(([name]) => name === host);
    const own = numbered[index]?.[1];
    const changes = members[index + 1];
    return own === undefined ? undefined : { ...own, ...changes };
  };
  try {
    const inventory = await loadFiles({ 'inventory.yaml': change(text) });
    const found = await lookAtCluster({
      inventory,
      probe: (host) => probeOf(host, at(host)),
      authority: store,
      now: TODAY,
    });
    const items = found.items.map(
      ({ verdict, check, host = '-', evidence, next }) =>
        `${verdict} ${check} ${host}: ${evidence}${next === undefined ? '' : ` → ${next}`}`,
    );
    const written = (() => {
      try {
        const { shared, hosts } = decideVariables(inventory, found.variables);
        return [...new Map([[found.group, shared], ...hosts])].flatMap(([name, variables]) =>
          variables.map((each) => `${name}: ${each.name}=${String(each.value)} # ${each.found.join(' | ')}`),
        );
      } catch (error) {
        return saidOf(error);
      }
    })();
    return [
      `${found.group}, key ${found.stackedKey ?? '-'}, authority ${found.authorityPem === undefined ? '-' : 'found'}`,
      ...items,
      ...written,
    ].map((line) =>
      line
        .replaceAll(/[0-9a-f]{32,}|(?:[0-9A-F]{2}:){3}[0-9A-F]{2}/g, 'HEX')
        .replaceAll(/\/\S*\/inventory\.yaml/g, 'inventory.yaml'),
    );
  } catch (error) {
    return saidOf(error);
  }
}

function saidOf(error: unknown): readonly string[] {
  if (!(error instanceof ProvisionError)) throw error;
  return [
    `refused ${error.code}: ${error.message.replaceAll(/\/\S*\/inventory\.yaml/g, 'inventory.yaml')} → ${error.hint ?? '-'}`,
  ];
}

function apart(before: readonly string[], after: readonly string[]): readonly string[] {
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ];
}

async function told(
  text: string,
  made: Readonly<Record<string, Member>>,
  cases: Readonly<Record<string, Case>>,
): Promise<string> {
  const plain = await whole(text, made, {});
  const lines = ['as it is', ...plain.map((line) => `  ${line}`)];
  for (const [name, each] of Object.entries(cases))
    lines.push(name, ...apart(plain, await whole(text, made, each)).map((line) => `  ${line}`));
  return `${lines.join('\n')}\n`;
}

/** A member whose command line is another one. */
const words = (number: number, change: (argv: string) => string): Partial<Member> => ({
  argv: change(byHand(number).argv.join(' ')).split(' '),
});
const onEach = (change: (number: number) => Partial<Member>): Readonly<Record<number, Partial<Member>>> => ({
  1: change(1),
  2: change(2),
  3: change(3),
});
const SERVICE = { unit: ['/etc/systemd/system/etcd.service'], environment: ['/etc/default/etcd'] };

test('three members that were made by hand', async () => {
  const second = (changes: Partial<Member>): Case => ({ members: { 2: changes } });
  const answers = (changes: Parameters<typeof healthy>[1], number = 2): Case => ({
    members: { [number]: { status: healthy(number, changes) } },
  });
  const pems = (changes: Readonly<Record<string, string>>, more: Partial<Member> = {}): Case =>
    second({ pems: { ...byHand(2).pems, ...changes }, ...more });
  const flags = (change: (argv: string) => string): Case => second(words(2, change));
  const inventory = (change: (text: string) => string): Case => ({ inventory: change });
  const own = (host: string, more: string): Case =>
    inventory((text) => text.replace(`${host}: { `, `${host}: { ${more}, `));
  const config = (text: string): Case =>
    second({
      argv: ['etcd', '--config-file', 'etcd.yml'],
      workingDirectory: '/etc/etcd',
      texts: { '/etc/etcd/etcd.yml': text },
    });
  const YAML = `name: node2
data-dir: /srv/etcd2
listen-client-urls: https://10.0.0.2:2379
advertise-client-urls: https://10.0.0.2:2379
client-transport-security:
  cert-file: ${SSL}/server.pem
  key-file: ${SSL}/server-key.pem
  trusted-ca-file: ${SSL}/ca.pem
`;
  const beside = { [SSL]: ['ca.pem', 'admin.pem', 'admin-key.pem', 'lost.crt', 'README'] };
  const cases: Readonly<Record<string, Case>> = {
    'the second is away': second({ away: true }),
    'the second runs none': second({ processes: () => [] }),
    'the second runs two': second({
      processes: (each) => [each, { ...each, pid: 8, startedBy: { kind: 'unit', unit: 'etcd2', files: SERVICE } }],
    }),
    'the second runs two, and one is chosen': {
      members: {
        2: {
          processes: (each) => [each, { ...each, pid: 8, startedBy: { kind: 'unit', unit: 'etcd2', files: SERVICE } }],
        },
      },
      inventory: (text) => text.replace('etcd-2: { ', 'etcd-2: { etcd_unit: etcd2.service, '),
    },
    'the second runs in a container': second({ startedBy: { kind: 'container' } }),
    'the second runs below the kubelet': second({ startedBy: { kind: 'unit', unit: 'kubelet', files: SERVICE } }),
    'the second runs in a session': second({ startedBy: { kind: 'other', cgroup: '/user.slice/1.scope' } }),
    'the second runs by another unit than it should': own('etcd-2', 'etcd_unit: mine'),
    'the second has no etcdctl': second({ etcdctl: undefined }),
    'all run by another unit': {
      members: onEach(() => ({ startedBy: { kind: 'unit', unit: 'etcd-member', files: SERVICE } })),
    },
    'its files were changed since': second({ changedAt: 201 }),
    'its files were changed as it started': second({ changedAt: 200 }),
    'when it started is not known': second({ startedAt: undefined as never }),
    'its program was replaced': second({ program: '/usr/bin/etcd (deleted)' }),
    'it speaks http': flags((argv) => argv.replaceAll('https:', 'http:')),
    'it signs its own certificate': flags((argv) => argv.replace(/--cert-file=\S+/, '--auto-tls')),
    'it has no certificate': flags((argv) => argv.replace(/ --cert-file=\S+/, '')),
    'it has no key': flags((argv) => argv.replace(/ --key-file=\S+/, '')),
    'it asks for no client certificates': flags((argv) => argv.replace(/ --trusted-ca-file=\S+/, '')),
    'it listens for itself alone': flags((argv) => argv.replaceAll('10.0.0.2:2379', '127.0.0.1:2379')),
    'it listens everywhere': flags((argv) =>
      argv.replace(/--listen-client-urls=\S+/, '--listen-client-urls=https://0.0.0.0:2379'),
    ),
    'it listens everywhere, and advertises nothing': flags((argv) =>
      argv
        .replace(/--listen-client-urls=\S+/, '--listen-client-urls=https://:2379')
        .replace(/ --advertise-client-urls=\S+/, ''),
    ),
    'it listens at another port': flags((argv) => argv.replaceAll(':2379', ':2479')),
    'it advertises a name': flags((argv) =>
      argv.replace(/--advertise-client-urls=\S+/, '--advertise-client-urls=https://etcd-2.example:2379'),
    ),
    'its flags are in two words': flags((argv) => argv.replaceAll('=', ' ').replaceAll('--', '-')),
    'it has no name and no place': flags((argv) => argv.replace(/ --name=\S+ --data-dir=\S+/, '')),
    'its paths are relative': second({
      ...words(2, (argv) => argv.replaceAll(`${SSL}/`, './').replace('/srv/etcd2', 'data')),
      workingDirectory: SSL,
    }),
    'it waits longer': flags((argv) => `${argv} --heartbeat-interval=250 --election-timeout 2500`),
    'all wait longer': {
      members: onEach((number) => words(number, (argv) => `${argv} --heartbeat-interval=250 --election-timeout 2500`)),
    },
    'it has its settings from variables': second({
      argv: ['/usr/bin/etcd'],
      environment: Object.fromEntries(
        byHand(2)
          .argv.slice(1)
          .map((word) => {
            const [flag = '', value = ''] = word.slice(2).split('=');
            return [`ETCD_${flag.toUpperCase().replaceAll('-', '_')}`, value];
          }),
      ),
      lines: { ETCD_NAME: 1 },
    }),
    'it has some from variables': second({
      ...words(2, (argv) => argv.replace(/ --name=\S+/, '')),
      environment: { ETCD_NAME: 'other', ETCD_DATA_DIR: '/lost' },
    }),
    'it has its settings from a file': config(YAML),
    'it has its settings from a file in which some are empty': config(
      YAML.replace('name: node2', 'name:').replace(/^data-dir.*$/m, 'data-dir: ""'),
    ),
    'its file is gone': second({ argv: ['etcd', '--config-file=/gone.yml'] }),
    'its certificate can not be read': pems({ [`${SSL}/server.pem`]: 'no certificate' }),
    'its certificate is of another': pems({ [`${SSL}/server.pem`]: pem('of a stranger') }),
    'its certificate names another': pems({ [`${SSL}/server.pem`]: pem('of another name') }),
    'its certificate names another, and its URL is known': {
      members: { 2: { pems: { ...byHand(2).pems, [`${SSL}/server.pem`]: pem('of another name') } } },
      inventory: (text) => text.replace('etcd-2: { ', 'etcd-2: { etcd_client_url: "https://elsewhere.example:2379", '),
    },
    'its certificate has its name': {
      members: {
        2: {
          pems: { ...byHand(2).pems, [`${SSL}/server.pem`]: pem('of a name') },
          ...words(2, (argv) =>
            argv.replace(/--advertise-client-urls=\S+/, '--advertise-client-urls=https://etcd-2.example:2379'),
          ),
        },
      },
    },
    'its certificate is of RSA': pems({ [`${SSL}/server.pem`]: pem('with RSA') }),
    'it trusts two': pems({ [`${SSL}/ca.pem`]: pem('ca') + pem('other-ca') }),
    'it trusts nobody': pems({ [`${SSL}/ca.pem`]: '' }),
    'it trusts another': pems({ [`${SSL}/ca.pem`]: pem('other-ca') }),
    'all of it is of another authority': pems({
      [`${SSL}/ca.pem`]: pem('other-ca'),
      [`${SSL}/server.pem`]: pem('of a stranger'),
    }),
    'its certificate is for servers, and nothing else is there': pems({ [`${SSL}/server.pem`]: pem('for servers') }),
    'its certificate is for servers, and one for clients is beside it': pems(
      { [`${SSL}/server.pem`]: pem('for servers'), [`${SSL}/admin.pem`]: pem('client') },
      { names: beside, accepts: [`${SSL}/admin.pem`] },
    ),
    'what is beside it is of another': pems(
      { [`${SSL}/server.pem`]: pem('for servers'), [`${SSL}/admin.pem`]: pem('client of a stranger') },
      { names: beside },
    ),
    'what is beside it has ended': pems(
      { [`${SSL}/server.pem`]: pem('for servers'), [`${SSL}/admin.pem`]: pem('expired') },
      { names: beside },
    ),
    'nothing is accepted': second({ accepts: [] }),
    'kubeadm has a pair there': pems(
      { [`${SSL}/server.pem`]: pem('for servers'), [`${KUBEADM}/healthcheck-client.crt`]: pem('client') },
      { accepts: [`${KUBEADM}/healthcheck-client.crt`] },
    ),
    'a pair is known': {
      members: {
        2: { pems: { ...byHand(2).pems, '/c.crt': pem('client') }, accepts: ['/c.crt', `${SSL}/server.pem`] },
      },
      inventory: (text) =>
        text.replace('etcd-2: { ', 'etcd-2: { etcd_client_cert_file: /c.crt, etcd_client_key_file: /c.key, '),
    },
    'it cannot commit': answers({ isHealthy: false }),
    'it is a learner': answers({ isLearner: true }),
    'two alarms are raised': answers({ alarms: ['NOSPACE', 'CORRUPT'] }),
    'it is of another cluster': answers({ clusterId: '88' }),
    'it is the same as the third': answers({ memberId: '3' }),
    'there is a fourth': answers(
      {
        members: [...healthy(1).members, { id: '4', name: '', peerUrls: ['https://10.0.0.4:2380'], isLearner: false }],
      },
      1,
    ),
    'there is a learner': answers(
      { members: [...healthy(1).members, { id: '4', name: 'm4', peerUrls: [], isLearner: true }] },
      1,
    ),
    'its peers ask at another port': answers({
      members: healthy(1).members.map((each) => ({ ...each, peerUrls: ['https://10.0.0.2:2480'] })),
    }),
    'its peers ask nowhere': answers({ members: [] }),
    'ssh goes another way': inventory((text) => text.replace('10.0.0.2 }', 'bastion.example }')),
    'it has an address of its own': inventory((text) => text.replace('10.0.0.2 }', 'bastion.example, ip: 10.0.0.2 }')),
    'the inventory has some of it': own('etcd-2', 'etcd_member_name: node2, etcd_cert_file: /etc/ssl/etcd/server.pem'),
    'the inventory has something else': own('etcd-2', 'etcd_member_name: other, etcd_managed: true'),
    'the inventory has what can not be': own('etcd-2', 'etcd_client_url: 7'),
    'others balance': inventory(
      (text) =>
        `${text}    etcd_lb:\n      vars: { etcd_lb_port: 2378 }\n      hosts:\n        lb-1: { ansible_host: 10.0.0.9 }\n`,
    ),
    'nobody is in the group': inventory(() => 'all:\n  hosts: { a: {} }\n'),
    'one is not in the group': inventory((text) => text.replace(/.*etcd-3.*\n/, '')),
    'another authority is in the store': {
      store: { certificate: () => pem('other-ca'), trustBundle: () => pem('other-ca') },
    },
    'its authority is in the store': { store: { certificate: () => pem('ca'), trustBundle: () => pem('ca') } },
    'provision has made it': {
      store: { certificate: () => pem('ca'), trustBundle: () => pem('ca') },
      inventory: (text) => text.replace('etcd-1: { ', 'etcd-1: { etcd_pki_dir: /own, '),
      members: {
        1: {
          ...words(1, (argv) => argv.replace(`${SSL}/server.pem`, '/own/server.crt')),
          pems: { ...byHand(1).pems, '/own/server.crt': pem('server-1') },
          accepts: ['/own/server.crt'],
        },
      },
    },
  };
  const made = Object.fromEntries([1, 2, 3].map((number) => [`etcd-${number}`, byHand(number)]));
  expectGolden('fixtures/adopt/by-hand.txt', await told(OF_HAND, made, cases));
});

test('three members that kubeadm has stacked, and two hosts that are to join them', async () => {
  const second = (changes: Partial<Member>): Case => ({ members: { 2: changes } });
  const joins = byHand(1).argv;
  const members = [
    ...[1, 2, 3].map((number) => ({
      id: `${number}`,
      name: `cp-${number}`,
      peerUrls: [`https://10.0.0.1${number}:2380`],
      isLearner: false,
    })),
    { id: '4', name: 'etcd-1', peerUrls: ['https://10.0.0.1:2380'], isLearner: true },
  ];
  const cases: Readonly<Record<string, Case>> = {
    'one is away': second({ away: true }),
    'one runs none': second({ processes: () => [] }),
    'one has no manifest': second({ texts: {} }),
    'one has two manifests': second({
      texts: { ...stacked(2).texts, [MANIFEST.replace('etcd.', 'copy.')]: stacked(2).texts?.[MANIFEST] ?? '' },
    }),
    'one has no etcdctl': second({ etcdctl: undefined }),
    'one has its manifest elsewhere': {
      members: { 2: { texts: { '/srv/manifests/etcd.yaml': stacked(2).texts?.[MANIFEST] ?? '' } } },
      inventory: (text) => text.replace('cp-2: { ', 'cp-2: { etcd_manifest: /srv/manifests/etcd.yaml, '),
    },
    'one does not listen at 127.0.0.1': second(stackedWith(2, (argv) => argv.replace('https://127.0.0.1:2379,', ''))),
    'one has a larger quota': second(stackedWith(2, (argv) => `${argv} --quota-backend-bytes=8589934592`)),
    'one is asked as the API server': second({
      pems: {
        ...stacked(2).pems,
        [`${KUBEADM}/healthcheck-client.crt`]: '',
        '/etc/kubernetes/pki/apiserver-etcd-client.crt': pem('client'),
      },
      accepts: ['apiserver-etcd-client.crt'],
    }),
    'one has its files elsewhere': second({
      ...stackedWith(2, (argv) => argv.replaceAll(KUBEADM, '/srv/pki').replace('/var/lib/etcd', '/srv/data')),
      pems: {
        '/srv/pki/server.crt': pem('stacked-2'),
        '/srv/pki/ca.crt': pem('ca'),
        '/srv/pki/peer.crt': pem('client'),
      },
      accepts: ['/srv/pki/peer.crt'],
    }),
    'ssh goes another way': { inventory: (text) => text.replace('10.0.0.12 }', 'bastion.example }') },
    'one that is to join runs an etcd': { members: { 4: { processes: (own) => [{ ...own, argv: joins, pid: 9 }] } } },
    'one that is to join is away': { members: { 4: { away: true } } },
    'one that is to join is a member': {
      members: { 1: { status: healthy(1, { members }) }, 4: { processes: (own) => [{ ...own, argv: joins }] } },
    },
    'nobody is to join': { inventory: (text) => text.replace(/ {4}etcd:\n[^]*/, '') },
  };
  const made = {
    ...Object.fromEntries([1, 2, 3].map((number) => [`cp-${number}`, stacked(number)])),
    'etcd-1': { ...byHand(1), processes: () => [] },
    'etcd-2': { ...byHand(2), processes: () => [] },
  };
  expectGolden('fixtures/adopt/stacked.txt', await told(OF_KUBEADM, made, cases));
});

/** A stacked member whose command line is another one. */
function stackedWith(number: number, change: (argv: string) => string): Partial<Member> {
  const argv = change(stacked(number).argv.join(' ')).split(' ');
  return {
    argv,
    texts: { [MANIFEST]: JSON.stringify({ kind: 'Pod', spec: { containers: [{ name: 'etcd', command: argv }] } }) },
  };
}
