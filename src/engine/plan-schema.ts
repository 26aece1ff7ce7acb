import { z } from 'zod';
import { EFFECTS } from '../model/change.js';
import { actionSchema } from './action-schema.js';

// The one source of the plan's JSON: its types, the check of a file that is read back, and docs/reference/plan.md.

/** The format of a plan's JSON. 3: what each change does, as data. */
export const PLAN_FORMAT = 3;

const task = z.string().optional().describe('The name of its task, where the playbook gives it one.');

const step = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('change'),
      address: z.string().describe('The resource, unique on its host: `file:/etc/haproxy/haproxy.cfg`.'),
      task,
      summary: z.string().describe('One line: what changes and why.'),
      effect: z.enum(EFFECTS).describe('The most that it does to its subject.'),
      disruptive: z.boolean().describe('Clients may notice.'),
      diff: z.array(z.string()).describe('Lines of a unified diff, redacted.'),
      actions: z.array(actionSchema).describe('What apply performs, in this order.'),
      before: z
        .string()
        .nullable()
        .describe('Digest of what was there: files, units, packages. Where it differs, the plan is refused.'),
    })
    .describe('Something that apply changes.'),
  z
    .strictObject({
      kind: z.literal('unknown'),
      address: z.string(),
      task,
      because: z.string().describe('What must happen before it can be decided.'),
    })
    .describe('Something that is known only after apply has made earlier changes; apply decides it then.'),
]);

const host = z.strictObject({
  host: z.string(),
  steps: z.array(step).describe('In the order in which they are performed.'),
  unchanged: z.number().describe('How many resources need nothing.'),
});

const play = z.strictObject({
  name: z.string(),
  order: z.string().describe('Name of the order that its hosts are in.'),
  serial: z.number().nullable().describe('How many hosts are worked on at once; `null`: all.'),
  leftOut: z.array(z.string()).describe('Its hosts that can’t be asked: nothing is done on them.'),
  gatesBefore: z.array(z.string()).describe('Gates that must open before each batch that changes something.'),
  gatesAfter: z.array(z.string()).describe('Gates that must open after it.'),
  batches: z
    .array(z.strictObject({ hosts: z.array(host).describe('Worked on at once.') }))
    .describe('One after the other.'),
});

/** A plan as JSON: what `plan -o FILE` and `plan --format json` write. Holds digests in place of contents, no secret. */
export const planSchema = z.strictObject({
  formatVersion: z.literal(PLAN_FORMAT).describe('Grows when a reader of the old format would misread the new one.'),
  tool: z.string().describe('The version of the program that made it.'),
  inventoryDigest: z.string().describe('SHA-256 of all inventory files, in hex.'),
  playbook: z.string(),
  playbookDigest: z.string().describe('SHA-256 of the playbook, what it imports, and the templates beside it, in hex.'),
  limit: z.string().nullable().describe('The host pattern of `--limit`; `null` without one.'),
  away: z
    .array(z.strictObject({ host: z.string(), because: z.string().describe('Why it could not be asked.') }))
    .describe('Hosts that could not be asked, and that the plan is made without.'),
  summary: z.strictObject({
    hosts: z.number().describe('Hosts that were looked at.'),
    changedHosts: z.number().describe('Hosts on which something changes.'),
    changes: z.number(),
    unknown: z.number(),
    disruptive: z.number().describe('How many of the changes are disruptive.'),
    unchanged: z.number(),
  }),
  plays: z.array(play).describe('One after the other.'),
});

/** The type of {@link planSchema}. */
export type PlanJson = z.infer<typeof planSchema>;
/** One play of {@link PlanJson}. */
export type PlayJson = z.infer<typeof play>;
/** One step of {@link PlanJson}. */
export type StepJson = z.infer<typeof step>;
