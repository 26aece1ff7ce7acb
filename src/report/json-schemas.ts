import { z } from 'zod';
import { VARIABLES } from '../cluster/known-variables.js';
import type { KnownVariable } from '../cluster/variable-definition.js';
import { diagnosisSchema } from '../diagnosis/diagnosis-schema.js';
import { planSchema } from '../engine/plan-schema.js';
import { fleetSchema } from '../fleet/fleet-schema.js';
import { ProvisionError } from '../model/errors.js';
import { didYouMean } from '../model/did-you-mean.js';
import { moduleNamed, moduleNames } from '../playbook/modules.js';
import { importSchema, playSchema, taskFrame } from '../playbook/playbook-schema.js';
import { answersSchema } from '../wizard/answers.js';
import { eventSchema } from './event-schema.js';

/** A schema as JSON (https://json-schema.org, draft 2020-12). */
type JsonSchema = Readonly<Record<string, unknown>>;

/** Jinja2, which stands for any value: it is checked when it is rendered. */
const TEMPLATE: JsonSchema = { type: 'string', pattern: String.raw`\{[{%]` };

/** What is read and written, by the name that `provision schema` takes. */
const SCHEMAS: Readonly<Record<string, () => JsonSchema>> = {
  inventory: inventorySchema,
  playbook: playbookSchema,
  plan: () => ({ title: 'A saved plan of provision', ...z.toJSONSchema(planSchema) }),
  diagnosis: () => ({ title: 'A diagnosis of etcd by provision', ...z.toJSONSchema(diagnosisSchema) }),
  events: () => ({ title: 'One line of --format json of provision', ...z.toJSONSchema(eventSchema) }),
  fleet: () => ({ title: 'What came of a fleet of provision', ...z.toJSONSchema(fleetSchema) }),
  answers: () => ({ title: 'Answers of provision init', ...z.toJSONSchema(answersSchema) }),
};

/** The names that {@link jsonSchema} takes. */
export const SCHEMA_NAMES: readonly string[] = Object.keys(SCHEMAS);

/** The JSON Schema of what is read or written, for editors and checkers. @throws ProvisionError `unknown-schema` */
export function jsonSchema(name: string): JsonSchema {
  const made = Object.hasOwn(SCHEMAS, name) ? SCHEMAS[name] : undefined;
  if (made !== undefined) return made();
  throw new ProvisionError({
    code: 'unknown-schema',
    message: `there is no schema of ${name}${didYouMean(name, SCHEMA_NAMES)}`,
    hint: `give one of: ${SCHEMA_NAMES.join(', ')}`,
  });
}

/** What people write: before defaults and conversions. */
function ofInput(schema: z.ZodType): JsonSchema {
  const made = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return Object.fromEntries(Object.entries(made).filter(([key]) => key !== '$schema'));
}

const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

/** Groups as Ansible has them. Variables of other tools may be anything. */
function inventorySchema(): JsonSchema {
  const variables = Object.entries<KnownVariable<unknown>>(VARIABLES).map(([name, { schema, description }]) => [
    name,
    { description, anyOf: [ofInput(schema), TEMPLATE, { type: 'null' }] },
  ]);
  const mapping = (of: string): JsonSchema => ({
    type: ['object', 'null'],
    additionalProperties: { $ref: `#/$defs/${of}` },
  });
  return {
    $schema: DRAFT,
    title: 'An inventory of provision',
    ...mapping('group'),
    $defs: {
      group: {
        type: ['object', 'null'],
        properties: { hosts: mapping('variables'), vars: { $ref: '#/$defs/variables' }, children: mapping('group') },
        additionalProperties: false,
      },
      variables: { type: ['object', 'null'], properties: Object.fromEntries(variables) as JsonSchema },
    },
  };
}

function playbookSchema(): JsonSchema {
  const modules = moduleNames().map((name): readonly [string, JsonSchema] => {
    const module = moduleNamed(name);
    return [name, module === undefined ? {} : ofInput(module.schema)];
  });
  const play = ofInput(playSchema);
  const task = ofInput(taskFrame);
  const items = {
    ...task,
    properties: { ...propertiesOf(task), ...(Object.fromEntries(modules) as JsonSchema) },
    additionalProperties: false,
  };
  const tasks = { type: 'array', items };
  return {
    $schema: DRAFT,
    title: 'A playbook of provision',
    type: 'array',
    items: { anyOf: [{ ...play, properties: { ...propertiesOf(play), tasks } }, ofInput(importSchema)] },
  };
}

function propertiesOf(schema: JsonSchema): JsonSchema {
  return schema['properties'] as JsonSchema;
}
