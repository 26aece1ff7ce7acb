import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';
import { isRestoreId, RESTORES } from '../shell/restore-stage.js';
import { toolLines } from '../shell/snapshot.js';

/** One restore that a host takes, or took, part in. */
export interface RestoreOnHost {
  readonly id: string;
  /** What it has noted, with what the note says. */
  readonly stages: ReadonlyMap<string, string>;
  /** How long ago it noted each, by its own clock, in seconds: what other hosts' clocks say does not matter. */
  readonly notedAgo: ReadonlyMap<string, number>;
}

/** The one key of {@link restores}. */
export const RESTORES_KEY = 'all';

/** Key: {@link RESTORES_KEY}. Every restore that a host has notes of; what is not named as one is not one of ours. */
export const restores: Fact<readonly RestoreOnHost[]> = {
  name: 'restores',
  script: () =>
    [
      'now=$(date +%s)',
      `for note in ${quote(RESTORES)}/*/*; do`,
      '  [ -f "$note" ] || continue',
      `  case $note in */manifest) continue ;; esac`,
      `  printf 'N %s %s %s\\n' "$((now - $(stat -c %Y -- "$note")))" "$(printf %s "$note" | base64 -w0)" "$(head -c 65536 "$note" | head -n 1 | base64 -w0)"`,
      'done',
    ].join('\n'),
  parse(stdout, keys) {
    const found = new Map<string, { readonly stages: Map<string, string>; readonly notedAgo: Map<string, number> }>();
    for (const [, time, path = '', text = ''] of stdout.matchAll(/^N (-?\d{1,11}) (\S+) (\S*)$/gm)) {
      const [id = '', stage = ''] = decode(path).slice(`${RESTORES}/`.length).split('/');
      if (!isRestoreId(id)) continue;
      const noted = found.get(id) ?? { stages: new Map<string, string>(), notedAgo: new Map<string, number>() };
      noted.stages.set(stage, decode(text).trimEnd());
      noted.notedAgo.set(stage, Number(time));
      found.set(id, noted);
    }
    const all = [...found].map(([id, noted]) => ({ id, ...noted }));
    return new Map(keys.map((key) => [key, all]));
  },
};

function decode(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}

/** What restores a snapshot on a host. */
export interface RestoreTool {
  /** `etcdutl`, `etcdctl`; absent: neither is there. */
  readonly name: string | undefined;
  /** `3.4.23`; empty where it does not say. */
  readonly version: string;
  /** It can raise revisions and mark the old ones as compacted: from 3.4.27 and 3.5.10 on. */
  readonly canBump: boolean;
}

/** The one key of {@link restoreTool}. */
export const RESTORE_TOOL = 'restore';

/** Key: {@link RESTORE_TOOL}. Asked of the tool itself: distributions have taken changes from later versions. */
export const restoreTool: Fact<RestoreTool> = {
  name: 'restore-tool',
  script: () =>
    [
      'export ETCDCTL_API=3',
      ...toolLines(),
      'if path=$(command -v "$tool"); then',
      '  bump=no',
      `  ! "$tool" snapshot restore --help 2>&1 | grep -q -e '--bump-revision' || bump=yes`,
      `  printf 'T %s %s %s\\n' "$tool" "$bump" "$("$tool" version 2>/dev/null | sed -n 's/^[a-z]* version: *//p' | head -n 1)"`,
      'fi',
    ].join('\n'),
  parse(stdout, keys) {
    const [, name, bump, version = ''] = /^T (etcd\w+) (yes|no) ?(.*)$/m.exec(stdout) ?? [];
    return new Map(keys.map((key) => [key, { name, version: version.trim(), canBump: bump === 'yes' }]));
  },
};
