import { aptUpgrade, UPGRADE, type AptUpgrade } from '../facts/apt-upgrade.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';
import { updatePackageLists } from '../shell/apt-upgrade.js';

/** Older lists are read again before anything is decided by them: apt's own timer does so once a day. */
const FRESH_S = 24 * 60 * 60;

/** How old apt's lists are. */
type Lists = Pick<AptUpgrade, 'listsAgeS'>;

/** Judges whether lists are fresh, once a run: in the middle of one that takes hours, what was agreed to is not undone by their age. */
export interface ListsJudge {
  readonly areFresh: (host: string, lists: Lists) => boolean;
}

/** A judge for one run. */
export function judgeListsOnce(): ListsJudge {
  const fresh = new Set<string>();
  return {
    areFresh(host, { listsAgeS }) {
      if (listsAgeS !== undefined && listsAgeS <= FRESH_S) fresh.add(host);
      return fresh.has(host);
    },
  };
}

/** How old apt's lists are, in words. */
export function ageOf({ listsAgeS }: Lists): string {
  if (listsAgeS === undefined) return 'nothing says when it has last done so';
  const hours = Math.floor(listsAgeS / 3600);
  return `they are ${hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`} old`;
}

/** apt's lists, read again where they are old: what is upgraded is decided by them. */
export function packageLists(judge: ListsJudge): Resource {
  return {
    address: 'node-upgrade:lists',
    paths: [],
    async plan(probe) {
      const apt = await probe.ask(aptUpgrade, UPGRADE);
      if (judge.areFresh(probe.host, apt)) return UNCHANGED;
      return changed({
        summary: 'read the lists of packages again (apt-get update)',
        diff: [ageOf(apt)],
        actions: [
          { kind: 'await', gate: 'apt-unlocked', parameters: {} },
          { kind: 'run', command: updatePackageLists(), undo: 'nothing' },
        ],
        effect: 'change',
        disruptive: false,
      });
    },
  };
}
