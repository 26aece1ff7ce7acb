import { expect, test } from '@jest/globals';
import { roleTable } from '../../../src/roles/table.js';
import type { Role } from '../../../src/roles/role.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { ROLE_TOOLS } from '../../support/role-tools.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';

const INVENTORY = templateInventory(['etcd-1', 'etcd-2', 'etcd-3', 'cp-1']);
const HOST = 'etcd-1';
/** What its member is called. */
const NAME = 'm1';

/** What a role does on one host, as a run would that is limited to it. */
function addresses(role: Role): readonly string[] {
  try {
    const resources = role.resources(namedHost(HOST), INVENTORY, SAMPLE_CLUSTER, {
      isWorkedOn: (host) => host === HOST,
    });
    return resources.map(({ address }) => address);
  } catch {
    return [];
  }
}

const joining = [...roleTable(ROLE_TOOLS).values()].filter((role) => addresses(role).includes(`member-add:${NAME}`));

test('members join by three roles', () => {
  expect(joining.map(({ name }) => name)).toEqual(['etcd-joining', 'etcd-replacement', 'etcd-recovery']);
});

test.each(joining)(
  '$name: nobody is put on the list who is kept out, too old or too small; a snapshot is saved first',
  (role) => {
    const all = addresses(role);
    const changes = [`member-aside:${NAME}`, `member-remove:${NAME}`, `member-add:${NAME}`];
    const first = Math.min(...changes.flatMap((each) => (all.includes(each) ? [all.indexOf(each)] : [])));
    // A recovery asks about firewalls before it begins: may-join-again.ts.
    const firewall = role.name === 'etcd-recovery' ? [] : [`member-let-in:${HOST}`];
    for (const guard of [...firewall, `member-version:${NAME}`, `member-size:${NAME}`, 'snapshot:before'])
      expect(all.slice(0, first)).toContain(guard);
  },
);

test('a run of which nobody says that it is limited opens the firewalls of all hosts, and asks none of them', () => {
  const [first] = joining;
  expect(first?.name).toBe('etcd-joining');
  const resources = first?.resources(namedHost(HOST), INVENTORY, SAMPLE_CLUSTER) ?? [];
  expect(resources.map(({ address }) => address)).toContain(`member-add:${NAME}`);
  expect(resources.map(({ address }) => address)).not.toContain(`member-let-in:${HOST}`);
});
