import { describe, expect, test } from '@jest/globals';
import { certificatesSchema } from '../../../src/day-two/certificate-schema.js';
import { snapshotListSchema } from '../../../src/day-two/snapshot-manifest.js';
import { diagnosisSchema } from '../../../src/diagnosis/diagnosis-schema.js';
import { planSchema } from '../../../src/engine/plan-schema.js';
import { fleetListSchema, fleetSchema } from '../../../src/fleet/fleet-schema.js';
import { ERROR_AREAS } from '../../../src/model/error-codes.js';
import { EXIT } from '../../../src/model/errors.js';
import type { Event } from '../../../src/model/events.js';
import { eventSchema, type EventJson } from '../../../src/report/event-schema.js';
import { expectGolden } from '../../support/golden.js';
import { describeSchema, renderTable } from '../../support/schema-reference.js';

/** Fails to compile when one side has a type of event that the other has not. */
const EVERY_EVENT_HAS_A_SCHEMA: Event['type'] extends EventJson['type']
  ? EventJson['type'] extends Event['type']
    ? true
    : never
  : never = true;

const NOTE = `<!-- Generated from the schema by \`UPDATE_GOLDEN=1 npm run -s test:unit\`: change it there. -->`;
const ENVELOPE = ['formatVersion', 'time', 'type'];

function eventReference(): string {
  const intro = `# Events

${NOTE}

\`provision plan\`, \`apply\`, \`bypass\`, \`certs renew\`, \`ca rotate\`, \`snapshot save\`, \`snapshot restore\`, \`member replace\`, \`defrag\`, \`recover\` and \`drill\` with \`--format json\` write one JSON object a line (NDJSON) to stdout. No
event holds a secret. Every event has these fields:

| field | type | meaning |
|---|---|---|
| \`formatVersion\` | \`1\` | Grows when a reader of the old format would misread the new one. |
| \`time\` | string | When, ISO 8601 in UTC with milliseconds. |
| \`type\` | string | Which of the events below it is. |

New types and new fields may come without a new \`formatVersion\`: skip what you do not know.

`;
  const plan = new Set(describeSchema('plan', planSchema).map(({ fields }) => JSON.stringify(fields)));
  const tables = eventSchema.options
    .flatMap((option) => describeSchema(option.shape.type.value, option))
    .filter(({ fields }) => !plan.has(JSON.stringify(fields)))
    .map((table) => ({ ...table, fields: table.fields.filter(({ path }) => !ENVELOPE.includes(path)) }));
  return intro + tables.map(renderTable).join('\n');
}

function planReference(): string {
  const intro = `# The plan as JSON

${NOTE}

What \`provision plan -o FILE\` and the \`planned\` event of \`--format json\` hold. Contents of files are replaced by
digests; secrets are in it in no form. The same plan always gives the same text.

`;
  return intro + describeSchema('The plan', planSchema).map(renderTable).join('\n');
}

function certificatesReference(): string {
  const intro = `# The list of certificates as JSON

${NOTE}

What \`provision certs list INVENTORY --format json\` prints: one object. New fields may come without a new \`formatVersion\`.

`;
  return intro + describeSchema('The list', certificatesSchema).map(renderTable).join('\n');
}

function snapshotsReference(): string {
  const intro = `# Snapshots as JSON

${NOTE}

What \`provision snapshot list --format json\` prints: one object. A manifest is also the file \`SNAPSHOT.json\` beside each snapshot.
New fields may come without a new \`formatVersion\`.

`;
  return intro + describeSchema('The list', snapshotListSchema).map(renderTable).join('\n');
}

function diagnosisReference(): string {
  const intro = `# A diagnosis as JSON

${NOTE}

What \`provision doctor etcd INVENTORY --format json\` prints: one object; \`provision schema diagnosis\` prints its schema. New fields
and causes may come without a new \`formatVersion\`. What each cause means: [runbook](../runbooks/etcd-does-not-answer.md).

`;
  return intro + describeSchema('The diagnosis', diagnosisSchema).map(renderTable).join('\n');
}

function fleetReference(): string {
  const intro = `# A fleet as JSON

${NOTE}

What \`provision fleet plan\`, \`apply\` and \`verify\` print with \`--format json\`: one object, at the end; \`provision schema fleet\` prints its
schema. The exit code is the worst of all: [errors.md](errors.md). New fields may come without a new \`formatVersion\`.

`;
  return (
    intro +
    [...describeSchema('The fleet', fleetSchema), ...describeSchema('The list', fleetListSchema)]
      .map(renderTable)
      .join('\n')
  );
}

function errorReference(): string {
  const intro = `# Errors

<!-- Generated from src/model/error-codes/ by \`UPDATE_GOLDEN=1 npm run -s test:unit\`: change it there. -->

Each error has a code, which stays when its text changes. \`provision explain CODE\` prints what is here; with
\`--format json\`, the failures of the \`run-failed\` event carry it ([events.md](events.md)). What the error itself prints knows
host, path and value, and is more exact. The exit code is 1 where no other is named; of several failures the worst decides (6, 5, 1, 130,
4, 3), so that 3 and 4, after which the same command may be tried again, stand for all of them.

`;
  const areas = ERROR_AREAS.map(
    ({ title, codes }) =>
      `## ${title}\n\n${Object.entries(codes)
        .map(([code, { why, next, kind }]) => {
          const exit = kind === undefined ? '' : `\n**Exit code**: ${EXIT[kind]}, ${kind}\n`;
          return `### ${code}\n\n${why}\n\n**Next**: ${next}\n${exit}`;
        })
        .join('\n')}`,
  );
  return intro + areas.join('\n');
}

describe('the reference is current', () => {
  test('docs/reference/certificates.md', () => {
    expectGolden('docs/reference/certificates.md', certificatesReference());
  });

  test('docs/reference/snapshots.md', () => {
    expectGolden('docs/reference/snapshots.md', snapshotsReference());
  });

  test('docs/reference/diagnosis.md', () => {
    expectGolden('docs/reference/diagnosis.md', diagnosisReference());
  });

  test('docs/reference/fleet.md', () => {
    expectGolden('docs/reference/fleet.md', fleetReference());
  });

  test('docs/reference/events.md', () => {
    expectGolden('docs/reference/events.md', eventReference());
  });

  test('docs/reference/errors.md', () => {
    expectGolden('docs/reference/errors.md', errorReference());
  });

  test('docs/reference/plan.md', () => {
    expectGolden('docs/reference/plan.md', planReference());
  });

  test('every type of event is in it', () => {
    expect(EVERY_EVENT_HAS_A_SCHEMA).toBe(true);
    for (const option of eventSchema.options) expect(eventReference()).toContain(`## ${option.shape.type.value}\n`);
  });

  test.each([eventReference, planReference, certificatesReference])('every field of it has a type', (render) => {
    expect(render()).not.toMatch(/^\| `[^|]*` \| (?:any|undefined)? *\|/m);
  });
});
