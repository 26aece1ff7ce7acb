import { describe, expect, test } from '@jest/globals';
import type { FirewallTable } from '../../../src/facts/firewall-table.js';
import type { Outcome } from '../../../src/model/change.js';
import { plainContent } from '../../../src/model/content.js';
import { FIREWALL_FILE, FIREWALL_UNIT, FIREWALL_UNIT_FILE } from '../../../src/model/firewall.js';
import { firewall, firewallLetsIn, noFirewall } from '../../../src/resources/firewall.js';
import { nobodyCutOff } from '../../../src/resources/nobody-cut-off.js';
import { createHash } from 'node:crypto';
import { NOT_INSTALLED, RUNNING, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbe, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { expectRefused } from '../../support/refusals.js';

const RULES = '# Written by provision\ntable inet provision_etcd {}\n';
const UNIT = '# Written by provision\n[Unit]\n';
const OPTIONS = {
  rules: plainContent(RULES),
  unit: plainContent(UNIT),
  foreign: { replace: [], wayOut: 'rename it' },
  gate: 'firewall-lets-in',
  trial: { ports: [2379], keepalived: [] },
};
const LOADED: FirewallTable = { hasNft: true, loaded: 'table x\n', kept: 'table x\n', isOnTrial: false };
const ABSENT = { kind: 'absent' };

function file(text: string): unknown {
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { kind: 'file', owner: 'root', group: 'root', mode: '0644', sha256, changedAt: 1 };
}

/** A host that has all. */
function host(changes: { rules?: string; table?: FirewallTable; unit?: unknown; origin?: string } = {}): FakeAnswers {
  const { rules = RULES, table = LOADED, unit = RUNNING, origin = 'ours' } = changes;
  return {
    'file-states': { [FIREWALL_FILE]: file(rules), [FIREWALL_UNIT_FILE]: file(UNIT) },
    'file-contents': { [FIREWALL_FILE]: rules },
    'file-origins': { [FIREWALL_FILE]: { kind: origin, lines: 3 }, [FIREWALL_UNIT_FILE]: { kind: 'ours' } },
    'firewall-tables': { ours: table },
    units: { [FIREWALL_UNIT]: unit },
  };
}

const NO_TABLE: FirewallTable = { hasNft: true, loaded: undefined, kept: undefined, isOnTrial: false };
const BARE: FakeAnswers = {
  'file-states': { [FIREWALL_FILE]: ABSENT, [FIREWALL_UNIT_FILE]: ABSENT },
  'firewall-tables': { ours: NO_TABLE },
};

function changeOf(outcome: Outcome): { diff: string; kinds: readonly string[] } {
  if (outcome.kind !== 'change') throw new Error(outcome.kind);
  const { diff, actions } = outcome.change;
  return { diff: diff.join('\n'), kinds: actions.map(({ kind }) => kind) };
}

describe('the table of the firewall', () => {
  test('is left alone where it is loaded as its file says, now and at boot', async () => {
    expect(await firewall(OPTIONS).plan(fakeProbe(host()))).toEqual({ kind: 'unchanged' });
  });

  test.each([
    ['is not loaded', { table: { ...LOADED, loaded: undefined } }, ['because it is not loaded']],
    [
      'was changed by hand',
      { table: { ...LOADED, loaded: 'table y\n' } },
      [
        'because someone has changed it since it was loaded:',
        ...[`--- ${FIREWALL_FILE}`, `+++ ${FIREWALL_FILE}`, '@@ -1 +1 @@', '-table y', '+table x'],
      ],
    ],
    [
      'is on trial still',
      { table: { ...LOADED, isOnTrial: true } },
      ['because a run has loaded it that did not come to keep it'],
    ],
    ['is not loaded at boot', { unit: { ...RUNNING, enabled: false } }, ['because it is not loaded at boot']],
    ['was not loaded by its unit', { unit: STOPPED }, ['because provision-etcd-firewall has not loaded it']],
    [
      'was not loaded by its unit, and will not be at boot',
      { unit: { ...STOPPED, enabled: false } },
      ['because provision-etcd-firewall has not loaded it', 'because it is not loaded at boot'],
    ],
  ])('is loaded and proved anew where it %s', async (_, changes, reasons) => {
    const { diff, kinds } = changeOf(await firewall(OPTIONS).plan(fakeProbe(host(changes))));
    expect(diff).toBe(reasons.join('\n'));
    expect(kinds).toEqual(['run', 'await', 'run']);
  });

  test('lands in its file only when it was proved', async () => {
    const { diff, kinds } = changeOf(await firewall(OPTIONS).plan(fakeProbe(host({ rules: `${RULES}#\n` }))));
    expect(diff).toContain('-#');
    expect(kinds).toEqual(['run', 'await', 'write-file', 'run']);
  });

  test('lands with its unit, where that alone is another one', async () => {
    const own = host();
    const unit = { ...own['file-states'], [FIREWALL_UNIT_FILE]: file(`${UNIT}#\n`) };
    const contents = { ...own['file-contents'], [FIREWALL_UNIT_FILE]: `${UNIT}#\n` };
    const found = { ...own, 'file-states': unit, 'file-contents': contents };
    const { diff, kinds } = changeOf(await firewall(OPTIONS).plan(fakeProbe(found)));
    expect([diff.includes('-#'), kinds]).toEqual([true, ['run', 'await', 'write-file', 'run']]);
  });

  test('does not replace a file of others', async () => {
    const found = host({ rules: 'flush ruleset\n', origin: 'foreign' });
    await expectRefused(firewall(OPTIONS).plan(fakeProbe(found)), 'file-not-ours');
  });
});

describe('before new hosts come', () => {
  const wide = { ...OPTIONS, rules: plainContent(`${RULES}# wide\n`) };
  const plan = async (found: FakeAnswers) => firewallLetsIn(wide, [plainContent(RULES)]).plan(fakeProbe(found));

  test.each([
    ['there is no table', BARE],
    ['it lets in all that stay', host()],
    ['it lets in those that leave, too', host({ rules: `${RULES}# wide\n` })],
  ])('nothing is done where %s', async (_, found) => {
    expect(await plan(found)).toEqual({ kind: 'unchanged' });
  });

  test('a table that knows fewer hosts is widened', async () => {
    const outcome = await plan(host({ rules: `${RULES}# of yesterday\n` }));
    const { kinds } = changeOf(outcome);
    expect(outcome).toMatchObject({ change: { disruptive: false } });
    expect(kinds).toEqual(['run', 'await', 'write-file', 'run']);
  });
});

describe('a host without a firewall', () => {
  test('has nothing to do', async () => {
    const probe = fakeProbe(BARE);
    expect(await noFirewall().plan(probe)).toEqual({ kind: 'unchanged' });
    expect(probe.asked).toHaveLength(3);
  });

  test('loses table, unit and file, the file last but for systemd', async () => {
    const outcome = await noFirewall().plan(fakeProbe(host()));
    expect(changeOf(outcome).kinds).toEqual(['run', 'remove-file', 'remove-file', 'run']);
    expect(changeOf(outcome).diff).toBe(`- table inet provision_etcd\n- ${FIREWALL_UNIT_FILE}\n- ${FIREWALL_FILE}`);
  });

  test('loses a table that a killed run has left without a file', async () => {
    const left = { ...BARE, 'firewall-tables': { ours: { ...LOADED, kept: undefined } } };
    const { diff, kinds } = changeOf(await noFirewall().plan(fakeProbe(left)));
    expect([diff, kinds]).toEqual(['- table inet provision_etcd', ['run', 'run']]);
  });

  test('keeps what others have put at that place', async () => {
    const found = {
      'file-states': { [FIREWALL_FILE]: file('x'), [FIREWALL_UNIT_FILE]: ABSENT },
      'file-origins': { [FIREWALL_FILE]: { kind: 'foreign', lines: 1 } },
      'firewall-tables': { ours: NO_TABLE },
      units: { [FIREWALL_UNIT]: NOT_INSTALLED },
    };
    expect(await noFirewall().plan(fakeProbe(found))).toEqual({ kind: 'unchanged' });
  });
});

test('each is known by its address', () => {
  const all = [firewall(OPTIONS), firewallLetsIn(OPTIONS, []), noFirewall()];
  const table = 'inet provision_etcd';
  expect(all.map(({ address, paths }) => [address, ...paths])).toEqual([
    [`firewall:${table}`, FIREWALL_FILE, FIREWALL_UNIT_FILE],
    [`firewall-lets-in:${table}`],
    [`no-firewall:${table}`],
  ]);
});

describe('hosts of the cluster are not cut off', () => {
  const from = (source: string | undefined): FakeAnswers => ({ 'source-addresses': { '10.0.0.1': source } });
  const resource = nobodyCutOff({
    address: '10.0.0.1',
    ways: [
      { from: 'etcd-2', to: '10.0.0.1', letIn: ['10.0.0.2'] },
      { from: 'cp-1', to: '10.0.0.1', letIn: ['10.0.0.0/24'] },
    ],
  });
  const plan = async (member: FakeAnswers, controlPlane: FakeAnswers) =>
    resource.plan(fakeProbe({}, { 'etcd-2': member, 'cp-1': controlPlane }, 'etcd-1'));

  test.each([
    ['they come from where the inventory says', from('10.0.0.2'), from('10.0.0.11')],
    ['one is away', UNREACHABLE, from('10.0.0.11')],
    ['one has no way at all', from('10.0.0.2'), from(undefined)],
  ])('where %s', async (_, member, controlPlane) => {
    expect(await plan(member, controlPlane)).toEqual({ kind: 'unchanged' });
  });

  test('else the plan is refused, and names each', async () => {
    await expect(plan(from('192.0.2.2'), from('192.0.2.11'))).rejects.toMatchObject({
      code: 'firewall-cuts-off',
      message: expect.stringMatching(/etcd-2, which reaches it from 192\.0\.2\.2, and cp-1, .* 192\.0\.2\.11/),
      hint: expect.stringContaining("etcd_firewall_allow: ['192.0.2.2']"),
    });
  });

  test('nor is who needs the virtual IP alone, but for the one that holds it', async () => {
    const way = { from: 'cp-1', to: '10.9.0.100', letIn: ['10.0.0.11'] };
    const toVirtual = nobodyCutOff({ address: way.to, ways: [way] });
    const seen = async (source: string) =>
      toVirtual.plan(fakeProbe({}, { 'cp-1': { 'source-addresses': { [way.to]: source } } }, 'lb-1'));
    await expect(seen('10.9.0.11')).rejects.toMatchObject({
      code: 'firewall-cuts-off',
      message: 'the firewall of lb-1 would cut off cp-1, which reaches it from 10.9.0.11',
      hint: expect.stringContaining('ssh cp-1 ip route get 10.9.0.100'),
    });
    expect(await seen('10.9.0.100')).toEqual({ kind: 'unchanged' });
    expect(await seen('10.0.0.11')).toEqual({ kind: 'unchanged' });
  });

  test('what a host says in place of an address is none', async () => {
    await expect(plan(from('0.0.0.0/0'), from('10.0.0.11'))).rejects.toMatchObject({
      code: 'firewall-cuts-off',
      hint: 'see why it takes that way: ssh etcd-2 ip route get 10.0.0.1',
    });
  });
});
