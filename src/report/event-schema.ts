import { z } from 'zod';
import { planSchema } from '../engine/plan-schema.js';

// The one source of the event lines: their types, and docs/reference/events.md.

const envelope = {
  formatVersion: z.literal(1).describe('Grows when a reader of the old format would misread the new one.'),
  time: z.string().describe('When, ISO 8601 in UTC with milliseconds.'),
};

const host = z.string().describe('Inventory name.');
const hosts = z.array(z.string()).describe('Inventory names.');
const play = z.string().describe('Name of the play.');
const gate = z.string().describe('Name of the gate.');
const waitedMs = z.number().describe('How long it was asked, in milliseconds.');
const elapsedMs = z.number().describe('Milliseconds.');

const change = {
  play,
  host,
  address: z.string().describe('The resource: `file:/etc/haproxy/haproxy.cfg`.'),
  summary: z.string().describe('The change, as the plan names it.'),
};

const gap = z.strictObject({
  longestMs: z.number().describe('From the last success before to the first one after, in milliseconds.'),
  stepMs: z.number().describe('The longest step between attempts in that time: the resolution. Milliseconds.'),
  isOver: z.boolean().describe('False when it did not come back while it was watched.'),
  failed: z.number().describe('Attempts that failed.'),
  attempts: z.number().describe('All attempts.'),
});

/** A literal type, the fields of the event, and what it means. */
function event<T extends string, F extends z.ZodRawShape>(type: T, meaning: string, fields: F) {
  return z.strictObject({ ...envelope, type: z.literal(type), ...fields }).describe(meaning);
}

/** One line of `--format json`. */
export const eventSchema = z.discriminatedUnion('type', [
  event('run-started', 'A run begins.', {
    command: z.enum([
      'plan',
      'apply',
      'bypass',
      'drill',
      'certs renew',
      'ca rotate',
      'snapshot save',
      'snapshot restore',
      'member replace',
      'defrag',
      'recover',
    ]),
    inventory: z.string().describe('The path as it was typed.'),
    by: z
      .string()
      .optional()
      .describe('Who runs it, and where: `user@machine`. Absent in journals of earlier versions.'),
    process: z
      .string()
      .optional()
      .describe(
        'The boot, the pid and the start of its process: they tell whether it still runs. Empty where there is no `/proc`.',
      ),
    hosts,
  }),
  event('host-looking', 'A host is being looked at.', { host }),
  event('host-looked', 'A host was looked at.', { host }),
  event('planned', 'All was decided.', { plan: planSchema.describe('The plan, see [plan.md](plan.md).') }),
  event('play-started', 'A play begins.', { play, hosts }),
  event('batch-started', 'Hosts that are worked on at once begin.', { play, hosts }),
  event('gate-waiting', 'A gate is closed, and is asked again. Sent when the reason changes.', {
    gate,
    hosts,
    reason: z.string().describe('What does not hold yet.'),
  }),
  event('gate-opened', 'A gate is open: the roll-out goes on.', {
    gate,
    hosts,
    waitedMs,
    note: z.string().nullable().describe('What the gate saw, if it says.'),
  }),
  event('change-started', 'A change is being performed.', change),
  event('change-done', 'A change was performed.', { ...change, elapsedMs }),
  event('change-failed', 'A change failed: nothing more is changed on this host.', {
    ...change,
    message: z.string().describe('What failed, with the command and its last output.'),
  }),
  event('rolled-back', 'What a failed change had done was rolled back.', change),
  event('drill-measured', 'A service was stopped for a while by a drill, and is restored.', {
    service: z.string().describe('`haproxy`, `keepalived`.'),
    host: z.string().describe('Where it was stopped: the host that held the virtual IP.'),
    holder: z.string().nullable().describe('Who held the virtual IP at the end; `null`: nobody.'),
    observer: z.string().describe('The host that measured.'),
    address: gap.describe('How long the virtual IP was gone from the network.'),
    client: gap.describe('How long etcd did not answer through it.'),
    recoveredMs: z
      .number()
      .nullable()
      .describe('From the start of the service until all gates were open, in milliseconds; `null`: they did not open.'),
  }),
  event('notice', 'Something that a person should know.', {
    host: z.string().nullable().describe('Inventory name; `null`: it concerns all.'),
    message: z.string(),
  }),
  event('run-finished', 'A run came to its end. It is the last event.', {
    result: z.strictObject({
      changed: z.number().describe('Changes performed.'),
      unchanged: z.number().describe('Resources that needed nothing.'),
      failed: z.number().describe('Changes that failed.'),
      elapsedMs,
    }),
  }),
  event('run-failed', 'A run did not come to its end. It is the last event.', {
    kind: z
      .enum(['failed', 'locked', 'unreachable', 'stale', 'unsafe', 'stopped'])
      .default('failed')
      .describe('Each has an exit code; `locked` and `unreachable` may be tried again: [errors.md](errors.md).'),
    message: z.string().describe('What that means for the hosts.'),
    failures: z.array(
      z.strictObject({
        host: z.string().nullable().describe('Inventory name; `null`: the run itself.'),
        code: z
          .string()
          .optional()
          .describe('What kind of failure, see [errors.md](errors.md). Absent: a bug, or no error.'),
        message: z.string().describe('Lines: what failed, at which command, and its last output.'),
      }),
    ),
    hint: z.string().nullable().describe('What to do next.'),
  }),
]);

/** The type of {@link eventSchema}. */
export type EventJson = z.infer<typeof eventSchema>;
