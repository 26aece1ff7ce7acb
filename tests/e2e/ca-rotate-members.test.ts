import { beforeAll, expect, test } from '@jest/globals';
import type { Way } from '../support/cluster-client.js';
import { describeOnLab } from '../support/lab.js';
import { loseMachine } from '../support/lost-machine.js';
import {
  endOf,
  inventoryWith,
  must,
  passphraseFile,
  plannedChanges,
  runVerb,
  verifyUntil,
} from '../support/main-job.js';
import { lostWrites, ownWays, startWriters, tell } from '../support/writers.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const [OLD, NEW, NEWEST] = ['etcd-ca', 'etcd-ca-2', 'etcd-ca-3'];

// What looks at members for HAProxy has certificates of the rotation, nginx has none; and no API server makes it slower.
describeOnLab('a rotation of the authority', 'rotmember', { etcd: 3 }, (lab) => {
  let nginx: string;

  /** While all is written to: no client sees an error, and nothing that was acknowledged is lost. @param name lower case, once a lab */
  async function writtenTo(name: string, act: () => Promise<void>): Promise<void> {
    // Clients that are in no inventory get what the hosts have by now, as a person would give it to them.
    const ways: readonly Way[] = await ownWays(lab, [11, 12, 13], []);
    const writers = await startWriters(lab, name, ways);
    const begun = Date.now();
    await act();
    const written = await writers.stop();
    console.log([`${name}: ${Date.now() - begun} ms`, ...written.map(tell)].join('\n  '));
    expect(written.map(({ way, failed }) => [way, failed])).toEqual(ways.map((way) => [way.name, []]));
    expect(await lostWrites(lab, name, ways, written)).toEqual([]);
  }

  const credentials = async (): Promise<readonly string[]> => ['--yes', '--passphrase-file', await passphraseFile(lab)];

  async function stage(inventory: string, name: string, run = name): Promise<void> {
    await writtenTo(run, async () => {
      const rotated = await must(lab.provision('ca', 'rotate', inventory, ...(await credentials())));
      expect(rotated).toContain(`, ${name}: `);
    });
  }

  async function replaced(host: string): Promise<void> {
    await loseMachine(lab, host);
    await writtenTo(`replaced${host.replace('etcd-', '')}`, async () => {
      await must(lab.provision('member', 'replace', nginx, host, ...(await credentials())));
    });
  }

  /** Of a host: how many authorities it trusts, and who signed what it shows as a client, to clients, and to members. */
  async function has(host: string): Promise<readonly string[]> {
    const script =
      'cd /etc/etcd/pki; grep -c BEGIN ca.crt; for name in client server peer; do openssl x509 -noout -issuer -in $name.crt; done';
    return (await must(lab.ssh(host, script))).trim().replaceAll('issuer=CN = ', '').split('\n');
  }

  async function expectDone(inventory: string, signer: string | undefined): Promise<void> {
    expect(await Promise.all(MEMBERS.map(has))).toEqual(MEMBERS.map(() => ['1', signer, signer, signer]));
    expect(plannedChanges(await runVerb(lab, 'plan', inventory))).toEqual([]);
    const verified = await verifyUntil(lab, inventory);
    expect([verified.status === 0 ? '' : endOf(verified), verified.stdout]).toEqual([
      '',
      expect.not.stringContaining('rotation'),
    ]);
  }

  beforeAll(async () => {
    nginx = await inventoryWith(lab, 'nginx', ['etcd_lb_proxy: nginx']);
    const applied = await runVerb(lab, 'apply', nginx);
    if (applied.status !== 0) throw new Error(endOf(applied));
  });

  test('behind nginx, with a member that is replaced after each of the first stages, goes on to its end; then with TLS that HAProxy ends', async () => {
    await stage(nginx, 'bundle');
    await replaced('etcd-3');
    expect(await has('etcd-3')).toEqual(['2', OLD, OLD, OLD]);
    expect((await verifyUntil(lab, nginx)).stdout).toContain('stage 2 of 4, clients');
    await stage(nginx, 'clients');
    expect(await has('etcd-3')).toEqual(['2', NEW, OLD, OLD]);
    await replaced('etcd-2');
    // What is made now is made by the one that signs now.
    expect(await has('etcd-2')).toEqual(['2', NEW, NEW, NEW]);
    expect((await verifyUntil(lab, nginx)).stdout).toContain('stage 3 of 4, members');
    await stage(nginx, 'members');
    await stage(nginx, 'drop');
    await expectDone(nginx, NEW);

    const ends = await inventoryWith(lab, 'ends', ['etcd_lb_mode: terminate']);
    const applied = await runVerb(lab, 'apply', ends);
    expect(applied.status === 0 ? '' : endOf(applied)).toBe('');
    for (const name of ['bundle', 'clients', 'members', 'drop']) await stage(ends, name, `${name}ended`);
    await expectDone(ends, NEWEST);
  });
});
