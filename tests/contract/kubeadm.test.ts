// What kubeadm is given to do on hosts, in a real shell: kubeadm, kubectl, curl and systemd are stand-ins that write down how they are called.
import { createHash, createPublicKey } from 'node:crypto';
import { statSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { deleteFormerNode, removeForGood, resetFormerNode } from '../../src/shell/former-node.js';
import { backupDirectory, BACKUP_ROOT } from '../../src/shell/kept-copy.js';
import {
  beginKubernetes,
  finishKubernetes,
  inviteHost,
  joinHost,
  type JoiningHost,
  KUBEADM_MARK,
  MADE_CERTIFICATES,
  revokeInvitation,
} from '../../src/shell/kubeadm.js';
import { scriptHost, type ScriptHost } from '../support/script-host.js';
import { authorityFrom, TODAY } from '../support/test-authority.js';

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const ETCD = { url: 'https://10.0.0.1:2379', ca: '/e/ca', certificate: '/e/crt', key: "/e/it's" };
const CONFIG = 'token: "@token@"\nkind: \\n%s "x"';

let host: ScriptHost;

/** Each call of kubeadm says what it read, what was noted by then, and the kubeconfig that it would use. */
const SAYS = 'called "  $(cat "$last") | $(cat "$mark" 2>/dev/null) | $KUBECONFIG"';

function kubeadm(lines = ''): void {
  const before = `for last; do :; done; mark='${host.at(KUBEADM_MARK)}'; case "$*" in *' --config /dev/stdin') ${SAYS} ;; esac`;
  host.program('kubeadm', `${before}\n${lines}\necho noise`);
}

function curl(answer: string): void {
  host.program('curl', `called "  $(cat)"; printf '%s' '${answer}'`);
}

beforeEach(() => {
  host = scriptHost('kubeadm', ['/var/lib/provision', '/etc/kubernetes', '/run/provision', BACKUP_ROOT]);
  host.put('/var/lib/x', '');
  for (const name of ['sync', 'systemctl', 'kubectl']) host.program(name);
  kubeadm();
  curl('{"header":{"revision":"3"}}');
});

const ADMIN = '/etc/kubernetes/admin.conf';
const NOTED = 'sync /var/lib/provision/kubernetes /var/lib/provision';
const ASKED = [
  "curl -sS --max-time 20 --noproxy * --cacert /e/ca --cert /e/crt --key /e/it's --data-binary @- https://10.0.0.1:2379/v3/kv/range",
  '  {"key":"L3JlZ2lzdHJ5Lw==","range_end":"L3JlZ2lzdHJ5MA==","keys_only":true,"limit":"1"}',
];
const TOKEN = /token: "([0-9a-f]{6}\.[0-9a-f]{16})"/g;

/** What was called, with a token as `ID.SECRET`, and how many tokens there were. */
function called(calls: readonly string[]): { readonly text: string; readonly tokens: readonly string[] } {
  const text = calls.join('\n');
  const tokens = [...new Set([...text.matchAll(TOKEN)].map(([, token = '']) => token))];
  return { text: tokens.reduce((all, token) => all.replaceAll(token, 'ID.SECRET'), text), tokens };
}

/** A call of kubeadm that reads its configuration. */
function phase(words: string, noted: string): readonly string[] {
  return [
    `kubeadm ${words} --config /dev/stdin`,
    ...`  token: "ID.SECRET"\nkind: \\n%s "x" | ${noted} | ${ADMIN}`.split('\n'),
  ];
}

describe('the first control plane', () => {
  const begin = () => host.run(beginKubernetes(ETCD).script, CONFIG);
  const PHASES = [
    NOTED,
    'systemctl enable --quiet kubelet.service',
    ...['certs all', 'kubeconfig all', 'kubelet-start', 'control-plane all'].flatMap((words) =>
      phase(`init phase ${words}`, 'begun'),
    ),
    NOTED,
  ];

  test('is begun where etcd holds no Kubernetes, with a token of its own, and noted before anything is made', () => {
    const { status, calls } = begin();
    const { text, tokens } = called(calls);
    expect({ status, tokens: tokens.length }).toEqual({ status: 0, tokens: 1 });
    expect(text.split('\n')).toEqual([...ASKED, ...phase('init phase preflight', ''), ...PHASES]);
    expect(host.text(KUBEADM_MARK)).toBe('serving\n');
    expect(statSync(host.at('/var/lib/provision')).mode & 0o777).toBe(0o700);
    expect(called(begin().calls).tokens).not.toEqual(tokens);
  });

  test('that was begun before is not asked about again', () => {
    host.put(KUBEADM_MARK, 'begun\n');
    const { status, calls } = begin();
    expect(status).toBe(0);
    expect(called(calls).text.split('\n')).toEqual(PHASES);
  });

  test.each([
    [
      'etcd holds a Kubernetes',
      '{"header":{},"kvs":[{"key":"L3I="}]}',
      'etcd holds a Kubernetes already: it would be overwritten\n',
    ],
    ['etcd says something else', 'no %s', 'etcd gives no answer that can be read: no %s\n'],
    ['etcd says nothing', '', 'etcd gives no answer that can be read: \n'],
  ])('is not begun where %s', (_, answer, stderr) => {
    curl(answer);
    expect(begin()).toMatchObject({ status: 1, stderr, calls: ASKED });
    expect(host.text(KUBEADM_MARK)).toBeUndefined();
  });

  test('is not noted where kubeadm refuses the host, and stays noted where a later phase fails', () => {
    kubeadm('case "$*" in *preflight*) exit 2 ;; esac');
    expect(begin().status).toBe(2);
    expect(host.text(KUBEADM_MARK)).toBeUndefined();
    kubeadm('case "$*" in *kubelet-start*) exit 3 ;; esac');
    const { status, calls } = begin();
    expect([status, calls.filter((line) => line.includes('control-plane'))]).toEqual([3, []]);
    expect(host.text(KUBEADM_MARK)).toBe('begun\n');
  });

  test.each([
    ['is finished', '', 0, undefined],
    ['stays noted where that fails', 'case "$*" in init*) exit 4 ;; esac', 4, 'serving\n'],
    ['is finished where its token is gone already', 'case "$*" in token*) exit 5 ;; esac', 0, undefined],
  ])('%s, and its token is deleted', (_, lines, status, mark) => {
    host.put(KUBEADM_MARK, 'serving\n');
    kubeadm(lines);
    const ended = host.run(finishKubernetes().script, CONFIG);
    const { text, tokens } = called(ended.calls);
    expect([ended.status, host.text(KUBEADM_MARK)]).toEqual([status, mark]);
    const [id = ''] = tokens[0]?.split('.') ?? [];
    expect(text.split('\n')).toEqual([
      ...phase(
        'init --skip-phases=preflight,certs,kubeconfig,kubelet-start,control-plane,etcd --skip-token-print',
        'serving',
      ),
      ...(status === 0 ? ['sync /var/lib/provision'] : []),
      `kubeadm token delete ${id}`,
    ]);
  });
});

const WORKER: JoiningHost = { name: 'w-1', address: '10.0.0.9', kind: 'worker', isHalfJoined: false };
const PLANE: JoiningHost = { name: 'cp-2', address: '10.0.0.12', kind: 'control-plane', isHalfJoined: false };

describe('a host that joins', () => {
  let authority: string;
  let digest: string;
  beforeAll(async () => {
    authority = (await authorityFrom(TODAY)).certificatePem;
    const key = createPublicKey(authority).export({ type: 'spki', format: 'der' });
    digest = `sha256:${createHash('sha256').update(key).digest('hex')}`;
  });
  beforeEach(() => {
    host.put('/etc/kubernetes/pki/ca.crt', authority);
    kubeadm(
      `[ "$*" != 'token list' ] || { printf 'TOKEN TTL\\naaaaaa.0123 23h provision: w-1 joins\\nbbbbbb.0123 23h provision: cp-2 joins\\n'; exit 0; }`,
    );
    answerKubectl('', '');
  });

  /** What kubectl says of the owner of the uploaded certificates, and at which addresses a node is. */
  function answerKubectl(owner: string, addresses: string): void {
    host.program(
      'kubectl',
      `case "$*" in *ownerReferences*) printf '%s' '${owner}' ;; 'get node '*) printf '%s' '${addresses}' ;; *) echo noise ;; esac`,
    );
  }

  const forgotten = (id: string) => ['kubeadm token list', `kubeadm token delete ${id}`];
  const CERTIFICATES = 'kubectl -n kube-system get secret kubeadm-certs --ignore-not-found';
  const OWNED = `${CERTIFICATES} -o jsonpath={.metadata.ownerReferences[*].name}`;
  const DELETED = 'kubectl -n kube-system delete secret kubeadm-certs --ignore-not-found';
  const made = (words: string) => [`kubeadm ${words} --config /dev/stdin`, `  {"x": 1} |  | ${ADMIN}`];
  const invite = (joining: JoiningHost) => host.run(inviteHost(joining).script, '{"x": 1}');

  test('is let in as a worker: its earlier token goes, a new one comes, and what it prints stays there', () => {
    const { status, stdout, calls } = invite(WORKER);
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${digest}\n` });
    expect(calls).toEqual([...forgotten('aaaaaa'), ...made('token create')]);
  });

  test('is let in as a control plane: with certificates, but none for etcd', () => {
    answerKubectl('bootstrap-token-x', '');
    const { status, stdout, calls } = invite(PLANE);
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${digest}\n` });
    expect(calls).toEqual([
      ...forgotten('bbbbbb'),
      OWNED,
      DELETED,
      'kubectl -n kube-system delete secret bootstrap-token-x --ignore-not-found',
      ...made('token create'),
      ...made('init phase upload-certs --upload-certs'),
      'kubectl -n kube-system patch secret kubeadm-certs --type merge -p {"data":{"external-etcd-ca.crt":"","external-etcd.crt":"","external-etcd.key":""}}',
    ]);
  });

  const NODE = `-o jsonpath={.status.addresses[?(@.type=="InternalIP")].address}`;

  test.each([
    ['is not there', '', []],
    ['is at its address', '10.0.0.9', ['kubectl delete node w-1 --ignore-not-found']],
    ['has its address among others', 'fd00::1 10.0.0.9 fd00::2', ['kubectl delete node w-1 --ignore-not-found']],
  ])('a second time, where its node %s', (_, addresses, deleted) => {
    answerKubectl('', addresses);
    const { status, calls } = invite({ ...WORKER, isHalfJoined: true });
    const asked = [`kubectl get node w-1 --ignore-not-found ${NODE}`, ...deleted];
    expect({ status, calls }).toEqual({
      status: 0,
      calls: [...forgotten('aaaaaa'), ...asked, ...made('token create')],
    });
  });

  test.each(['10.0.0.99', '110.0.0.9', '10.0.0.90 10.0.0.8'])(
    'a node of its name that is at %s is another machine',
    (at) => {
      answerKubectl('', at);
      const stderr = 'node w-1 is of another machine than 10.0.0.9: not deleted\n';
      expect(invite({ ...WORKER, isHalfJoined: true })).toMatchObject({ status: 1, stdout: '', stderr });
      const { status, calls } = host.run(deleteFormerNode(WORKER).script);
      expect({ status, calls }).toEqual({ status: 1, calls: [`kubectl get node w-1 --ignore-not-found ${NODE}`] });
    },
  );

  test('and is forgotten again, by the same words', () => {
    expect(host.run(revokeInvitation(WORKER).script).calls).toEqual(forgotten('aaaaaa'));
    host.program('kubeadm', `printf '%s\\n' "$KUBECONFIG" >'${host.at('/used')}'`);
    expect(host.run(revokeInvitation(PLANE).script)).toMatchObject({
      status: 0,
      stdout: '',
      calls: ['kubeadm token list', OWNED, DELETED],
    });
    expect(host.text('/used')).toBe(`${host.at(ADMIN)}\n`);
  });

  test('joins, noted until it has', () => {
    const { status, calls } = host.run(joinHost(PLANE).script, '{"x": 1}');
    expect({ status, calls }).toEqual({
      status: 0,
      calls: [
        NOTED,
        'systemctl enable --quiet kubelet.service',
        'kubeadm join --config /dev/stdin',
        `  {"x": 1} | joining | ${ADMIN}`,
        'sync /var/lib/provision',
      ],
    });
    expect(host.text(KUBEADM_MARK)).toBeUndefined();
    kubeadm('exit 1');
    expect(host.run(joinHost(PLANE).script, '{"x": 1}').status).toBe(1);
    expect(host.text(KUBEADM_MARK)).toBe('joining\n');
  });

  const RESET = 'kubeadm reset --force --skip-phases remove-etcd-member --cert-dir /run/provision/none';
  const KEPT = ['apiserver-etcd-client.crt', 'apiserver-etcd-client.key', 'etcd/ca.crt'];

  function putCertificates(): void {
    for (const name of [...MADE_CERTIFICATES.split(' '), ...KEPT]) host.put(`/etc/kubernetes/pki/${name}`, 'x');
  }
  const left = (): readonly string[] =>
    [...MADE_CERTIFICATES.split(' '), ...KEPT].filter((name) => host.text(`/etc/kubernetes/pki/${name}`) !== undefined);

  test('that was half joined loses what kubeadm made first, and keeps what is for etcd', () => {
    putCertificates();
    const { status, calls, stdout } = host.run(joinHost({ ...PLANE, isHalfJoined: true }).script, '{"x": 1}');
    expect({ status, calls: calls.slice(0, 3) }).toEqual({
      status: 0,
      calls: [NOTED, RESET, 'systemctl enable --quiet kubelet.service'],
    });
    expect(left()).toEqual(KEPT);
    expect(stdout).toBe('noise\n');
  });

  describe('and leaves for good', () => {
    const reset = () => host.run(resetFormerNode().script);
    const DISABLED = ['systemctl disable --quiet kubelet.service', RESET, 'sync /var/lib/provision'];
    const ACTIVE = 'systemctl is-active --quiet kubelet.service';

    test('ends its API server first, waits for it, and keeps what is for etcd', () => {
      putCertificates();
      host.put(MANIFEST, 'x');
      host.program('sleep', `called "  $(cat '${host.at(KUBEADM_MARK)}')"; : >'${host.at('/ended')}'`);
      host.program('grep', `[ ! -e '${host.at('/ended')}' ]`);
      const asked = 'grep -qlx kube-apiserver /proc/';
      const { status, stdout, calls } = reset();
      expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
      expect(calls.map((line) => (line.startsWith(asked) ? asked : line))).toEqual([
        NOTED,
        ACTIVE,
        asked,
        'sleep 1',
        '  leaving',
        asked,
        ...DISABLED,
      ]);
      expect([host.text(MANIFEST), left(), host.text(KUBEADM_MARK)]).toEqual([undefined, KEPT, undefined]);
    });

    test('does not wait for ever', () => {
      host.put(MANIFEST, 'x');
      host.program('sleep');
      host.program('grep');
      const { status, calls } = reset();
      expect([status, calls.filter((line) => line === 'sleep 1').length]).toEqual([0, 60]);
    });

    test.each([
      ['there is no API server', '', false, []],
      ['no kubelet runs that would end it', 'case $1 in is-active) exit 3 ;; esac', true, [ACTIVE]],
    ])('waits for nothing where %s', (_, systemctl, isPlane, asked) => {
      if (isPlane) host.put(MANIFEST, 'x');
      host.program('systemctl', systemctl);
      expect(reset()).toMatchObject({ status: 0, calls: [NOTED, ...asked, ...DISABLED] });
    });

    test('and its node is deleted', () => {
      answerKubectl('', '10.0.0.9');
      host.program('env');
      const { status, stdout, calls } = host.run(`${deleteFormerNode(WORKER).script}\nprintf %s "$KUBECONFIG"`);
      expect({ status, stdout }).toEqual({ status: 0, stdout: ADMIN });
      expect(calls.at(-1)).toBe('kubectl delete node w-1 --ignore-not-found');
    });
  });
});

test('files are removed with every copy that was kept of them, and nothing else', () => {
  const copyOf = (path: string): string => `${backupDirectory(path)}/20261127T000000.000Z.1`;
  const [paths, other] = [['/etc/kubernetes/pki/it s.key', '/etc/kubernetes/b.key'], '/etc/kubernetes/pki/other'];
  const gone = paths.flatMap((path) => [path, copyOf(path)]);
  for (const path of [...gone, other, copyOf(other)]) host.put(path, 'x');
  expect(host.run(removeForGood(paths).script)).toMatchObject({ status: 0, stderr: '' });
  expect(gone.map((path) => host.text(path))).toEqual([undefined, undefined, undefined, undefined]);
  expect([host.text(other), host.text(copyOf(other))]).toEqual(['x', 'x']);
  expect(host.run(removeForGood(paths).script).status).toBe(0);
  // The file stays where its copies do: the next run sees it.
  for (const path of paths) host.put(path, 'x');
  host.program('rm', 'case $1 in -rf) exit 1 ;; esac; exec /bin/rm "$@"');
  expect(host.run(removeForGood(paths).script).status).toBe(1);
  expect(paths.map((path) => host.text(path))).toEqual(['x', 'x']);
});
