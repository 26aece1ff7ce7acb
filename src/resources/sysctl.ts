import { inWords, sysctlValue } from '../facts/sysctl.js';
import type { Run } from '../model/action.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';
import { plainContent } from '../model/content.js';
import type { Command } from '../model/remote.js';
import { quote } from '../shell/quote.js';
import { file, type ForeignFiles } from './file.js';

/** A kernel setting, now and after a reboot. */
export interface SysctlOptions {
  /** With dots: `net.ipv4.ip_nonlocal_bind`. */
  readonly key: string;
  readonly value: string;
  /** A file of its own below /etc/sysctl.d/. */
  readonly file: string;
  /** As of {@link file}. */
  readonly foreign?: ForeignFiles;
}

/** A kernel setting: the running value, and the file that keeps it (`sysctl -w` alone is lost at a reboot). */
export function sysctl({ key, value, file: path, foreign }: SysctlOptions): Resource {
  const persisted = file({
    path,
    content: plainContent(`# Kept by provision.\n${key} = ${value}\n`),
    owner: 'root',
    group: 'root',
    mode: '0644',
    foreign,
  });
  return {
    address: `sysctl:${key}`,
    paths: [path],
    async plan(probe) {
      const [running, kept] = await Promise.all([probe.ask(sysctlValue, key), persisted.plan(probe)]);
      const keep = kept.kind === 'change' ? kept.change : undefined;
      const isSet = running === inWords(value);
      if (isSet && keep === undefined) return UNCHANGED;
      const command = setCommand(key, value);
      // Where the kernel does not know it, it can't be set either.
      const undo: Run['undo'] = running === undefined ? 'nothing' : setCommand(key, running);
      return changed({
        summary: `set ${key} = ${value} (now: ${running ?? 'unknown to the kernel'})`,
        diff: keep?.diff ?? [],
        actions: [...(keep?.actions ?? []), ...(isSet ? [] : [{ kind: 'run' as const, command, undo }])],
        effect: 'change',
        disruptive: false,
      });
    },
  };
}

function setCommand(key: string, value: string): Command {
  const setting = `${key}=${value}`;
  return { summary: `sysctl -w ${setting}`, script: `sysctl -q -w ${quote(setting)}` };
}
