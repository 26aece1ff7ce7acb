import { kernelModules } from '../facts/kernel-modules.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';
import { plainContent } from '../model/content.js';
import { quote } from '../shell/quote.js';
import { file } from './file.js';

/** Modules of the kernel that a host should have. */
export interface LoadedModulesOptions {
  /** With `_`. */
  readonly modules: readonly string[];
  /** A file of its own below /etc/modules-load.d/. */
  readonly file: string;
}

/** Modules of the kernel, now and after a reboot; one that is built in counts. Whether there is such a module is for the preflight. */
export function loadedModules({ modules, file: path }: LoadedModulesOptions): Resource {
  const persisted = file({
    path,
    content: plainContent(`# Kept by provision.\n${modules.join('\n')}\n`),
    owner: 'root',
    group: 'root',
    mode: '0644',
  });
  return {
    address: `modules:${path}`,
    paths: [path],
    async plan(probe) {
      const [kept, states] = await Promise.all([
        persisted.plan(probe),
        Promise.all(modules.map(async (name) => ({ name, state: await probe.ask(kernelModules, name) }))),
      ]);
      const load = states.filter(({ state }) => state !== 'there').map(({ name }) => name);
      const keep = kept.kind === 'change' ? kept.change : undefined;
      if (load.length === 0 && keep === undefined) return UNCHANGED;
      const list = load.join(' ');
      return changed({
        summary:
          load.length === 0
            ? `have the kernel modules ${modules.join(', ')} loaded after a reboot`
            : `load the kernel modules ${load.join(', ')}, now and after a reboot`,
        diff: keep?.diff ?? [],
        actions: [
          ...(keep?.actions ?? []),
          ...(load.length === 0
            ? []
            : [
                {
                  kind: 'run' as const,
                  command: { summary: `modprobe ${list}`, script: `modprobe -a -- ${load.map(quote).join(' ')}` },
                  undo: { lasting: `the modules ${load.join(', ')} stay loaded until a reboot` },
                },
              ]),
        ],
        effect: 'change',
        disruptive: false,
      });
    },
  };
}
