import { describe, expect, test } from '@jest/globals';
import type { KubeadmConfig } from '../../../src/facts/kubeadm-config.js';
import type { Command } from '../../../src/model/remote.js';
import {
  externalEndpoints,
  withCertSans,
  withExternalEndpoint,
  withExternalEtcd,
} from '../../../src/resources/cluster-configuration.js';
import { kubeadmCertSans, kubeadmConfigResource } from '../../../src/resources/kubeadm-config.js';
import { fakeProbe } from '../../support/fake-probe.js';

const VIP = 'https://10.0.0.100:2379';
const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';

function textOf({ stdin }: Command): string {
  return typeof stdin === 'string' ? stdin : '';
}

const KUBEADM = `apiServer:
  certSANs:
  - 10.0.0.11
etcd:
  external:
    caFile: /etc/kubernetes/pki/etcd/ca.crt
    endpoints:
    - https://10.0.0.1:2379
    - https://10.0.0.2:2379
    keyFile: /etc/kubernetes/pki/apiserver-etcd-client.key # by hand
kind: ClusterConfiguration
`;

describe('the endpoints in a ClusterConfiguration', () => {
  test('change alone: order, indentation and comments stay', () => {
    const after = withExternalEndpoint(KUBEADM, VIP);
    expect(after).toBe(KUBEADM.replace('    - https://10.0.0.1:2379\n    - https://10.0.0.2:2379\n', `    - ${VIP}\n`));
    expect(externalEndpoints(after)).toEqual([VIP]);
  });

  test.each([
    ['a list in one line', 'etcd: {external: {endpoints: ["https://a:1", b], caFile: x}}\n'],
    ['an empty list', 'etcd:\n  external:\n    endpoints: []\nkind: x\n'],
    ['a list at the end, without a line end', 'etcd:\n  external:\n    endpoints:\n      - a'],
  ])('change in %s', (_, text) => {
    expect(externalEndpoints(withExternalEndpoint(text, VIP))).toEqual([VIP]);
  });

  test('are none in a text that can not be read to its end', () => {
    expect(externalEndpoints(KUBEADM)).toEqual(['https://10.0.0.1:2379', 'https://10.0.0.2:2379']);
    for (const end of ['bad: [', 'kind: again\n', '\t- x\n']) expect(externalEndpoints(KUBEADM + end)).toBeUndefined();
  });

  test('change in a text with Windows line ends', () => {
    const text = KUBEADM.replaceAll('\n', '\r\n');
    expect(externalEndpoints(withExternalEndpoint(text, VIP))).toEqual([VIP]);
  });

  test.each([
    ['others use the list by its anchor', 'etcd: {external: {endpoints: &e [a, b]}}\nother: *e\n'],
    ['the list stands elsewhere', 'other: &e [a, b]\netcd: {external: {endpoints: *e}}\n'],
    ['they come with a merge', 'other: &e {endpoints: [a, b]}\netcd: {external: {<<: *e}}\n'],
    ['one of them is an alias', 'x: &a a\netcd: {external: {endpoints: [*a, b]}}\n'],
  ])('are not touched where %s', (_, text) => {
    expect(externalEndpoints(text)).toEqual(['a', 'b']);
    expect(() => withExternalEndpoint(text, VIP)).toThrow(
      expect.objectContaining({ code: 'kubeadm-config-unreadable' }),
    );
  });

  test.each(['', 'etcd: {local: {dataDir: /var/lib/etcd}}', 'etcd: {external: {endpoints: one}}', 'a: ['])(
    'are not there: %s',
    (text) => {
      expect(externalEndpoints(text)).toBeUndefined();
    },
  );
});

describe('kubeadm-config', () => {
  const plan = async (found: KubeadmConfig) =>
    kubeadmConfigResource(VIP, MANIFEST).plan(fakeProbe({ 'kubeadm-config': { 'kubeadm-config': found } }));

  test.each<readonly [KubeadmConfig, string | undefined, string | undefined]>([
    [
      { kind: 'refused', status: 403 },
      'kube-system/kubeadm-config may not be read (403): its etcd.external.endpoints is left as it is',
      'kube-system/kubeadm-config may not be read (403): its apiServer.certSANs is left as it is',
    ],
    // Without clients that move, a cluster that kubeadm did not make is nothing to tell of.
    [{ kind: 'absent' }, undefined, expect.stringContaining('apiServer.certSANs is set nowhere') as unknown as string],
    [{ kind: 'found', configuration: KUBEADM }, undefined, undefined],
  ])('a plan says what it leaves: %j', async (found, endpoints, names) => {
    const probe = fakeProbe({ 'kubeadm-config': { 'kubeadm-config': found } });
    expect(await kubeadmConfigResource(VIP, MANIFEST).doubt?.(probe)).toEqual(endpoints);
    expect(await kubeadmCertSans(['a.example']).doubt?.(probe)).toEqual(names);
  });

  test.each<readonly [string, KubeadmConfig]>([
    ['there is none', { kind: 'absent' }],
    ['nobody on the host may read it', { kind: 'refused', status: 403 }],
    ['it is right', { kind: 'found', configuration: withExternalEndpoint(KUBEADM, VIP) }],
  ])('needs nothing where %s', async (_, found) => {
    expect(await plan(found)).toEqual({ kind: 'unchanged' });
  });

  test('cannot be decided while no apiserver answers', async () => {
    expect(await plan({ kind: 'silent', reason: 'no kube-apiserver runs' })).toEqual({
      kind: 'unknown',
      because: "kube-system/kubeadm-config can't be read yet: no kube-apiserver runs",
    });
  });

  test('is changed only from what was read, and back only from what was written', async () => {
    const outcome = await plan({ kind: 'found', configuration: `# für alle\n${KUBEADM}` });
    if (outcome.kind !== 'change') throw new Error('nothing is changed');
    const after = withExternalEndpoint(`# für alle\n${KUBEADM}`, VIP);
    const path = '/data/ClusterConfiguration';
    expect(outcome.change.diff).toContain(`+    - ${VIP}`);
    const [action] = outcome.change.actions;
    if (action?.kind !== 'run' || typeof action.undo !== 'object' || 'lasting' in action.undo)
      throw new Error('nothing is run');

    expect(action.command.stdin).toMatch(/^[\x00-\x7f]+$/);
    expect(JSON.parse(textOf(action.command))).toEqual([
      { op: 'test', path, value: `# für alle\n${KUBEADM}` },
      { op: 'replace', path, value: after },
    ]);
    expect(JSON.parse(textOf(action.undo))).toEqual([
      { op: 'test', path, value: after },
      { op: 'replace', path, value: `# für alle\n${KUBEADM}` },
    ]);
  });
});

describe('a stacked etcd in a ClusterConfiguration', () => {
  const STACKED = `apiServer:
  extraArgs: {}
etcd:
  local:
    dataDir: /var/lib/etcd
    extraArgs: {quota-backend-bytes: '1'}
# by hand
kind: ClusterConfiguration
`;
  const files = { ca: '/a/ca.crt', certificate: '/a/client.crt', key: '/a/client.key' };

  test('becomes the external one, and nothing else changes', () => {
    expect(withExternalEtcd(STACKED, { url: VIP, files })).toBe(
      STACKED.replace(
        /  local:[^#]*(?=# by hand)/,
        `  external:\n    caFile: '/a/ca.crt'\n    certFile: '/a/client.crt'\n    endpoints:\n    - '${VIP}'\n    keyFile: '/a/client.key'\n`,
      ),
    );
  });

  test.each([
    ['at the end, without a line end', 'kind: x\netcd:\n  local:\n    dataDir: /d'],
    ['in one line', 'kind: x\netcd: {local: {dataDir: /d}}\nother: 1\n'],
    ['with Windows line ends', STACKED.replaceAll('\n', '\r\n')],
  ])('%s', (_, text) => {
    expect(externalEndpoints(withExternalEtcd(text, { url: VIP, files }))).toEqual([VIP]);
  });

  test.each([
    ['all of it stands in one line', '{kind: x, etcd: {local: {}}}\n'],
    ['it stands elsewhere', 'other: &e {local: {}}\netcd: *e\n'],
    ['others use it', 'etcd: &e {local: {}}\nother: *e\n'],
  ])('is not touched where %s', (_, text) => {
    expect(() => withExternalEtcd(text, { url: VIP, files })).toThrow(
      expect.objectContaining({ code: 'kubeadm-config-unreadable' }),
    );
  });

  test('is replaced with the files that the manifest of the API server names', async () => {
    const command = ['kube-apiserver', '--etcd-servers=https://127.0.0.1:2379', '--etcd-cafile=/own/ca.crt'];
    const manifest = JSON.stringify({ spec: { containers: [{ name: 'kube-apiserver', command }] } });
    const probe = fakeProbe({
      'kubeadm-config': { 'kubeadm-config': { kind: 'found', configuration: STACKED } },
      'file-contents': { [MANIFEST]: manifest },
    });
    const outcome = await kubeadmConfigResource(VIP, MANIFEST).plan(probe);
    if (outcome.kind !== 'change') throw new Error('nothing is changed');
    expect(outcome.change.summary).toContain('set etcd.external of kube-system/kubeadm-config');
    expect(outcome.change.diff).toEqual(
      expect.arrayContaining(["+    caFile: '/own/ca.crt'", `+    - '${VIP}'`, '-    dataDir: /var/lib/etcd']),
    );
  });
});

describe('the names of API servers in a ClusterConfiguration', () => {
  const NAMES = ['10.0.0.200', 'api.example.com'];

  test('are added at the end of their list, and all else stays', () => {
    expect(withCertSans(KUBEADM, NAMES)).toBe(
      KUBEADM.replace('  - 10.0.0.11\n', "  - 10.0.0.11\n  - '10.0.0.200'\n  - 'api.example.com'\n"),
    );
    expect(withCertSans(KUBEADM, ['10.0.0.11', '2001:db8::200'])).toContain(
      "  - 10.0.0.11\n  - '2001:db8::200'\netcd:",
    );
  });

  test('are added where there was no list, and no apiServer', () => {
    const without = KUBEADM.replace('  certSANs:\n  - 10.0.0.11\n', '  timeoutForControlPlane: 4m0s\n');
    expect(withCertSans(without, NAMES)).toBe(
      without.replace('apiServer:\n', "apiServer:\n  certSANs:\n  - '10.0.0.200'\n  - 'api.example.com'\n"),
    );
    expect(withCertSans('kind: ClusterConfiguration\n', NAMES)).toBe(
      "kind: ClusterConfiguration\napiServer:\n  certSANs:\n  - '10.0.0.200'\n  - 'api.example.com'\n",
    );
  });

  test.each([
    ['they are there', KUBEADM, ['10.0.0.11']],
    ['it is another object', KUBEADM.replace('ClusterConfiguration', 'InitConfiguration'), NAMES],
    ['it is nothing', '', NAMES],
    ['it is no YAML', 'a: [', NAMES],
  ])('need nothing where %s', (_, text, names) => {
    expect(withCertSans(text, names)).toBeUndefined();
  });

  test.each([
    ['the list is in one line', 'apiServer: {certSANs: [a]}\nkind: ClusterConfiguration\n'],
    ['apiServer is empty', 'apiServer: {}\nkind: ClusterConfiguration\n'],
    ['others use the list by its anchor', 'apiServer:\n  certSANs: &e\n  - a\nother: *e\nkind: ClusterConfiguration\n'],
    ['the list stands elsewhere', 'other: &e\n- a\napiServer: {certSANs: *e}\nkind: ClusterConfiguration\n'],
  ])('are left to a person where %s', (_, text) => {
    expect(() => withCertSans(text, NAMES)).toThrow(expect.objectContaining({ code: 'kubeadm-config-unreadable' }));
  });

  test('are left to a person before anything is tried where kubeadm would not have written it so', () => {
    for (const text of [
      'apiServer: {}\nkind: ClusterConfiguration\n',
      'apiServer: {certSANs: [a]}\nkind: ClusterConfiguration\n',
    ])
      expect(() => withCertSans(text, NAMES)).toThrow('apiServer is not written as kubeadm writes it');
  });

  test('are planned with their diff', async () => {
    const found: KubeadmConfig = { kind: 'found', configuration: KUBEADM };
    const outcome = await kubeadmCertSans(NAMES).plan(fakeProbe({ 'kubeadm-config': { 'kubeadm-config': found } }));
    expect(outcome).toMatchObject({
      kind: 'change',
      change: { summary: expect.stringContaining('set apiServer.certSANs of kube-system/kubeadm-config') as unknown },
    });
    expect(outcome.kind === 'change' ? outcome.change.diff : []).toContain("+  - '10.0.0.200'");
  });

  test.each<readonly [KubeadmConfig, string | undefined]>([
    [{ kind: 'absent' }, 'there is no kube-system/kubeadm-config, so apiServer.certSANs is set nowhere'],
    [{ kind: 'refused', status: 403 }, 'kube-system/kubeadm-config may not be read (403)'],
    [{ kind: 'silent', reason: 'no kube-apiserver runs' }, undefined],
    [{ kind: 'found', configuration: KUBEADM }, undefined],
  ])('are named where nothing can be changed: %j', async (found, told) => {
    const probe = fakeProbe({ 'kubeadm-config': { 'kubeadm-config': found } });
    const doubt = await kubeadmCertSans(NAMES).doubt?.(probe);
    if (told === undefined) expect(doubt).toBeUndefined();
    else expect(doubt).toContain(told);
  });
});
