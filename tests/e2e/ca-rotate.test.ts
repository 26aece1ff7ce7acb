import { beforeAll, expect, jest, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import type { Way } from '../support/cluster-client.js';
import { describeOnLab, type Ended } from '../support/lab.js';
import { endOf, inventoryWith, passphraseFile, plannedChanges, runVerb, verifyUntil } from '../support/main-job.js';
import { disturbedRun } from '../support/stopped-run.js';
import { numberOfThisCommit } from '../support/this-commit.mjs';
import { longestGapMs, lostWrites, ownWays, startWriters, tell } from '../support/writers.js';

jest.setTimeout(900_000);

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const PLANES = ['cp-1', 'cp-2'];

describeOnLab('provision ca rotate', 'rotate', { etcd: 3, controlPlanes: 2 }, (lab) => {
  let ways: readonly Way[];

  const textOf = ({ stdout, stderr }: Ended): string => `${stdout}\n${stderr}`;
  const words = async (...more: readonly string[]): Promise<readonly string[]> => [
    ...['ca', 'rotate', lab.files.inventory, '--yes', '--passphrase-file', await passphraseFile(lab)],
    ...more,
  ];
  const rotate = async (...more: readonly string[]): Promise<Ended> => lab.provision(...(await words(...more)));
  async function must(ended: Promise<Ended>): Promise<string> {
    const done = await ended;
    if (done.status !== 0) throw new Error(endOf(done));
    return textOf(done);
  }

  /** Clients that are in no inventory get what the hosts have by now, as a person would give it to them. */
  async function giveToClients(): Promise<void> {
    ways = await ownWays(lab, [11, 12, 13], PLANES);
  }

  /** A stage with a run that is killed on the way, while all is written to. @param index of the number of this commit */
  async function stage(name: string, index: number, most: number): Promise<void> {
    await giveToClients();
    const writers = await startWriters(lab, name, ways);
    const nth = numberOfThisCommit(index, most);
    let seen = 0;
    const begun = Date.now();
    const killed = await disturbedRun(
      lab,
      await words(),
      ({ type }) => type.startsWith('change-') && seen++ === nth,
      (kill) => {
        kill('SIGKILL');
      },
    );
    const wasKilled = killed.status === 137;
    if (wasKilled) expect(await must(rotate())).toContain(`, ${name}: `);
    const written = await writers.stop();
    console.log(`${name}: killed at change event ${nth}: ${String(wasKilled)}; ${Date.now() - begun} ms`);
    for (const each of written) console.log(`${name}: ${tell(each)}`);
    expect(written.map(({ way, failed }) => [way, failed])).toEqual(ways.map((way) => [way.name, []]));
    expect(await lostWrites(lab, name, ways, written)).toEqual([]);
    expect(written.every((each) => longestGapMs(each) > 0)).toBe(true);
  }

  /** How many authorities each file holds that hosts trust. */
  async function trusted(): Promise<readonly string[]> {
    const count = async (host: string, file: string): Promise<string> =>
      (await lab.ssh(host, `grep -c BEGIN ${file}`)).stdout.trim();
    return Promise.all([
      ...MEMBERS.map(async (host) => count(host, '/etc/etcd/pki/ca.crt')),
      ...PLANES.map(async (host) => count(host, '/etc/kubernetes/pki/etcd/ca.crt')),
    ]);
  }

  const issuers = async (path: string): Promise<readonly string[]> =>
    Promise.all(
      MEMBERS.map(async (host) => (await lab.ssh(host, `openssl x509 -noout -issuer -in ${path}`)).stdout.trim()),
    );

  beforeAll(async () => {
    // From here on the inventory wants another kind of key: that is taken up on the way.
    const applied = await runVerb(lab, 'apply', await inventoryWith(lab, 'rsa', ['etcd_key_type: rsa-2048']));
    if (applied.status !== 0) throw new Error(endOf(applied));
  }, 600_000);

  test('stage by stage, killed in each: no client sees it; it rests between stages, and goes back until the last', async () => {
    expect(await must(rotate('--dry-run'))).toContain('stage 1 of 4, bundle');
    await stage('bundle', 20, 20);
    expect(await trusted()).toEqual(['2', '2', '2', '2', '2']);
    expect(await issuers('/etc/etcd/pki/client.crt')).toEqual([
      'issuer=CN = etcd-ca',
      'issuer=CN = etcd-ca',
      'issuer=CN = etcd-ca',
    ]);
    // It may rest here: an apply would take nothing back, and that a rotation is in progress is said.
    const rests = await runVerb(lab, 'plan');
    expect([plannedChanges(rests).filter((line) => !/ (?:certificate|service):/.test(line)), rests.stdout]).toEqual([
      [],
      expect.stringContaining('a rotation of the certificate authority is in progress'),
    ]);

    await stage('clients', 21, 16);
    const verified = await verifyUntil(lab);
    expect([verified.status, textOf(verified)]).toEqual([0, expect.stringContaining('stage 3 of 4, members')]);
    expect(await must(rotate('--back'))).toContain('back from stage 2 of 4, clients');
    expect(await issuers('/etc/etcd/pki/client.crt')).toEqual([
      'issuer=CN = etcd-ca',
      'issuer=CN = etcd-ca',
      'issuer=CN = etcd-ca',
    ]);
    await must(rotate());

    await stage('members', 22, 12);
    expect(new Set(await issuers('/etc/etcd/pki/server.crt'))).toEqual(new Set(['issuer=CN = etcd-ca-2']));
    expect((await lab.ssh('etcd-1', 'openssl pkey -noout -text -in /etc/etcd/pki/server.key')).stdout).toContain(
      'P-256',
    );
    await stage('drop', 23, 20);
    expect(await trusted()).toEqual(['1', '1', '1', '1', '1']);
    expect(plannedChanges(await runVerb(lab, 'plan'))).toEqual([]);
    const after = await verifyUntil(lab);
    expect([after.status, textOf(after)]).toEqual([0, expect.not.stringContaining('rotation')]);
    const back = await rotate('--back');
    expect([back.status, textOf(back)]).toEqual([
      EXIT.done,
      expect.stringContaining('no rotation of the authority is in progress'),
    ]);
  });
});
