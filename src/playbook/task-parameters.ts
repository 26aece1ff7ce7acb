/** The parameters of a task's module, and where in the task each of them stands. */
export interface TaskParameters {
  readonly raw: unknown;
  /** @param parameter path in the parameters @returns path in the task */
  readonly placeOf: (parameter: readonly PropertyKey[]) => readonly PropertyKey[];
}

/**
 * Puts together what stands under the module and under `args`, as Ansible does: what the module says itself counts. A text in place of
 * parameters is what `command` and `shell` run; to other modules it is no parameter.
 */
export function taskParameters(
  task: Readonly<Record<string, unknown>>,
  module: string,
  args: Readonly<Record<string, unknown>> | undefined,
): TaskParameters {
  const given = task[module];
  const own = isFreeForm(module) && typeof given === 'string' ? { cmd: given } : given;
  const isText = own !== given;
  const mapping = typeof own === 'object' && own !== null && !Array.isArray(own) ? { ...own } : undefined;
  const isOwn = (name: PropertyKey | undefined): boolean =>
    args === undefined ||
    name === undefined ||
    !Object.hasOwn(args, name) ||
    (mapping !== undefined && Object.hasOwn(mapping, name));
  return {
    raw: args === undefined || (mapping === undefined && own !== null) ? own : { ...args, ...mapping },
    placeOf: (parameter) =>
      !isOwn(parameter[0]) ? ['args', ...parameter] : isText ? [module] : [module, ...parameter],
  };
}

/** What Ansible takes out of such a text, and for a parameter (`parse_kv`). */
const WITHIN = /(?:^|\s)(creates|removes|chdir|executable|warn|stdin|stdin_add_newline|strip_empty_ends)=/;

/** The parameter that stands within the text of a command, which Ansible would take out of it. */
export function parameterWithin(task: Readonly<Record<string, unknown>>, module: string): string | undefined {
  const text = task[module];
  return isFreeForm(module) && typeof text === 'string' ? WITHIN.exec(text)?.[1] : undefined;
}

/** The modules whose text is a command. */
function isFreeForm(module: string): boolean {
  return /^(?:ansible\.builtin\.)?(?:command|shell)$/.test(module);
}
