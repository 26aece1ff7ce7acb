import { askText } from '../facts/file-content.js';
import { fileState } from '../facts/file-state.js';
import { kubeletField } from '../facts/kubelet-config.js';
import { ALL_SWAPS, swaps, type Swaps, type SwapUnit } from '../facts/swaps.js';
import type { Action } from '../model/action.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';
import { plainContent } from '../model/content.js';
import type { Command } from '../model/remote.js';
import { quote } from '../shell/quote.js';
import { daemonReload } from '../shell/service-command.js';
import { refuseForeignLink } from './file.js';
import { unifiedDiff } from './unified-diff.js';

const FSTAB = '/etc/fstab';

/** Before a line of fstab that is kept and has no effect any more. */
const MARK = '# provision: no swap under Kubernetes: ';

/**
 * A host without swap, now and after a reboot: the kubelet does not start with it. Lines of fstab stay as comments, and units
 * that would turn swap on are masked; one whose own file is in /etc, where a mask would be, is disabled. A node whose kubelet
 * is set up for swap (`failSwapOn: false`) keeps it: what is swapped out may not fit into its memory.
 */
export function swapOff(): Resource {
  return {
    address: 'swap-off',
    paths: [FSTAB],
    async plan(probe) {
      const [failSwapOn, found, text, state] = await Promise.all([
        kubeletField(probe, 'failSwapOn'),
        probe.ask(swaps, ALL_SWAPS),
        askText(probe, FSTAB),
        probe.ask(fileState, FSTAB),
      ]);
      if (failSwapOn === 'false') return UNCHANGED;
      const before = text ?? '';
      const after = withoutSwap(before);
      const units = found.units.filter(turnsOn);
      if (found.active.length === 0 && after === before && units.length === 0) return UNCHANGED;
      refuseForeignLink(FSTAB, state);
      const fstab: readonly Action[] =
        after === before || state.kind === 'absent'
          ? []
          : [
              {
                kind: 'write-file',
                path: FSTAB,
                content: plainContent(after),
                owner: state.owner,
                group: state.group,
                mode: state.mode,
              },
              // systemd makes units of it; undone after the file is back.
              { kind: 'run', command: daemonReload(), undo: daemonReload() },
            ];
      return changed({
        summary: `turn swap off, now and after a reboot${found.active.length === 0 ? ' (none is on)' : ''}`,
        diff: [...describe(found, units), ...unifiedDiff(FSTAB, before, after)],
        actions: [...fstab, ...units.map(stopped), ...off(found)],
        effect: 'change',
        disruptive: false,
      });
    },
  };
}

/** The third word is the type (fstab(5)). */
function withoutSwap(fstab: string): string {
  return fstab.replaceAll(/^[ \t]*[^#\s]\S*[ \t]+\S+[ \t]+swap(?=[ \t]|$).*$/gm, (line) => `${MARK}${line}`);
}

/** What fstab says is dealt with there; what has no file ends with its swap. */
function turnsOn({ file, source, state }: SwapUnit): boolean {
  if (file === '' || source === FSTAB || state.startsWith('masked')) return false;
  return !isInEtc(file) || state.startsWith('enabled');
}

function isInEtc(file: string): boolean {
  return file.startsWith('/etc/systemd/system/');
}

function stopped({ unit, file }: SwapUnit): Action {
  const [verb, back] = isInEtc(file) ? ['disable', 'enable'] : ['mask', 'unmask'];
  return { kind: 'run', command: systemctl(verb, unit), undo: systemctl(back, unit) };
}

function systemctl(verb: string, unit: string): Command {
  return { summary: `systemctl ${verb} ${unit}`, script: `systemctl --quiet ${verb} -- ${quote(unit)}` };
}

/** What is swapped out has to fit into memory; if it does not, swapoff fails and all is as it was. */
function off({ active }: Swaps): readonly Action[] {
  if (active.length === 0) return [];
  const words = active.map(quote).join(' ');
  const list = active.join(' ');
  return [
    {
      kind: 'run',
      command: { summary: `swapoff ${list}`, script: `swapoff -- ${words}`, timeoutMs: OFF_TIMEOUT_MS },
      undo: { summary: `swapon ${list}`, script: `swapon -- ${words}` },
    },
  ];
}

/** Gigabytes may have to be read back from a disk. */
const OFF_TIMEOUT_MS = 600_000;

function describe({ active }: Swaps, units: readonly SwapUnit[]): readonly string[] {
  return [
    ...active.map((name) => `- swap on ${name}`),
    ...units.map(({ unit, file }) => `- ${unit} (${file})${isInEtc(file) ? ': disabled' : ': masked'}`),
  ];
}
