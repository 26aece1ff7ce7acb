import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** `there`: loaded, or built into the kernel. `loadable`: there is a file of it for the running kernel. */
export type KernelModule = 'there' | 'loadable' | 'missing';

/** What the kernel shows while it has a module that may be built in without a directory of its own in /sys/module. */
const SIGNS: Readonly<Record<string, string>> = {
  br_netfilter: '/proc/sys/net/bridge/bridge-nf-call-iptables',
};

/** Key: the name of a module, with `_`. */
export const kernelModules: Fact<KernelModule> = {
  name: 'kernel-modules',
  script: (names) =>
    names
      .map((name) => {
        const sign = SIGNS[name] ?? `/sys/module/${name}`;
        // A file system that the kernel knows needs no module of its name.
        const isFileSystem = `grep -qs ${quote(`[[:space:]]${name}$`)} /proc/filesystems`;
        const isBuiltIn = `grep -qs ${quote(`/${name}\\.ko`)} "/lib/modules/$(uname -r)/modules.builtin"`;
        return `if [ -e ${quote(`/sys/module/${name}`)} ] || [ -e ${quote(sign)} ] || ${isFileSystem} || ${isBuiltIn}; then echo there; elif modprobe -n -q -- ${quote(name)} 2>/dev/null; then echo loadable; else echo missing; fi`;
      })
      .join('\n'),
  parse(stdout, names) {
    const lines = stdout.trimEnd().split('\n');
    return new Map(names.map((name, index) => [name, readState(lines[index])]));
  },
  evidence: (value) => value,
};

function readState(line: string | undefined): KernelModule {
  if (line === 'there' || line === 'loadable' || line === 'missing') return line;
  throw new Error('the state of a module is missing');
}
