import { beforeAll, expect, test } from '@jest/globals';
import { stageOfLeaf } from '../../src/checks/rotation-stage.js';
import { certificatesSchema } from '../../src/day-two/certificate-schema.js';
import { EXIT } from '../../src/model/errors.js';
import type { Way } from '../support/cluster-client.js';
import { describeOnLab, type Ended } from '../support/lab.js';
import { endOf, inventoryWith, passphraseFile, plannedChanges, runVerb, verifyUntil } from '../support/main-job.js';
import { disturbedRun } from '../support/stopped-run.js';
import { numberOfThisCommit } from '../support/this-commit.mjs';
import { longestGapMs, lostWrites, ownWays, startWriters, tell } from '../support/writers.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const PLANES = ['cp-1', 'cp-2'];
const [OLD, NEW] = [['CN=etcd-ca'], ['CN=etcd-ca-2']];

describeOnLab('provision ca rotate', 'rotate', { etcd: 3, controlPlanes: 2 }, (lab) => {
  let ways: readonly Way[];
  let rsa: string;

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

  /** While all is written to: no client sees an error, and nothing that was acknowledged is lost. @param name lower case, once a lab */
  async function writtenTo(name: string, act: () => Promise<void>): Promise<void> {
    await giveToClients();
    const writers = await startWriters(lab, name, ways);
    const begun = Date.now();
    await act();
    const written = await writers.stop();
    console.log([`${name}: ${Date.now() - begun} ms`, ...written.map(tell)].join('\n  '));
    expect(written.map(({ way, failed }) => [way, failed])).toEqual(ways.map((way) => [way.name, []]));
    expect(await lostWrites(lab, name, ways, written)).toEqual([]);
    expect(written.every((each) => longestGapMs(each) > 0)).toBe(true);
  }

  /** When a run is killed: in which change, by the number of this commit, and what is tried before the next one. */
  interface Killed {
    readonly index: number;
    readonly first?: number;
    readonly most: number;
    readonly meanwhile?: () => Promise<void>;
  }

  /** A stage with a run that is killed on the way. */
  async function stage(name: string, { index, first = 0, most, meanwhile }: Killed): Promise<void> {
    await writtenTo(name, async () => {
      const nth = first + numberOfThisCommit(index, most);
      let seen = 0;
      const killed = await disturbedRun(
        lab,
        await words(),
        // Not when one is done: after the last one there would be nothing to go on with.
        ({ type }) => type === 'change-started' && seen++ === nth,
        (kill) => {
          kill('SIGKILL');
        },
      );
      const wasKilled = killed.status === 137;
      console.log(`${name}: killed in change ${nth}: ${String(wasKilled)}`);
      if (meanwhile !== undefined) expect(wasKilled).toBe(true);
      await meanwhile?.();
      if (wasKilled) expect(await must(rotate())).toContain(`, ${name}: `);
    });
  }

  const again = async (name: string): Promise<void> =>
    writtenTo(`${name}again`, async () => {
      expect(await must(rotate())).toContain(`, ${name}: `);
    });
  const back = async (name: string): Promise<void> =>
    writtenTo(`${name}back`, async () => {
      expect(await must(rotate('--back'))).toMatch(new RegExp(`back from stage \\d of 4, ${name}: `));
    });

  /** Who signed the certificates of clients, and those of members, as `certs list` has it. */
  async function signers(): Promise<Readonly<Record<string, readonly string[]>>> {
    const listed = await must(lab.provision('certs', 'list', lab.files.inventory, '--format', 'json'));
    const { certificates } = certificatesSchema.parse(JSON.parse(listed.slice(listed.indexOf('{'))));
    const of = (stage: string): readonly string[] => {
      const own = certificates.filter(({ kind, name }) => kind === 'leaf' && stageOfLeaf(name) === stage);
      return [...new Set(own.map(({ issuer }) => issuer ?? 'nobody'))].toSorted();
    };
    return { clients: of('clients'), members: of('members') };
  }

  async function verified(): Promise<string> {
    const { status, ...said } = await verifyUntil(lab);
    expect(status).toBe(0);
    return textOf({ status, ...said });
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

  beforeAll(async () => {
    // From here on the inventory wants another kind of key: that is taken up on the way.
    rsa = await inventoryWith(lab, 'rsa', ['etcd_key_type: rsa-2048']);
    const applied = await runVerb(lab, 'apply', rsa);
    if (applied.status !== 0) throw new Error(endOf(applied));
  });

  test('stage by stage, killed in each, and back from each but the last: no client sees it, and it rests in between', async () => {
    expect(await must(rotate('--dry-run'))).toContain('stage 1 of 4, bundle');
    await stage('bundle', { index: 20, most: 10 });
    expect(await trusted()).toEqual(['2', '2', '2', '2', '2']);
    expect(await signers()).toEqual({ clients: OLD, members: OLD });
    // It may rest here: an apply would take nothing back, and that a rotation is in progress is said.
    const rests = await runVerb(lab, 'plan');
    expect([plannedChanges(rests).filter((line) => !/ (?:certificate|service):/.test(line)), rests.stdout]).toEqual([
      [],
      expect.stringContaining('a rotation of the certificate authority is in progress'),
    ]);
    await back('bundle');
    expect(await trusted()).toEqual(['1', '1', '1', '1', '1']);
    expect(plannedChanges(await runVerb(lab, 'plan', rsa))).toEqual([]);
    expect(await verified()).not.toContain('rotation');

    await again('bundle');
    await stage('clients', { index: 21, most: 8 });
    expect(await verified()).toContain('stage 3 of 4, members');
    expect(await signers()).toEqual({ clients: NEW, members: OLD });
    await stage('members', { index: 22, most: 6 });
    expect(await verified()).toContain('stage 4 of 4, drop');
    expect(await signers()).toEqual({ clients: NEW, members: NEW });
    await back('members');
    expect(await signers()).toEqual({ clients: NEW, members: OLD });
    expect(await verified()).toContain('stage 2 of 4, clients');
    await back('clients');
    expect(await signers()).toEqual({ clients: OLD, members: OLD });
    expect(await verified()).toContain('stage 2 of 4, clients');
    expect(plannedChanges(await runVerb(lab, 'plan'))).toEqual([]);

    await again('clients');
    await again('members');
    expect(plannedChanges(await runVerb(lab, 'plan'))).toEqual([]);
    expect((await lab.ssh('etcd-1', 'openssl pkey -noout -text -in /etc/etcd/pki/server.key')).stdout).toContain(
      'P-256',
    );
    // From the second change on the store trusts the new one alone.
    await stage('drop', { index: 23, first: 1, most: 9, meanwhile: () => expectNoWayBack() });
    expect(await trusted()).toEqual(['1', '1', '1', '1', '1']);
    expect(await signers()).toEqual({ clients: NEW, members: NEW });
    expect(plannedChanges(await runVerb(lab, 'plan'))).toEqual([]);
    expect(await verified()).not.toContain('rotation');
    const done = await rotate('--back');
    expect([done.status, textOf(done)]).toEqual([
      EXIT.done,
      expect.stringContaining('no rotation of the authority is in progress'),
    ]);
  });

  async function expectNoWayBack(): Promise<void> {
    const refused = await rotate('--back');
    expect([refused.status, textOf(refused)]).toEqual([
      EXIT.unsafe,
      expect.stringMatching(
        /the rotation is in its last stage: .* no longer trusts the old authority[\s\S]*go on: provision ca rotate /,
      ),
    ]);
  }
});
