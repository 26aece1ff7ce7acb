import type { Start } from './answers.js';
import type { CheckResult } from './check-result.js';
import type { Ask } from './interview.js';
import type { KnownInventory } from './known-inventory.js';

/** Reads an inventory that is there. @returns what it gives, or what is wrong with it, in one line */
export type ReadKnown = (path: string) => Promise<KnownInventory | string>;

/** What there is before the first host is named. */
export interface Started {
  readonly start: Start;
  /** Of the start `inventory`. */
  readonly known?: KnownInventory;
}

const CHOICES: readonly { readonly value: Start; readonly name: string }[] = [
  { value: 'bare', name: 'bare hosts: etcd is to be set up' },
  { value: 'etcd', name: 'a running etcd: it is described first, and keeps what it has' },
  { value: 'kubernetes', name: 'a running Kubernetes with external etcd' },
  { value: 'stacked', name: 'a running Kubernetes of kubeadm with a stacked etcd, which moves to hosts of its own' },
  { value: 'inventory', name: 'an Ansible or kubespray inventory to start from' },
];

/** Asks what there is already. */
export async function askStart(ask: Ask, readKnown: ReadKnown): Promise<Started> {
  const start = await ask.choose({ key: 'start', message: 'What do you have?', choices: CHOICES, default: 'bare' });
  if (start === 'stacked') ask.note('! name the control planes, and the bare hosts that their etcd is to move to');
  if (start !== 'inventory') return { start };
  const path = await ask.text({
    key: 'from',
    message: 'That inventory (a file or a directory; it stays as it is)',
    check: async (answer): Promise<CheckResult> => {
      if (answer === '') return 'a path is needed';
      const known = await readKnown(answer);
      return typeof known === 'string' ? known : true;
    },
  });
  const known = await readKnown(path);
  if (typeof known === 'string') return { start };
  ask.note('! its hosts, groups and connections are taken; its other variables are not');
  for (const sentence of known.left) ask.note(`! ${sentence}`);
  return { start, known };
}
