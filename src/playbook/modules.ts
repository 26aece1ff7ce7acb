import { z } from 'zod';
import { group, user } from '../resources/accounts.js';
import { hostsEntries } from '../resources/hosts-entries.js';
import { packages } from '../resources/packages.js';
import { service } from '../resources/service.js';
import { sysctl } from '../resources/sysctl.js';
import { quote } from '../shell/quote.js';
import { argument, programLine, runOnce, runParameters } from './command-modules.js';
import { fileModules } from './file-modules.js';
import { defineModule, wrong, type Module } from './module.js';
import { always, ansibleBool, isTrue, names, present, text } from './parameter-types.js';

/** As ansible.posix.sysctl reads a value (`_parse_value`): what is a truth value to Ansible is 1 or 0. */
function kernelValue(value: string): string {
  if (/^(?:y|yes|on|1|true|t)$/i.test(value)) return '1';
  return /^(?:n|no|off|0|false|f)$/i.test(value) ? '0' : value.trim();
}

const systemd = defineModule(
  {
    name: z.string().transform((name) => name.replace(/\.service$/, '')),
    state: z.enum(['started', 'reloaded', 'restarted']).default('started'),
    enabled: ansibleBool.default(true),
    // Where files of the unit changed.
    daemon_reload: always(true),
  },
  ({ name, state, enabled }, { before }) =>
    service({
      unit: name,
      enabled: isTrue(enabled),
      // Nothing is remembered: it restarts or reloads when a file of the tasks before it is newer than it is.
      onChange: state === 'reloaded' ? 'reload' : 'restart',
      runsWith: state === 'started' ? [] : before,
    }),
);

const MODULES: Readonly<Record<string, Module>> = {
  apt: defineModule({ name: names, state: present }, (p) => packages({ names: p.name })),
  ...fileModules,
  systemd,
  service: systemd,
  sysctl: defineModule(
    {
      name: z.string(),
      value: text,
      sysctl_file: z.string().optional(),
      state: present,
      reload: always(true),
      sysctl_set: always(true),
    },
    ({ name, value, sysctl_file: path }) =>
      sysctl({
        key: name,
        value: kernelValue(value),
        file: path ?? `/etc/sysctl.d/60-${name.replaceAll('/', '.')}.conf`,
      }),
  ),
  user: defineModule(
    {
      name: z.string(),
      system: ansibleBool.default(false),
      home: z.string().optional(),
      shell: z.string().optional(),
      groups: names.optional(),
      append: always(true),
      state: present,
    },
    ({ name, system, home, shell, groups }) => user({ name, system: isTrue(system), home, shell, groups }),
  ),
  group: defineModule({ name: z.string(), system: ansibleBool.default(false), state: present }, (p) =>
    group({ name: p.name, system: isTrue(p.system) }),
  ),
  command: defineModule({ ...runParameters, argv: z.array(argument).optional() }, (p, { name }) =>
    runOnce(p, name ?? p.cmd ?? (p.argv ?? []).join(' '), programLine(p.cmd, p.argv)),
  ),
  shell: defineModule(
    { ...runParameters, executable: z.string().startsWith('/', 'expected an absolute path').optional() },
    (p, { name }) => {
      if (p.cmd === undefined) throw wrong('is missing', 'cmd');
      return runOnce(
        p,
        name ?? p.cmd,
        p.executable === undefined ? p.cmd : `exec ${quote(p.executable)} -c ${quote(p.cmd)}`,
      );
    },
  ),
  hosts_entries: defineModule(
    { entries: z.array(z.strictObject({ address: z.string(), names: z.array(z.string()).min(1) })) },
    (p) => hostsEntries(p),
  ),
};

/** The module of a name, with or without `ansible.builtin.`. */
export function moduleNamed(name: string): Module | undefined {
  const short = name.replace(/^ansible\.(builtin|posix)\./, '');
  return Object.hasOwn(MODULES, short) ? MODULES[short] : undefined;
}

/** All module names, for "did you mean". */
export function moduleNames(): readonly string[] {
  return Object.keys(MODULES);
}
