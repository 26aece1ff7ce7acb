import { fileState } from '../facts/file-state.js';
import { firewallTable, OUR_TABLE, type FirewallTable } from '../facts/firewall-table.js';
import { unitState, type UnitState } from '../facts/unit-state.js';
import type { Action } from '../model/action.js';
import { changed, UNCHANGED, type Change, type Outcome, type Resource } from '../model/change.js';
import type { Content } from '../model/content.js';
import { FIREWALL_FILE, FIREWALL_TABLE, FIREWALL_UNIT, FIREWALL_UNIT_FILE } from '../model/firewall.js';
import type { FirewallTrial } from '../model/firewall-trial.js';
import { keepFirewall, loadKeptFirewall, removeFirewall, takeFirewallBack, tryFirewall } from '../shell/firewall.js';
import { file, type ForeignFiles } from './file.js';
import { ownUnitRemoved } from './own-unit-removed.js';
import { unifiedDiff } from './unified-diff.js';

/** Our table of nftables as a host should have it. */
export interface FirewallOptions {
  readonly rules: Content;
  /** The unit that loads it at boot. */
  readonly unit: Content;
  readonly foreign: ForeignFiles;
  /** Name of the gate that new rules must open before they are kept. */
  readonly gate: string;
  readonly trial: FirewallTrial;
}

const ROOT = { owner: 'root', group: 'root', mode: '0644' } as const;

/**
 * The table is loaded, as its file says, and will be after a reboot. New rules are tried first: a timer of the host takes
 * them back unless the gate opens, and only then do they land in the file.
 */
export function firewall(options: FirewallOptions): Resource {
  const rules = rulesFile(options);
  const unit = file({ ...ROOT, path: FIREWALL_UNIT_FILE, content: options.unit, foreign: options.foreign });
  return {
    address: `firewall:${FIREWALL_TABLE}`,
    paths: [FIREWALL_FILE, FIREWALL_UNIT_FILE],
    async plan(probe) {
      const [ofRules, ofUnit, table, state] = await Promise.all([
        rules.plan(probe),
        unit.plan(probe),
        probe.ask(firewallTable, OUR_TABLE),
        probe.ask(unitState, FIREWALL_UNIT),
      ]);
      const changes = [ofRules, ofUnit].flatMap((each) => (each.kind === 'change' ? [each.change] : []));
      const reasons = ofRules.kind === 'change' ? [] : reasonsToLoad(table);
      const isKept = state.enabled && state.active;
      if (changes.length === 0 && reasons.length === 0 && isKept) return UNCHANGED;
      // Whoever is not let in loses its connections.
      return loadAndKeep(options, { changes, reasons: [...reasons, ...reasonsOfUnit(state)], disruptive: true });
    },
  };
}

function rulesFile({ rules, foreign }: FirewallOptions): Resource {
  return file({ ...ROOT, path: FIREWALL_FILE, content: rules, foreign, validate: 'nft -c -f "$1"' });
}

/**
 * Before new hosts come, a host that has the table lets them in: it may let in more by then, and is narrowed last. Where the
 * table is not there, nobody is kept out.
 * @param enough rules that have let in all of them already
 */
export function firewallLetsIn(options: FirewallOptions, enough: readonly Content[]): Resource {
  const rules = rulesFile(options);
  return {
    address: `firewall-lets-in:${FIREWALL_TABLE}`,
    paths: [],
    async plan(probe) {
      const [state, outcome, others] = await Promise.all([
        probe.ask(fileState, FIREWALL_FILE),
        rules.plan(probe),
        Promise.all(enough.map(async (content) => rulesFile({ ...options, rules: content }).plan(probe))),
      ]);
      if (state.kind === 'absent' || outcome.kind !== 'change') return UNCHANGED;
      if (others.some((each) => each.kind === 'unchanged')) return UNCHANGED;
      // It only lets in more.
      return loadAndKeep(options, { changes: [outcome.change], reasons: [], disruptive: false });
    },
  };
}

function loadAndKeep(
  { rules, gate, trial }: FirewallOptions,
  {
    changes,
    reasons,
    disruptive,
  }: { readonly changes: readonly Change[]; readonly reasons: readonly string[]; readonly disruptive: boolean },
): Outcome {
  const load: Action = { kind: 'run', command: tryFirewall(rules, trial), undo: takeFirewallBack() };
  const proof: Action = { kind: 'await', gate, parameters: {} };
  const keep: Action = { kind: 'run', command: keepFirewall(), undo: loadKeptFirewall() };
  return changed({
    summary: `load and keep the firewall of etcd (table ${FIREWALL_TABLE})`,
    diff: [...reasons, ...changes.flatMap(({ diff }) => diff)],
    actions: [load, proof, ...changes.flatMap(({ actions }) => actions), keep],
    effect: 'change',
    disruptive,
  });
}

function reasonsToLoad({ loaded, kept, isOnTrial }: FirewallTable): readonly string[] {
  if (isOnTrial) return ['because a run has loaded it that did not come to keep it'];
  if (loaded === undefined) return ['because it is not loaded'];
  if (loaded === kept) return [];
  return ['because someone has changed it since it was loaded:', ...unifiedDiff(FIREWALL_FILE, loaded, kept ?? '')];
}

function reasonsOfUnit({ load, enabled, active }: UnitState): readonly string[] {
  if (load === 'not-found') return [];
  return [
    ...(active ? [] : [`because ${FIREWALL_UNIT} has not loaded it`]),
    ...(enabled ? [] : ['because it is not loaded at boot']),
  ];
}

/**
 * A host that should have no table of ours: table, unit and file go, and a table that is loaded without a file, as a run leaves it that
 * was killed while it rolled back. Whatever else is at their places stays.
 */
export function noFirewall(): Resource {
  return ownUnitRemoved({
    address: `no-firewall:${FIREWALL_TABLE}`,
    what: `the firewall of etcd (table ${FIREWALL_TABLE})`,
    // The file last: while it is there, a run that was killed is finished by the next one.
    paths: [FIREWALL_UNIT_FILE, FIREWALL_FILE],
    beside: async (probe) => {
      const { loaded } = await probe.ask(firewallTable, OUR_TABLE);
      return loaded === undefined ? [] : [`- table ${FIREWALL_TABLE}`];
    },
    end: { kind: 'run', remove: removeFirewall(), back: loadKeptFirewall() },
  });
}
