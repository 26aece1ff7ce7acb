import { z } from 'zod';
import { withOwnBackslashes } from '../ansible/jinja-tokens.js';
import { holdsOmit, OMIT_ELSEWHERE } from '../ansible/omit.js';
import type { Resource } from '../model/change.js';
import { InputError, type SourcePosition } from '../model/errors.js';
import type { Inventory } from '../model/inventory.js';
import type { MarkedText } from '../model/marked-text.js';
import type { Module } from './module.js';
import { moduleNamed } from './modules.js';
import { loopControl, taskFrame, taskWords, type RawTask, type TaskFrame, type When } from './playbook-schema.js';
import type { ReadPlay } from './read-playbook.js';
import { renderParameters } from './rendered-parameters.js';
import { passesOf, type Pass } from './task-loop.js';
import { parameterWithin, taskParameters } from './task-parameters.js';
import { atPlace, problemsOf, refuseProblems } from './yaml-source.js';

/** A play on one host. */
export interface TaskSite {
  readonly read: ReadPlay;
  /** With the variables of the play. */
  readonly inventory: Inventory;
  readonly host: string;
}

/** Whether all conditions of a `when` hold on a host. @throws InputError for an expression that is wrong */
export function holds(inventory: Inventory, host: string, when: When | undefined): boolean {
  const conditions = when === undefined ? [] : Array.isArray(when) ? when : [when];
  return conditions.every((condition) =>
    typeof condition === 'boolean' ? condition : inventory.test(host, condition),
  );
}

/**
 * What a task means on a host.
 * @param before the resources of the play so far
 * @returns one, or one for each item of its loop; none where its `when` does not hold
 * @throws InputError with the place of what is wrong
 */
export function taskResources(
  { read, inventory: ofPlay, host }: TaskSite,
  path: readonly PropertyKey[],
  task: RawTask,
  before: readonly Resource[],
): readonly Resource[] {
  const words: readonly string[] = taskWords;
  const moduleName = Object.keys(task).find((key) => !words.includes(key)) ?? '';
  const module = moduleNamed(moduleName);
  if (module === undefined) return [];
  const frame = inTask(
    read,
    (word) => [...path, ...word],
    Object.keys(loopControl.shape),
    () => taskFrame.parse(task),
  );
  const within = parameterWithin(task, moduleName);
  if (within !== undefined) {
    const message = `has ${within}= in its text: write ${within} under \`args\``;
    const at = read.source.at([...path, moduleName]);
    throw new InputError([{ severity: 'error', at, subject: `tasks.${moduleName}`, message }]);
  }
  const inPlay = frame.vars === undefined ? ofPlay : ofPlay.withVariables(frame.vars);
  const raise = <T>(word: string, work: () => T): T => atPlace(read.source, [...path, word], work);
  return unlessLeftOut(frame.when, inPlay, host, () => passesOf(frame, inPlay, host, raise)).flatMap(
    ({ inventory, label }) => {
      if (!raise('when', () => holds(inventory, host, frame.when))) return [];
      const shown = nameOf(frame.name, inventory, host);
      const name = shown === undefined || label === undefined ? shown : `${shown} (item=${label})`;
      return [onePass({ read, inventory, host }, path, { task, moduleName, module, args: frame.args, name }, before)];
    },
  );
}

/** What a loop is over may be missing where the task is left out in any case: then there is no item, as in Ansible. */
function unlessLeftOut(
  when: When | undefined,
  inventory: Inventory,
  host: string,
  passes: () => readonly Pass[],
): readonly Pass[] {
  try {
    return passes();
  } catch (error) {
    if (error instanceof InputError && isLeftOut(when, inventory, host)) return [];
    throw error;
  }
}

function isLeftOut(when: When | undefined, inventory: Inventory, host: string): boolean {
  try {
    return !holds(inventory, host, when);
  } catch {
    return false;
  }
}

/** A task, and the module that it names. */
interface Named {
  readonly task: RawTask;
  readonly moduleName: string;
  readonly module: Module;
  readonly args: TaskFrame['args'];
  /** As it is shown. */
  readonly name: string | undefined;
}

/** What a task means with the variables that one item of its loop gives it. */
function onePass(
  { read, inventory, host }: TaskSite,
  path: readonly PropertyKey[],
  { task, moduleName, module, args, name }: Named,
  before: readonly Resource[],
): Resource {
  const { raw, placeOf } = taskParameters(task, moduleName, args);
  const at = (parameter: readonly PropertyKey[]): readonly PropertyKey[] => [...path, ...placeOf(parameter)];
  const render = (text: string, parameter: readonly PropertyKey[]): MarkedText =>
    atPlace(read.source, at(parameter), () => inventory.render(host, text));
  // As Ansible: what a playbook says is escaped as a variable is, what a file says as Jinja2 has it.
  const { parameters, content, secrets } = renderParameters(raw, (text, parameter) =>
    render(withOwnBackslashes(text), parameter),
  );
  const positionOf = (parameter: string): SourcePosition => read.source.at(at([parameter]));
  refuseSecrets(positionOf, secrets);
  refuseOmit(positionOf, parameters);
  const ofFile = (text: string): MarkedText => {
    const rendered = render(text, ['src']);
    refuseOmit(positionOf, { src: rendered.reveal() });
    return rendered;
  };
  const context = { name, directory: read.directory, render: ofFile, content, before };
  const resource = inTask(read, at, module.parameters, () => module.build(parameters, context));
  return name === undefined ? resource : { ...resource, task: name };
}

/** A task's name as it is read on a host; as it is written where it can't be rendered, as Ansible has it, and where it would show a secret. */
function nameOf(written: string | undefined, inventory: Inventory, host: string): string | undefined {
  if (written === undefined) return undefined;
  try {
    const name = inventory.render(host, withOwnBackslashes(written));
    return name.isSecret ? written : name.reveal();
  } catch (error) {
    if (error instanceof InputError) return written;
    throw error;
  }
}

/** Turns what zod found into problems at their places. */
function inTask<T>(
  read: ReadPlay,
  placeOf: (path: readonly PropertyKey[]) => readonly PropertyKey[],
  known: readonly string[],
  build: () => T,
): T {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const issues = error.issues.flatMap((issue): readonly z.core.$ZodIssue[] =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ ...issue, keys: [key], path: placeOf([...issue.path, key]).slice(0, -1) }))
        : [{ ...issue, path: [...placeOf(issue.path)] }],
    );
    throw new InputError(problemsOf(read.source, issues, () => known));
  }
}

/** What is omitted was left out by now; in a list, or in the middle of a text, it would be used as it is. */
function refuseOmit(positionOf: (name: string) => SourcePosition, parameters: unknown): void {
  const named = Object.entries(typeof parameters === 'object' ? { ...parameters } : {});
  refuseProblems(
    named
      .filter(([, value]) => holdsOmit(value))
      .map(([name]) => ({ severity: 'error', at: positionOf(name), subject: name, message: OMIT_ELSEWHERE })),
  );
}

/** Secrets may stand in contents only: any other parameter shows in plans, and in the processes of its host. */
function refuseSecrets(positionOf: (name: string) => SourcePosition, secrets: readonly string[]): void {
  const message =
    'holds a vault value, or what was computed from one, which would be seen in plans and processes; write it to a file ' +
    'with copy or template, and read it from there';
  refuseProblems(secrets.map((name) => ({ severity: 'error', at: positionOf(name), subject: name, message })));
}
