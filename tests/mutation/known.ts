import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

/** A mutant that no quick test notices, with the reason. `lab`: the lab test that does. */
const knownSchema = z.array(
  z.strictObject({
    file: z.string(),
    was: z.string(),
    became: z.string(),
    because: z.string().min(10),
    lab: z.string().optional(),
  }),
);

/** One entry of survivors.yaml. */
export type Known = z.infer<typeof knownSchema>[number];

/** What survivors.yaml lists. */
export function readKnown(): readonly Known[] {
  return knownSchema.parse(parse(readFileSync(new URL('survivors.yaml', import.meta.url), 'utf8')));
}
