import type { Problem, SourcePosition } from './errors.js';
import type { Json } from './json.js';
import type { MarkedText, TemplateValue } from './marked-text.js';
import type { PythonValue } from './python-value.js';
import type { Secret } from './secret.js';

/** How to become another user on the host, from `ansible_become*`. */
export interface Become {
  /** Only sudo is supported. */
  readonly method: 'sudo';
  /** `ansible_become_exe`, a path or a name; default `sudo`. */
  readonly program?: string | undefined;
  /** `ansible_become_flags` as words, without those about asking (`-S`, `-n`); default `-H`. */
  readonly flags?: readonly string[] | undefined;
  readonly user: string;
  /** `ansible_become_password`; absent for NOPASSWD users. */
  readonly password?: Secret | undefined;
}

/** How to reach a host, from its `ansible_*` variables. What is absent is left to ~/.ssh/config and its defaults. */
export interface Connection {
  /** `ansible_host`, else the inventory name. */
  readonly address: string;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  /** Absolute path of a private key, from `ansible_ssh_private_key_file` or `ansible_private_key_file`. */
  readonly privateKeyFile?: string | undefined;
  /** What named the key, for an error: `ansible_ssh_private_key_file of inventory.yaml:5:35`, `--private-key`. */
  readonly privateKeyNamedBy?: string | undefined;
  readonly password?: Secret | undefined;
  /** `ansible_ssh_args`, `ansible_ssh_common_args` and `ansible_ssh_extra_args` as one text, ssh's own options (`-J bastion`, `-o …`). */
  readonly sshArgs?: string | undefined;
  readonly become?: Become | undefined;
}

/**
 * The variables of one host, merged by Ansible's precedence. Templates are rendered when a variable is asked for, so
 * that a variable which nobody uses may hold any Ansible expression.
 */
export interface Variables {
  /** The names that are set, unsorted. */
  names(): readonly string[];
  /**
   * The rendered value; `undefined` when the variable is not set.
   * @throws InputError when its template is wrong or uses an undefined variable, with the place
   */
  get(name: string): Json | undefined;
  /**
   * A variable, or a part of it, as a text whose secrets are marked: what was computed from a secret is one.
   * @throws as {@link Variables.get}
   */
  marked(name: string, path?: readonly (string | number)[]): MarkedText | undefined;
  /**
   * Whether a variable is secret, or computed from what is. `value`: from a `!vault` value; `file`: from a file that is
   * encrypted as a whole, in which most values are no secrets. @throws as {@link Variables.get}
   */
  secretOf(name: string): 'value' | 'file' | undefined;
  /** Where the variable was set, or a part of its value (`['key', 0]`). */
  at(name: string, path?: readonly (string | number)[]): SourcePosition | undefined;
}

/** One host of the inventory. */
export interface Host {
  readonly name: string;
  readonly connection: Connection;
  readonly variables: Variables;
  /** All groups that hold the host, directly or through children, sorted, without `all` and `ungrouped`. */
  readonly groups: readonly string[];
  /** Where the host is named first. */
  readonly at?: SourcePosition | undefined;
}

/** What an inventory file and its group_vars/ and host_vars/ say. */
export interface Inventory {
  /** The path as the user typed it. */
  readonly file: string;
  /** Absolute directory of the inventory: relative paths in variables start here. */
  readonly directory: string;
  /** SHA-256 of all that was loaded, hex: two runs with the same digest saw the same inventory. */
  readonly digest: string;
  /** In inventory order. */
  readonly hosts: ReadonlyMap<string, Host>;
  /** Group → its hosts (children included), in inventory order; `all` holds every host. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** Where a group is named first; nowhere, of those that always exist. */
  groupAt(name: string): SourcePosition | undefined;
  readonly warnings: readonly Problem[];
  /**
   * A Jinja2 text with a host's variables (and Ansible's magic ones: inventory_hostname, groups, hostvars, group_names).
   * @param values laid over them; they are never templates, whatever they hold: answers of hosts may be among them
   * @returns the text; what was computed from a secret is marked
   * @throws InputError naming the undefined variable or the syntax error
   */
  render(host: string, text: string, values?: Readonly<Record<string, TemplateValue>>): MarkedText;
  /** A Jinja2 expression (`when:`) as a truth value. @throws InputError as {@link Inventory.render} */
  test(host: string, expression: string): boolean;
  /**
   * The same inventory with a play's variables laid over those of every host, as Ansible does with `vars:`. They are
   * templates: give it what stands in a playbook, and nothing else.
   */
  withVariables(templates: Readonly<Record<string, PythonValue>>): Inventory;
  /** The same inventory with values laid over the variables of every host; they are never templates, whatever they hold. */
  withValues(values: Readonly<Record<string, TemplateValue>>): Inventory;
}
