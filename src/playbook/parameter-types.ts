import { z } from 'zod';

// Types of the parameters of Ansible's modules.

/** Of `sysctl`: a text, or what YAML makes of one. */
export const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);

/** A list, or a text with commas. */
export const names = z.union([z.string().transform((list) => list.split(/\s*,\s*/)), z.array(z.string())], {
  error: 'expected a name or a list of names',
});

/** A truth value as a playbook has it: {@link isTrue}. */
export const ansibleBool = z.union([z.boolean(), z.enum(['yes', 'no', 'true', 'false', 'True', 'False'])], {
  error: 'expected true or false',
});

/** What an {@link ansibleBool} says. */
export const isTrue = (value: z.infer<typeof ansibleBool>): boolean =>
  value === true || /^(yes|true)$/i.test(String(value));

/** A parameter that says what happens here always: playbooks that have it mean the same. Any other value is refused. */
export const always = (value: boolean): z.ZodType =>
  ansibleBool
    .refine((given) => isTrue(given) === value, { error: `expected ${String(value)}: nothing else is done here` })
    .optional();

/** The state that most modules of Ansible have by default. */
export const present = z.literal('present', { error: 'expected present' }).optional();

/** Ansible's YAML reads 0644 as the number 420, and 0o644 as a text: its advice, to quote modes, is a rule here. */
export const mode = z
  .string({ error: 'a mode must be quoted: "0644"' })
  .regex(/^0?[0-7]{3}$/, 'expected an octal mode like "0644"');

/** A number is read as the name that `stat` gives: it would differ at every run. */
export const account = z
  .string()
  .regex(/^(?!\d+$)./, 'expected a name, not a number: "root"')
  .default('root');

/** To Ansible it may be a pattern of the shell: taken for a path, it would never be there. */
export const onePath = z
  .string()
  .regex(/^[^*?[]*$/, 'expected a path: patterns like *.conf are not looked for; name one file');
