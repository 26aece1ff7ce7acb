import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { loadInventory } from '../../../src/ansible/load-inventory.js';
import { checkReleases } from '../../../src/commands/named-releases.js';
import { openRelease } from '../../../src/day-two/release-file.js';
import type { SendRelease } from '../../../src/model/action.js';
import type { Plan } from '../../../src/model/plan.js';
import { change } from '../../support/sample-plans.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const SHA = createHash('sha256').update('a tarball').digest('hex');

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory('named-releases');
  writeFileSync(join(directory, 'there.tgz'), 'a tarball');
  writeFileSync(
    join(directory, 'hosts.yaml'),
    'all:\n  vars:\n    etcd_release_url: none.tgz\n    kube_cluster_runc_release: none\n  hosts: { a: {} }\n',
  );
});

function planOf(release: SendRelease['release']): Plan {
  const command = { summary: 's', script: 's', timeoutMs: 1 };
  const step = change('release', { summary: 's', actions: [{ kind: 'send-release', release, command }] });
  return {
    ...{ tool: '0', inventoryDigest: '', playbook: 'site', playbookDigest: '', limit: undefined, away: [] },
    plays: [
      {
        ...{ name: 'p', order: 'inventory', batchSize: undefined, leftOut: [], gatesBefore: [], gatesAfter: [] },
        batches: [{ hosts: [{ host: 'a', steps: [step], unchanged: 0 }] }],
      },
    ],
  };
}

async function check(release: SendRelease['release']): Promise<void> {
  const inventory = await loadInventory(join(directory, 'hosts.yaml'), {});
  await checkReleases(planOf(release), inventory, (each) => openRelease(each, directory, () => undefined));
}

const ETCD = { version: '3.5.16', fetch: 'control', query: undefined } as const;

test('a plan that would send what is not there is refused with the place of the variable', async () => {
  await expect(check({ ...ETCD, sha256: SHA, source: join(directory, 'none.tgz') })).rejects.toThrow(
    /hosts\.yaml:3:5: etcd_release_url: names .*none\.tgz, which cannot be read: no such file or directory \(ENOENT\)/,
  );
  await expect(check({ product: 'runc', sha256: SHA, source: join(directory, 'none') })).rejects.toThrow(
    /hosts\.yaml:4:5: kube_cluster_runc_release: names /,
  );
});

test('a plan that would send another file than the inventory means is refused', async () => {
  const source = join(directory, 'there.tgz');
  await check({ ...ETCD, sha256: SHA, source });
  await expect(check({ ...ETCD, sha256: 'ab', source })).rejects.toMatchObject({ code: 'release-differs' });
});

test('a mirror is asked by apply alone', async () => {
  await check({ ...ETCD, sha256: SHA, source: 'https://127.0.0.1:1/etcd.tgz' });
});
