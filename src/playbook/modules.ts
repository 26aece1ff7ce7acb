import { z } from 'zod';
import type { Resource } from '../model/change.js';
import { configurationMode, type Content } from '../model/content.js';
import { MarkedText } from '../model/marked-text.js';
import { absent } from '../resources/absent.js';
import { group, user } from '../resources/accounts.js';
import { directory } from '../resources/directory.js';
import { file } from '../resources/file.js';
import { hostsEntries } from '../resources/hosts-entries.js';
import { packages } from '../resources/packages.js';
import { withMarkedKeys } from '../resources/redact-known-secrets.js';
import { service } from '../resources/service.js';
import { sysctl } from '../resources/sysctl.js';
import { quote } from '../shell/quote.js';
import { programLine, runOnce, runParameters } from './command-modules.js';
import { account, always, ansibleBool, isTrue, mode, names, present, text } from './parameter-types.js';
import { readSource, type SourceFolder } from './task-source.js';

/** What a module may use to turn its parameters into a resource. */
export interface ModuleContext {
  /** The task's name. */
  readonly name: string | undefined;
  /** Absolute directory of the playbook. */
  readonly directory: string;
  /** Jinja2 with the host's variables: the text of the file that `src` names. */
  readonly render: (text: string) => MarkedText;
  /** The parameter `content`, rendered, with its secrets marked. */
  readonly content: MarkedText | undefined;
  /** The resources of the play so far: what a service runs with. */
  readonly before: readonly Resource[];
}

/** A module: Ansible's name and parameters, and the resources that they mean. */
export interface Module {
  readonly schema: z.ZodType;
  /** The names of its parameters, for "did you mean". */
  readonly parameters: readonly string[];
  build(parameters: unknown, context: ModuleContext): Resource;
}

function defineModule<Shape extends z.ZodRawShape>(
  shape: Shape,
  build: (parameters: z.infer<z.ZodObject<Shape>>, context: ModuleContext) => Resource,
): Module {
  const parameters = Object.keys(shape);
  const asMapping = `expected its parameters as a mapping: { ${parameters.map((name) => `${name}: …`).join(', ')} }`;
  const schema = z.strictObject(shape, { error: ({ code }) => (code === 'invalid_type' ? asMapping : undefined) });
  return {
    schema,
    parameters,
    build: (given, context) => build(schema.parse(given), context),
  };
}

const ownership = { owner: account, group: account };
const four = (octal: string): string => octal.padStart(4, '0');

const filePlace = {
  dest: z
    .string()
    .startsWith('/', 'expected an absolute path')
    .regex(/[^/]$/, 'expected the path of the file itself, not of its directory: add its name'),
  ...ownership,
  mode: mode.optional(),
  force: always(true),
  backup: always(false),
  /** Ansible's: `%s` is the staged file. */
  validate: z
    .string()
    .includes('%s', { error: 'expected a command with %s, which stands for the new file' })
    .optional(),
};

function place(parameters: z.infer<z.ZodObject<typeof filePlace>>, content: Content): Resource {
  const { dest, owner, group: ofGroup, validate } = parameters;
  return file({
    path: dest,
    content,
    owner,
    group: ofGroup,
    mode: four(parameters.mode ?? configurationMode(content)),
    validate: validate?.replaceAll('%s', '"$1"'),
  });
}

/** As what a schema refuses: it gets its place in the playbook from there. @param path the parameter, where it is one */
function wrong(message: string, ...path: readonly string[]): z.ZodError {
  return new z.ZodError([{ code: 'custom', path: [...path], message, input: undefined }]);
}

/** @throws ZodError, which knows its place in the playbook */
function textOf({ directory }: ModuleContext, folder: SourceFolder, src: string): string {
  try {
    return readSource(directory, folder, src);
  } catch (error) {
    throw wrong((error as Error).message, 'src');
  }
}

/** As Ansible renders it: with lines that end as on Linux. @throws ZodError for options in its first line */
function templateText(text: string): string {
  if (text.startsWith('#jinja2:'))
    throw wrong(
      'begins with `#jinja2:`, whose options are not read: remove that line, and write `{%-` and `-%}` where they matter',
      'src',
    );
  return text.replace(/\r\n?/g, '\n');
}

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
  copy: defineModule(
    { ...filePlace, content: z.string().optional(), src: z.string().optional(), remote_src: always(false) },
    (p, context) => {
      if ((p.content === undefined) === (p.src === undefined)) throw wrong('takes exactly one of content and src');
      const text = context.content ?? new MarkedText([textOf(context, 'files', p.src ?? '')]);
      return place(p, withMarkedKeys(text));
    },
  ),
  template: defineModule({ ...filePlace, src: z.string() }, (p, context) =>
    place(p, withMarkedKeys(context.render(templateText(textOf(context, 'templates', p.src))))),
  ),
  file: defineModule(
    {
      path: z.string().startsWith('/', 'expected an absolute path'),
      state: z.enum(['directory', 'absent'], {
        error: 'expected directory or absent; files are made by copy or template',
      }),
      ...ownership,
      mode: mode.default('0755'),
      recurse: always(false),
      force: always(false),
    },
    ({ path, state, owner, group: ofGroup, mode: octal }) =>
      state === 'absent' ? absent({ path }) : directory({ path, owner, group: ofGroup, mode: four(octal) }),
  ),
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
  command: defineModule({ ...runParameters, argv: z.array(z.string()).optional() }, (p, { name }) =>
    runOnce(p, name ?? p.cmd ?? (p.argv ?? []).join(' '), programLine(p.cmd, p.argv)),
  ),
  shell: defineModule({ ...runParameters, executable: z.string().startsWith('/').optional() }, (p, { name }) => {
    if (p.cmd === undefined) throw wrong('is missing', 'cmd');
    return runOnce(
      p,
      name ?? p.cmd,
      p.executable === undefined ? p.cmd : `exec ${quote(p.executable)} -c ${quote(p.cmd)}`,
    );
  }),
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
