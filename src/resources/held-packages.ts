import { packageState } from '../facts/packages.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';
import { quote } from '../shell/quote.js';

/** What installs packages before they are held, in the same run. */
export interface Installing {
  readonly resource: Resource;
  readonly names: readonly string[];
}

/**
 * Packages that neither `apt upgrade` nor unattended upgrades touch: a new kubelet or containerd restarts what runs in pods. Only
 * those that are installed: another installation has other packages.
 */
export function heldPackages(names: readonly string[], installing?: Installing): Resource {
  return {
    address: `held-packages:${names.join(',')}`,
    paths: [],
    async plan(probe) {
      const [coming, ...found] = await Promise.all([
        installing?.resource.plan(probe),
        ...names.map(async (name) => ({ name, ...(await probe.ask(packageState, name)) })),
      ]);
      const soon = coming?.kind === 'change' ? (installing?.names ?? []) : [];
      const loose = found.filter(
        ({ name, installed, held }) => !held && (installed !== undefined || soon.includes(name)),
      );
      if (loose.length === 0) return UNCHANGED;
      const words = loose.map(({ name }) => quote(name)).join(' ');
      const list = loose.map(({ name }) => name).join(' ');
      return changed({
        summary: `hold ${loose.map(({ name }) => name).join(', ')}: no upgrade but on demand`,
        diff: loose.map(({ name, installed }) => `+ hold ${[name, installed].filter(Boolean).join(' ')}`),
        actions: [
          {
            kind: 'run',
            command: { summary: `apt-mark hold ${list}`, script: `apt-mark hold ${words} >/dev/null` },
            undo: { summary: `apt-mark unhold ${list}`, script: `apt-mark unhold ${words} >/dev/null` },
          },
        ],
        effect: 'change',
        disruptive: false,
      });
    },
  };
}
