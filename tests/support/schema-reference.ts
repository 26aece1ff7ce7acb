import { z } from 'zod';

/** The parts of JSON Schema that zod writes for our schemas. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly additionalProperties?: unknown;
}

/** One field: where it is in its object, what it may be, what it means. */
interface Field {
  readonly path: string;
  readonly type: string;
  readonly meaning: string;
}

/** One object of a table: its fields, and the variants that follow at the same place. */
export interface Table {
  readonly title: string;
  readonly meaning: string;
  readonly fields: readonly Field[];
}

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(' or ');
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return variants.map(typeOf).filter(isNew).join(' or ');
  if (schema.items) return `array of ${typeOf(schema.items)}`;
  return typeof schema.type === 'string' ? schema.type : (schema.type ?? ['any']).join(' or ');
}

function isNew(value: string, index: number, all: readonly string[]): boolean {
  return all.indexOf(value) === index;
}

/** The objects inside a field, with what stands before their fields. */
function inside(path: string, schema: Schema): [string, Schema][] {
  if (schema.items) return inside(`${path}[]`, schema.items);
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return variants.flatMap((variant) => inside(path, variant));
  return schema.properties ? [[path, schema]] : [];
}

/** What a table is called: the field that it is in, and which of the field's variants it is. */
function titleOf(path: string, object: Schema): string {
  const variant = Object.entries(object.properties ?? {}).find(([, property]) => typeof property.const === 'string');
  return variant ? `\`${path}\`, ${variant[0]} \`${String(variant[1].const)}\`` : `\`${path}\``;
}

function tablesOf(title: string, schema: Schema): Table[] {
  const properties = Object.entries(schema.properties ?? {});
  const fields = properties.map(([name, property]) => ({
    path: name,
    type: typeOf(property),
    meaning: property.description ?? '',
  }));
  const inner = properties
    .flatMap(([name, property]) => inside(name, property))
    .flatMap(([path, object]) => tablesOf(titleOf(path, object), object));
  return [{ title, meaning: schema.description ?? '', fields }, ...inner];
}

/** The tables of a schema and of all objects in it, each kind of object once. */
export function describeSchema(title: string, schema: z.ZodType): Table[] {
  const tables = tablesOf(title, z.toJSONSchema(schema, { reused: 'inline' }) as Schema);
  const keys = tables.map(({ fields }) => JSON.stringify(fields));
  return tables.filter((_, index) => isNew(keys[index] ?? '', index, keys));
}

/** One table as Markdown. */
export function renderTable({ title, meaning, fields }: Table): string {
  const rows = fields.map(({ path, type, meaning: what }) => `| \`${path}\` | ${type} | ${what} |`);
  const intro = meaning === '' ? [] : [meaning, ''];
  return [`## ${title}`, '', ...intro, '| field | type | meaning |', '|---|---|---|', ...rows, ''].join('\n');
}
