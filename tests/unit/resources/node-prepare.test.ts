import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { kernelModules } from '../../../src/facts/kernel-modules.js';
import { NODE, nodeOutline, type NodeOutline } from '../../../src/facts/node-outline.js';
import { ALL_SWAPS, swaps, type SwapUnit } from '../../../src/facts/swaps.js';
import { changed, UNCHANGED, type Change, type Outcome, type Resource } from '../../../src/model/change.js';
import { heldPackages } from '../../../src/resources/held-packages.js';
import { loadedModules } from '../../../src/resources/loaded-modules.js';
import { nodePreflight } from '../../../src/resources/node-preflight.js';
import { swapOff } from '../../../src/resources/swap-off.js';
import { fakeProbe, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { sampleNode } from '../../support/sample-cluster.js';

const ROOT_FILE = { kind: 'file', owner: 'root', group: 'root', mode: '0644', changedAt: 0 };

async function changeOf(resource: Resource, answers: FakeAnswers): Promise<Change | undefined> {
  const outcome = await resource.plan(fakeProbe(answers));
  return outcome.kind === 'change' ? outcome.change : undefined;
}

/** What is done, and how it is taken back. */
function deeds(change: Change | undefined): readonly (readonly [string, unknown])[] {
  return (change?.actions ?? []).map((action) => {
    if (action.kind === 'write-file') return [action.content.reveal(), 'file'];
    if (action.kind !== 'run') return [action.kind, undefined];
    const { undo } = action;
    return [action.command.script, typeof undo === 'object' && 'script' in undo ? undo.script : undo];
  });
}

describe('swap', () => {
  const FSTAB = [
    'UUID=1 / ext4 defaults 0 1',
    '/swap.img\tnone\tswap\tsw\t0\t0',
    '# UUID=2 none swap sw 0 0',
    '  LABEL=s none swap defaults',
    '//server/swap /mnt/swap cifs swap 0 0',
    '',
  ].join('\n');
  const answers = (active: readonly string[], units: readonly SwapUnit[], fstab: string | undefined): FakeAnswers => ({
    swaps: { [ALL_SWAPS]: { active, units } },
    'file-contents': { '/etc/fstab': fstab, '/var/lib/kubelet/config.yaml': undefined },
    'file-states': { '/etc/fstab': fstab === undefined ? { kind: 'absent' } : ROOT_FILE },
  });
  const unit = (name: string, changes: Partial<SwapUnit> = {}): SwapUnit => ({
    unit: name,
    file: `/run/systemd/generator/${name}`,
    source: '',
    state: 'generated',
    ...changes,
  });

  test('lines of fstab stay as comments, and just those of swap', async () => {
    const [written] = deeds(await changeOf(swapOff(), answers([], [], FSTAB)));
    expect(written?.[0]).toBe(
      [
        'UUID=1 / ext4 defaults 0 1',
        '# provision: no swap under Kubernetes: /swap.img\tnone\tswap\tsw\t0\t0',
        '# UUID=2 none swap sw 0 0',
        '# provision: no swap under Kubernetes:   LABEL=s none swap defaults',
        '//server/swap /mnt/swap cifs swap 0 0',
        '',
      ].join('\n'),
    );
    expect(await changeOf(swapOff(), answers([], [], written?.[0]))).toBeUndefined();
  });

  test('stays on a node whose kubelet is set up for it', async () => {
    const tolerant = (text: string): FakeAnswers => ({
      ...answers(['/dev/sda2'], [unit('dev-gpt.swap')], FSTAB),
      'file-contents': { '/etc/fstab': FSTAB, '/var/lib/kubelet/config.yaml': text },
    });
    expect(await changeOf(swapOff(), tolerant('kind: KubeletConfiguration\nfailSwapOn: false\n'))).toBeUndefined();
    expect(await changeOf(swapOff(), tolerant('failSwapOn: true\n'))).toBeDefined();
  });

  test('what is on is turned off, and on again where the run fails', async () => {
    const change = await changeOf(swapOff(), answers(['/dev/sda2', '/my swap'], [], undefined));
    expect(deeds(change)).toEqual([["swapoff -- /dev/sda2 '/my swap'", "swapon -- /dev/sda2 '/my swap'"]]);
    expect(change?.diff).toEqual(['- swap on /dev/sda2', '- swap on /my swap']);
  });

  test('units are masked, or disabled where a mask would take the place of their own file', async () => {
    const units = [
      unit('dev-gpt.swap'),
      unit('swapfile.swap', { file: '/etc/systemd/system/swapfile.swap', state: 'enabled' }),
      unit('idle.swap', { file: '/etc/systemd/system/idle.swap', state: 'disabled' }),
      unit('fstab.swap', { source: '/etc/fstab' }),
      unit('hand.swap', { file: '', state: '' }),
      unit('masked.swap', { state: 'masked' }),
    ];
    expect(deeds(await changeOf(swapOff(), answers([], units, undefined)))).toEqual([
      ['systemctl --quiet mask -- dev-gpt.swap', 'systemctl --quiet unmask -- dev-gpt.swap'],
      ['systemctl --quiet disable -- swapfile.swap', 'systemctl --quiet enable -- swapfile.swap'],
    ]);
    expect(await changeOf(swapOff(), answers([], units.slice(2), undefined))).toBeUndefined();
  });

  test('as a host shows it', () => {
    const text =
      'A /dev/dm-1\nA /a\\040b\nU\nId=a.swap\nFragmentPath=/run/a.swap\nSourcePath=/etc/fstab\nUnitFileState=generated\n\nId=b.swap\nFragmentPath=\nSourcePath=\nUnitFileState=\n';
    expect(swaps.parse(text, [ALL_SWAPS]).get(ALL_SWAPS)).toEqual({
      active: ['/dev/dm-1', '/a b'],
      units: [
        { unit: 'a.swap', file: '/run/a.swap', source: '/etc/fstab', state: 'generated' },
        { unit: 'b.swap', file: '', source: '', state: '' },
      ],
    });
    expect(swaps.parse('U\n', [ALL_SWAPS]).get(ALL_SWAPS)).toEqual({ active: [], units: [] });
  });
});

describe('kernel modules', () => {
  const KEPT = '# Kept by provision.\noverlay\nbr_netfilter\n';
  const kept = { ...ROOT_FILE, sha256: createHash('sha256').update(KEPT).digest('hex') };
  const modules = loadedModules({ modules: ['overlay', 'br_netfilter'], file: '/m.conf' });
  const answers = (overlay: string, bridge: string, state: unknown): FakeAnswers => ({
    'kernel-modules': { overlay, br_netfilter: bridge },
    'file-states': { '/m.conf': state },
  });

  test.each([
    ['there', 'there', kept, undefined],
    ['there', 'there', { kind: 'absent' }, [KEPT]],
    ['there', 'loadable', kept, ['modprobe -a -- br_netfilter']],
    ['loadable', 'loadable', { kind: 'absent' }, [KEPT, 'modprobe -a -- overlay br_netfilter']],
  ])('overlay is %s, br_netfilter %s', async (overlay, bridge, state, expected) => {
    const change = await changeOf(modules, answers(overlay, bridge, state));
    expect(change && deeds(change).map(([script]) => script)).toEqual(expected);
    const last = change?.actions.at(-1);
    if (last?.kind === 'run') expect(last.command.summary).toBe(expected?.at(-1)?.replace('-a -- ', ''));
  });

  test('as a host shows them', () => {
    expect([...kernelModules.parse('there\nmissing\n', ['a', 'b'])]).toEqual([
      ['a', 'there'],
      ['b', 'missing'],
    ]);
    expect(() => kernelModules.parse('there\n', ['a', 'b'])).toThrow('missing');
  });
});

test('packages that are installed are held, and no others', async () => {
  const packages = {
    kubelet: { installed: '1.30', held: false },
    kubeadm: { installed: '1.30', held: true },
    kubectl: { installed: undefined, held: false },
  };
  const change = await changeOf(heldPackages(['kubelet', 'kubeadm', 'kubectl']), { packages });
  expect(deeds(change)).toEqual([['apt-mark hold kubelet >/dev/null', 'apt-mark unhold kubelet >/dev/null']]);
  expect(await changeOf(heldPackages(['kubeadm', 'kubectl']), { packages })).toBeUndefined();
});

test('a package that the same run installs is held, too', async () => {
  const packages = { containerd: { installed: undefined, held: false } };
  const coming = (outcome: Outcome): Resource => ({ address: 'x', paths: [], plan: () => Promise.resolve(outcome) });
  const held = async (outcome: Outcome): Promise<Change | undefined> =>
    changeOf(heldPackages(['containerd', 'other'], { resource: coming(outcome), names: ['containerd'] }), {
      packages: { ...packages, other: packages.containerd },
    });
  const change = changed({ summary: '', diff: [], actions: [], effect: 'change', disruptive: false });
  expect(deeds(await held(change)).map(([script]) => script)).toEqual(['apt-mark hold containerd >/dev/null']);
  expect(await held(UNCHANGED)).toBeUndefined();
});

describe('what kubeadm would refuse is refused by the plan', () => {
  const outline = (changes: Partial<NodeOutline> = {}): NodeOutline => ({
    ...{ name: 'cp-1', cpus: 2, memoryMib: 1700, isContainer: false, timeServices: ['chrony'] },
    ...changes,
  });
  const [own, other, away] = [
    sampleNode('cp-1', 'control-plane'),
    sampleNode('worker-1', 'worker'),
    sampleNode('worker-2', 'worker'),
  ];
  const answers = (
    of: NodeOutline,
    ports: Readonly<Record<string, string>> = {},
    isJoined = false,
    bridge = 'loadable',
  ): FakeAnswers => ({
    'node-outline': { [NODE]: of },
    'kernel-modules': { br_netfilter: bridge },
    paths: { '/etc/kubernetes/kubelet.conf': isJoined },
    listeners: Object.fromEntries(
      ['6443', '10250', '10257', '10259'].map((port) => [
        port,
        ports[port] === undefined ? [] : [{ address: '*', port: Number(port), process: ports[port] }],
      ]),
    ),
  });
  async function refusal(of: FakeAnswers, name = 'worker-1', node = own): Promise<readonly string[]> {
    const others = { 'worker-1': answers(outline({ name })), 'worker-2': UNREACHABLE };
    const planned = nodePreflight(node, [own, other, away], ['br_netfilter']).plan(fakeProbe(of, others));
    const outcome = await planned.catch((error: unknown) => error);
    return outcome instanceof Error ? outcome.message.split('\n') : [];
  }

  test('a host that is fit has nothing to do', async () => {
    expect(await refusal(answers(outline()))).toEqual([]);
  });

  test('two hosts with one name', async () => {
    expect(await refusal(answers(outline()), 'CP-1')).toEqual([
      'cp-1 calls itself cp-1, and so does worker-1: they would be one node',
    ]);
  });

  test.each(['localhost', 'a_b', '-a'])('the name %s', async (name) => {
    expect(await refusal(answers(outline({ name })))).toEqual([
      expect.stringContaining(`calls itself ${name}, which is`),
    ]);
  });

  test('all that is wrong at once; sizes of a control plane only, and unless passed over', async () => {
    const small = answers(outline({ cpus: 1, memoryMib: 900 }), { '6443': 'haproxy', '10250': 'kubelet' });
    const port = 'cp-1 has haproxy on port 6443, which Kubernetes needs';
    const memory = 'cp-1 has 900 MiB of memory; a control plane needs 1700';
    expect(await refusal(small)).toEqual(['cp-1 has 1 processor; a control plane needs 2', memory, port]);
    expect(await refusal(small, 'worker-1', { ...own, ignoredChecks: ['NumCPU'] })).toEqual([memory, port]);
    expect(await refusal(small, 'worker-9', { ...own, kind: 'worker' })).toEqual([]);
  });

  test('a module that the kernel does not have', async () => {
    expect(await refusal(answers(outline(), {}, true, 'missing'))).toEqual([
      'cp-1 has no module br_netfilter for its kernel, which Kubernetes needs',
    ]);
  });

  test('a node that has joined has its ports, and its size is known', async () => {
    expect(await refusal(answers(outline({ cpus: 1 }), { '6443': 'haproxy' }, true))).toEqual([]);
  });

  test('a clock that nothing keeps right is reported, and no reason to refuse', async () => {
    const doubt = async (changes: Partial<NodeOutline>): Promise<string | undefined> =>
      nodePreflight(own, [own], []).doubt?.(fakeProbe(answers(outline(changes))));
    expect(await doubt({ timeServices: [] })).toContain('no service keeps its clock right');
    expect([await doubt({}), await doubt({ timeServices: [], isContainer: true })]).toEqual([undefined, undefined]);
  });

  test('as a host shows it', () => {
    const text =
      'H cp-1\nC 4\nM 2097152\ncontainer\nId=chrony.service\nActiveState=inactive\n\nId=systemd-timesyncd.service\nActiveState=active\n';
    expect(nodeOutline.parse(text, [NODE]).get(NODE)).toEqual({
      ...{ name: 'cp-1', cpus: 4, memoryMib: 2048, isContainer: true, timeServices: ['systemd-timesyncd'] },
    });
  });
});
