import { copyFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { journalDirectory, type KeptRun } from '../../src/report/journal.js';
import { keptRuns } from './kept-runs.js';
import type { TestLab } from './lab.js';
import { inventoryWith, PASSPHRASE, vipOf } from './main-job.js';
import { partOf, readPage, readSteps, workThrough, type PagePart, type PagePlace } from './page.js';
import { temporaryDirectory } from './temporary-directory.js';

/** The addresses that the pages write for the hosts of a lab. */
const LAST_NUMBERS = {
  ...{ 'etcd-1': 11, 'etcd-2': 12, 'etcd-3': 13, 'etcd-4': 14, 'cp-1': 21, 'cp-2': 22, 'cp-3': 23 },
  ...{ 'lb-1': 31, 'lb-2': 32, 'worker-1': 41, 'worker-2': 42 },
};

/**
 * A directory in which pages of the documentation can be worked through on a lab: their addresses are those of its hosts.
 * @param acts what no command can do, by the words of the page
 */
export async function placeOnLab(lab: TestLab, acts: PagePlace['byHand'] = {}): Promise<PagePlace> {
  const { stdout } = await lab.provision('inventory', lab.files.inventory, '--format', 'json');
  const { hostvars } = (JSON.parse(stdout) as { _meta: { hostvars: Record<string, Record<string, string>> } })._meta;
  const addresses = Object.entries(LAST_NUMBERS).flatMap(([host, last]) => {
    const own = hostvars[host]?.['ansible_host'];
    return own === undefined ? [] : [[`10.0.1.${last}`, own] as const];
  });
  // The lab's hosts are reached with keys of their own.
  const user = [
    'ansible_user: deploy',
    `ansible_ssh_private_key_file: ${JSON.stringify(lab.files.privateKey)}`,
    `ansible_ssh_common_args: ${JSON.stringify(`-o UserKnownHostsFile=${lab.files.knownHosts}`)}`,
  ].join('\n    ');
  const work = temporaryDirectory('pages');
  const vip = await vipOf(lab);
  const words = [
    ['ansible_user: ops', user],
    ['10.0.1.100', vip],
    // Of the API servers.
    ['10.0.1.101', vip.replace(/\d+$/, '99')],
    ['/etc/provision/passphrase', join(work, '.new-passphrase')],
    ...addresses,
  ] as const;
  return {
    work,
    run: (command) => lab.onControlSide(command),
    here: (text) =>
      [...words, ...snapshotsIn(work)].reduce(
        (done, [word, own]) => done.replaceAll(new RegExp(`(?<!\\w)${word}(?!\\w)`, 'g'), own),
        text,
      ),
    byHand: acts,
    sshConfig: lab.files.sshConfig,
  };
}

/** The snapshots that the pages name, and the last ones that there are in their places. */
function snapshotsIn(work: string): readonly (readonly [string, string])[] {
  const lastIn = (directory: string): string =>
    readdirSync(join(work, directory))
      .filter((name) => /\.db(?:\.age)?$/.test(name))
      .toSorted()
      .at(-1) ?? '';
  const places = [
    ['etcd-2026-11-26T02-00-00.000Z.db.age', '.provision/snapshots'],
    ['etcd-etcd-1-2026-11-26T02-31-07Z.db', 'fetched'],
  ] as const;
  return places.flatMap(([name, directory]) =>
    existsSync(join(work, directory)) ? [[name, lastIn(directory)] as const] : [],
  );
}

/**
 * A place with the lab's own inventory, and what a person types when a passphrase is asked for: as runbooks begin.
 * @param variables more of them, for all hosts
 */
export async function placeWithInventory(
  lab: TestLab,
  acts: PagePlace['byHand'] = {},
  variables: readonly string[] = [],
): Promise<PagePlace> {
  const place = await placeOnLab(lab, acts);
  copyFileSync(await inventoryWith(lab, 'of-page', variables), join(place.work, 'inventory.yaml'));
  writeFileSync(join(place.work, '.variables'), `export PROVISION_CA_PASSPHRASE=${PASSPHRASE}\n`, { mode: 0o600 });
  writeFileSync(join(place.work, '.on-the-way'), 'on-the-way-planted\n', { mode: 0o600 });
  writeFileSync(join(place.work, '.new-passphrase'), `${PASSPHRASE}\n`, { mode: 0o600 });
  return place;
}

/** A place beside an inventory of a test, which stands for that of the pages, with the authority that is there. */
export async function placeBeside(lab: TestLab, inventory: string, acts: PagePlace['byHand'] = {}): Promise<PagePlace> {
  const place = await placeOnLab(lab, acts);
  const work = dirname(inventory);
  writeFileSync(join(work, '.variables'), `export PROVISION_CA_PASSPHRASE=${PASSPHRASE}\n`, { mode: 0o600 });
  const here = (text: string): string => place.here(text).replaceAll('inventory.yaml', basename(inventory));
  return { ...place, work, here };
}

/** What was performed where a page is worked through, run by run, as the journal has it: `provision history`. */
export async function runsAt({ work }: PagePlace): Promise<readonly KeptRun[]> {
  const runs = await keptRuns(journalDirectory(work));
  return runs.filter(({ changed }) => changed > 0);
}

/**
 * Works a page of the documentation through, or a part of it, from its text, and says how long it took.
 * @param name such as `runbooks/bypass`
 */
export async function workThroughPage(name: string, place: PagePlace, part: PagePart = {}): Promise<void> {
  const begun = Date.now();
  try {
    await workThrough(readSteps(partOf(readPage(name), part)), place);
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  console.log(`${name}: ${((Date.now() - begun) / 1000).toFixed(0)} s`);
}
