import { z } from 'zod';
import type { PythonValue } from '../model/python-value.js';

const WHEN = '`when` takes a Jinja2 expression, or a list of them';

/** None is an error: to Ansible it holds, to Jinja2 it does not. */
const condition = z.union([z.string().regex(/\S/, WHEN), z.boolean()]);

const expression = z.union([condition, z.array(condition)], {
  error: WHEN,
});

/** What {@link parseYaml} of yaml-source.ts read. */
const vars = z.record(
  z.string(),
  z.custom<PythonValue>(() => true),
);

const roleSchema = z.union(
  [
    z.string().transform((role) => ({ role })),
    z.strictObject({ role: z.string(), when: expression.optional(), vars: vars.optional() }),
  ],
  { error: 'a role is a name, or `role:` with `when:` and `vars:`' },
);

/** A name, or one with what it is about: `vip-answers: etcd`, which YAML reads as a mapping. */
const name = z.union(
  [
    z.string(),
    z
      .record(z.string(), z.string())
      .refine((mapping) => Object.keys(mapping).length === 1)
      .transform((mapping) =>
        Object.entries(mapping)
          .map(([key, about]) => `${key}: ${about}`)
          .join(),
      ),
  ],
  { error: 'expected a name, or a name and a service: `vip-answers: etcd`' },
);

const names = z.union([name.transform((one) => [one]), z.array(name)], {
  error: 'expected a name or a list of names',
});

const gatesSchema = z.strictObject({ before: names.optional(), after: names.optional() });

const SERIAL = 'expected a number of hosts from 1, or a percentage like "30%"';

/** One play, in Ansible's words, and two of our own: `gates` and `order`. */
export const playSchema = z.strictObject({
  name: z.string().optional(),
  hosts: z.union([z.string(), z.array(z.string()).transform((patterns) => patterns.join(':'))], {
    error: 'expected a host pattern: a group, a host, or a list of them',
  }),
  serial: z
    .union([z.int().min(1, SERIAL), z.string().regex(/^(?:[1-9][0-9]?|100)%$/, SERIAL)], { error: SERIAL })
    .optional(),
  order: name.optional(),
  gates: gatesSchema.optional(),
  become: z.boolean().optional(),
  /** Accepted, so that an Ansible play reads as it is: facts are asked for as they are needed. */
  gather_facts: z.boolean().optional(),
  vars: vars.optional(),
  when: expression.optional(),
  roles: z.array(roleSchema).optional(),
  tasks: z.array(z.record(z.string(), z.unknown())).optional(),
});

/** Another playbook of the same directory, whose plays stand here. */
export const importSchema = z.strictObject({
  import_playbook: z.string(),
  name: z.string().optional(),
  /** Of each of its plays, beside its own. */
  when: expression.optional(),
});

/** The words that a task may use beside its module. */
export const taskWords = [
  ...['name', 'when', 'vars', 'become', 'args'],
  ...['loop', 'loop_control', 'with_items', 'with_list', 'with_dict'],
] as const;

/** What a loop is over: a list or mapping, or a template that gives one. */
const items = z.custom<PythonValue>(() => true).optional();

const variableName = z.string().regex(/^[A-Za-z_]\w*$/, 'expected the name of a variable');

/** What a loop calls its items. */
export const loopControl = z.strictObject({
  loop_var: variableName.optional(),
  index_var: variableName.optional(),
  label: z.union([z.string(), z.number().transform(String)]).optional(),
});

export const taskFrame = z.object({
  name: z.string().optional(),
  when: expression.optional(),
  vars: vars.optional(),
  become: z.boolean().optional(),
  /** More parameters of the module: {@link taskParameters}. */
  args: z.record(z.string(), z.unknown(), { error: 'expected the parameters of the module as a mapping' }).optional(),
  ...{ loop: items, with_items: items, with_list: items, with_dict: items },
  loop_control: loopControl.optional(),
});

export type TaskFrame = z.infer<typeof taskFrame>;
export type RawImport = z.infer<typeof importSchema>;
export type RawPlay = z.infer<typeof playSchema>;
export type RawRole = z.infer<typeof roleSchema>;
export type RawTask = Readonly<Record<string, unknown>>;
export type When = z.infer<typeof expression>;
