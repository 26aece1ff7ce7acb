import { z } from 'zod';
import { CAUSE_NAMES } from './finding.js';

// The one source of what `doctor etcd --format json` prints: its types, and docs/reference/diagnosis.md.

const evidence = z
  .strictObject({
    host: z.string().nullable().describe('Whose word it is, an inventory name; `null`: of several.'),
    text: z.string(),
  })
  .describe('One thing that was seen.');

const cause = z
  .strictObject({
    cause: z.enum(CAUSE_NAMES).describe('What it is; `unexplained`: something is wrong, for none of the known causes.'),
    verdict: z
      .enum(['warn', 'fail'])
      .describe('`warn`: etcd serves all the same; `fail`: it does not, or will not after the next fault.'),
    hosts: z.array(z.string()).describe('The members that it concerns; none: this machine.'),
    summary: z.string(),
    evidence: z.array(evidence),
    next: z.string().describe('The one command to type next.'),
  })
  .describe('One cause.');

/** What `doctor etcd --format json` prints. */
export const diagnosisSchema = z.strictObject({
  formatVersion: z.literal(1),
  inventory: z.string().describe('As it was typed.'),
  state: z
    .enum(['healthy', 'degraded', 'down'])
    .describe('All members serve; some do; none is known to, or no write is accepted.'),
  healthy: z.number().describe('Members that commit proposals and can be used by clients.'),
  members: z.number().describe('Members of the inventory.'),
  quorum: z.number().describe('Members that must agree.'),
  causes: z.array(cause).describe('The root cause first; empty: nothing is wrong.'),
  runs: z
    .array(z.strictObject({ host: z.string(), evidence: z.string(), next: z.string() }))
    .describe('Locks: a run that is in progress, or was abandoned, may be why members are stopped.'),
});

/** The whole diagnosis, as JSON. */
export type DiagnosisJson = z.infer<typeof diagnosisSchema>;
