import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { certificatesSchema, type ListedCertificate } from '../../src/day-two/certificate-schema.js';
import { describeOnLab } from '../support/lab.js';
import {
  countSessions,
  endOf,
  inventoryWith,
  must,
  passphraseFile,
  plannedChanges,
  runVerb,
  sessionsOn,
} from '../support/main-job.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const HOSTS = [...MEMBERS, 'cp-1'];

describeOnLab('provision certs', 'certs', { etcd: 3, controlPlanes: 1 }, (lab) => {
  async function list(): Promise<readonly ListedCertificate[]> {
    const ended = await lab.provision('certs', 'list', lab.files.inventory, '--format', 'json');
    if (ended.status !== 0) throw new Error(endOf(ended));
    return certificatesSchema.parse(JSON.parse(ended.stdout)).certificates;
  }

  async function renew(...words: readonly string[]): Promise<void> {
    const file = await passphraseFile(lab);
    const ended = await lab.provision(
      'certs',
      'renew',
      lab.files.inventory,
      ...words,
      '--yes',
      '--passphrase-file',
      file,
    );
    expect(endOf(ended)).toMatch(/^status 0/);
  }

  /** Name → fingerprint. */
  const printsOf = (listed: readonly ListedCertificate[]): ReadonlyMap<string, string | null> =>
    new Map(listed.map(({ name, sha256 }) => [name, sha256]));

  const changed = (before: readonly ListedCertificate[], after: readonly ListedCertificate[]): readonly string[] =>
    [...printsOf(after)].flatMap(([name, print]) => (printsOf(before).get(name) === print ? [] : [name])).sort();

  const keys = async (): Promise<readonly string[]> =>
    Promise.all(MEMBERS.map(async (host) => (await lab.ssh(host, 'sha256sum /etc/etcd/pki/*.key')).stdout));

  const started = async (): Promise<readonly string[]> =>
    Promise.all(MEMBERS.map(async (host) => (await lab.ssh(host, 'systemctl show -P MainPID etcd')).stdout));

  beforeAll(async () => {
    const applied = await runVerb(lab, 'apply');
    if (applied.status !== 0) throw new Error(endOf(applied));
    await countSessions(lab, HOSTS);
  });

  test('lists every certificate of every host in one session each, with all that is known of it', async () => {
    const before = await Promise.all(HOSTS.map(async (host) => sessionsOn(lab, host)));
    const listed = await list();
    const after = await Promise.all(HOSTS.map(async (host) => sessionsOn(lab, host)));
    // The question of this test is a session too.
    expect(after.map((count, index) => count - (before[index] ?? 0))).toEqual(HOSTS.map(() => 2));
    const names = listed.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'ca',
        'cp-1/apiserver-etcd-client',
        'cp-1/apiserver',
        ...MEMBERS.flatMap((host) =>
          ['etcd-server', 'etcd-peer', 'etcdctl-client', 'haproxy-healthcheck-client', 'trust'].map(
            (name) => `${host}/${name}`,
          ),
        ),
      ]),
    );
    expect(listed.flatMap(({ faults }) => faults)).toEqual([]);
    const ends = listed.map(({ validUntil }) => validUntil ?? '');
    expect(ends).toEqual(ends.toSorted());
  });

  test('renews what was named and nothing else, for the same key, without a restart', async () => {
    const [before, keysBefore, pids] = [await list(), await keys(), await started()];
    await renew('etcd-2/etcd-server', 'etcdctl-client');
    expect(changed(before, await list())).toEqual([
      'etcd-1/etcdctl-client',
      'etcd-2/etcd-server',
      'etcd-2/etcdctl-client',
      'etcd-3/etcdctl-client',
    ]);
    expect(await keys()).toEqual(keysBefore);
    expect(await started()).toEqual(pids);
    expect(plannedChanges(await runVerb(lab, 'plan'))).toEqual([]);
  });

  test('a dry run shows the plan, and changes nothing', async () => {
    const before = await list();
    const shown = await lab.provision('certs', 'renew', lab.files.inventory, '--all', '--dry-run');
    expect(shown.stdout).toContain('its renewal was asked for');
    expect(changed(before, await list())).toEqual([]);
  });

  test('renews all, with new keys', async () => {
    const [before, keysBefore] = [await list(), await keys()];
    await renew('--all', '--new-key');
    const all = before.filter(({ kind }) => kind === 'leaf').map(({ name }) => name);
    expect(changed(before, await list())).toEqual(all.toSorted());
    expect((await keys()).filter((each, index) => each === keysBefore[index])).toEqual([]);
    expect(plannedChanges(await runVerb(lab, 'plan'))).toEqual([]);
    const { stdout } = await lab.provision('history', lab.files.inventory);
    expect(stdout).toContain('certs renew');
  });

  test('signs from another machine: the authority that was exported, and imported elsewhere', async () => {
    const beside = (name: string): string => join(dirname(lab.files.inventory), name);
    const there = await inventoryWith(lab, 'moved', ['etcd_pki_store: moved-pki']);
    const own = ['--passphrase-file', await passphraseFile(lab)];
    await writeFile(beside('travelling'), 'on-the-way-planted\n', { mode: 0o600 });
    const travelling = ['--export-passphrase-file', beside('travelling')];
    const file = beside('authority.age');
    expect(await must(lab.provision('ca', 'export', beside('pki'), '-o', file, ...own, ...travelling))).toContain(
      `remove the key here: rm ${beside('pki')}/ca.key.age`,
    );
    await must(lab.provision('ca', 'import', beside('moved-pki'), '--exported', file, ...own, ...travelling));
    expect(plannedChanges(await runVerb(lab, 'plan', there))).toEqual([]);
    await must(lab.provision('certs', 'renew', there, 'etcd-2/etcdctl-client', '--yes', ...own));
    expect(plannedChanges(await runVerb(lab, 'plan'))).toEqual([]);
  });
});
