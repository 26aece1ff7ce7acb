import { z } from 'zod';

// The one source of what `fleet` prints as JSON: its types, `provision schema fleet`, and docs/reference/fleet.md.

const cluster = {
  cluster: z.string().describe('Its name: the path of its inventory below the directory.'),
  inventory: z.string().describe('Its inventory.'),
};

/** What `fleet list --format json` prints. */
export const fleetListSchema = z.strictObject({
  formatVersion: z.literal(1),
  directory: z.string().describe('As it was typed.'),
  clusters: z.array(z.strictObject(cluster).describe('One cluster.')),
});

const result = z
  .strictObject({
    ...cluster,
    outcome: z
      .enum(['ok', 'failed', 'locked', 'unreachable', 'stale', 'unsafe', 'stopped', 'not-started'])
      .describe(
        '`ok`; `not-started`: others had failed before, or a stop was asked for; else how it failed: each has an exit code.',
      ),
    changes: z
      .number()
      .nullable()
      .describe(
        'Changes that are planned (with those known after apply) or were performed; `null`: not known, or verify.',
      ),
    summary: z.string().describe('One line: what is planned or was done, or the first failure.'),
    hint: z.string().nullable().describe('What to do next, where it failed.'),
    elapsedMs: z.number().describe('Milliseconds.'),
  })
  .describe('What came of one cluster.');

/** What `fleet plan`, `fleet apply` and `fleet verify --format json` print. */
export const fleetSchema = z.strictObject({
  formatVersion: z.literal(1),
  verb: z.enum(['plan', 'apply', 'verify']),
  directory: z.string().describe('As it was typed.'),
  elapsedMs: z.number().describe('Milliseconds, of all together.'),
  clusters: z.array(result).describe('In the order of their names.'),
});

/** What `fleet list` prints. */
export type FleetListJson = z.infer<typeof fleetListSchema>;
/** What came of a fleet. */
export type FleetJson = z.infer<typeof fleetSchema>;
/** What came of one cluster. */
export type ClusterResult = FleetJson['clusters'][number];
/** What is done to a whole fleet. */
export type FleetVerb = FleetJson['verb'];
