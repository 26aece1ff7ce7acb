import { z } from 'zod';
import type { Resource } from '../model/change.js';
import { configurationMode, type Content } from '../model/content.js';
import { MarkedText } from '../model/marked-text.js';
import { absent } from '../resources/absent.js';
import { directory } from '../resources/directory.js';
import { file } from '../resources/file.js';
import { withMarkedKeys } from '../resources/redact-known-secrets.js';
import { defineModule, wrong, type Module, type ModuleContext } from './module.js';
import { account, always, mode } from './parameter-types.js';
import { readSource, type SourceFolder } from './task-source.js';

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

/** The modules that write files, make directories, and remove both. */
export const fileModules: Readonly<Record<string, Module>> = {
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
};
