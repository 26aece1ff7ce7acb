import type { BalancerTargets, Cloud } from './balancer-targets.js';
import { hclAttributes, hclText } from './hcl-text.js';

/** How each file of a module begins, after what makes it a comment. */
const HEADER = 'Written by provision (playbooks/terraform)';

/** By its first line: a person who replaces that says that the file is theirs. */
export function isModuleFile(text: string): boolean {
  return text.startsWith(`# ${HEADER}`) || text.startsWith(`<!-- ${HEADER}`);
}

/** Files of a module that are the same for every inventory. */
const STATIC = ['versions.tf', 'variables.tf', 'main.tf', 'outputs.tf'] as const;

/** One file of a module. */
export interface ModuleFile {
  readonly name: string;
  readonly text: string;
}

/** What a module is made from. */
export interface ModuleSource {
  readonly cloud: Cloud;
  readonly targets: BalancerTargets;
  /** The text of `playbooks/terraform/CLOUD/NAME`. */
  readonly template: (name: string) => string;
  /** As a person types them in a shell. */
  readonly words: { readonly inventory: string; readonly directory: string };
}

/** Every file of a module, in the order in which a person reads them. */
export function moduleFiles({ targets, template, words }: ModuleSource): readonly ModuleFile[] {
  return [
    { name: 'README.md', text: filled(template('README.md'), words) },
    { name: 'inventory.tf', text: inventoryLocals(targets) },
    ...STATIC.map((name) => ({ name, text: template(name) })),
  ];
}

/** Words of a README in capitals stand for what a person types. */
function filled(text: string, { inventory, directory }: ModuleSource['words']): string {
  return text.replaceAll(/INVENTORY|DIRECTORY/g, (word) => (word === 'INVENTORY' ? inventory : directory));
}

function inventoryLocals({ cluster, port, members, controlPlanes }: BalancerTargets): string {
  const object = (entries: readonly (readonly [string, string])[]): string =>
    entries.length === 0 ? '{}' : `{\n${hclAttributes(entries, '    ')}  }`;
  const targets = members.map(
    (each) => [hclText(each.name), `{ address = ${hclText(each.address)}, port = ${each.port} }`] as const,
  );
  const clients = controlPlanes.map((each) => [hclText(each.name), hclText(each.address)] as const);
  return [
    `# ${HEADER}, from the inventory: write it again when members or control planes change.`,
    'locals {',
    `  cluster = ${hclText(cluster)}`,
    '',
    '  # Where the load balancer listens.',
    `  port = ${port}`,
    '',
    `  members = ${object(targets)}`,
    '',
    `  control_planes = ${object(clients)}`,
    '}',
    '',
  ].join('\n');
}
