import { z } from 'zod';
import type { Resource } from '../model/change.js';
import type { MarkedText } from '../model/marked-text.js';

/** What a module may use to turn its parameters into a resource. */
export interface ModuleContext {
  /** The task's name. */
  readonly name: string | undefined;
  /** Absolute directory of the playbook. */
  readonly directory: string;
  /** Jinja2 with the host's variables: the text of the file that `src` names. */
  readonly render: (text: string) => MarkedText;
  /** The parameter `content`, rendered, with its secrets marked. */
  readonly content: MarkedText | undefined;
  /** The resources of the play so far: what a service runs with. */
  readonly before: readonly Resource[];
}

/** A module: Ansible's name and parameters, and the resources that they mean. */
export interface Module {
  readonly schema: z.ZodType;
  /** The names of its parameters, for "did you mean". */
  readonly parameters: readonly string[];
  build(parameters: unknown, context: ModuleContext): Resource;
}

/** Makes a module of its parameters, and what they mean. */
export function defineModule<Shape extends z.ZodRawShape>(
  shape: Shape,
  build: (parameters: z.infer<z.ZodObject<Shape>>, context: ModuleContext) => Resource,
): Module {
  const parameters = Object.keys(shape);
  const asMapping = `expected its parameters as a mapping: { ${parameters.map((name) => `${name}: …`).join(', ')} }`;
  const schema = z.strictObject(shape, { error: ({ code }) => (code === 'invalid_type' ? asMapping : undefined) });
  return {
    schema,
    parameters,
    build: (given, context) => build(schema.parse(given), context),
  };
}

/** As what a schema refuses: it gets its place in the playbook from there. @param path the parameter, where it is one */
export function wrong(message: string, ...path: readonly string[]): z.ZodError {
  return new z.ZodError([{ code: 'custom', path: [...path], message, input: undefined }]);
}
