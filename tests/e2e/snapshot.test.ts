import { copyFile, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { waitUntil } from '../../src/lab/process.js';
import { EXIT } from '../../src/model/errors.js';
import { snapshotListSchema, type SnapshotList } from '../../src/day-two/snapshot-manifest.js';
import type { EventJson } from '../../src/report/event-schema.js';
import { hostsWithSnapshots } from '../support/hosts-with-snapshots.js';
import { describeOnLab, type Ended } from '../support/lab.js';
import { disturbedRun } from '../support/stopped-run.js';
import {
  consentTyped,
  endOf,
  etcdctl,
  inventoryWith,
  must,
  PASSPHRASE,
  passphraseFile,
  performedChanges,
  plannedChanges,
  READYZ,
  runVerb,
} from '../support/main-job.js';
import { numberOfThisCommit } from '../support/this-commit.mjs';
import { isTold, watchAcrossRestore } from '../support/watch-across-restore.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];

describeOnLab('provision snapshot', 'snapshot', { etcd: 3, controlPlanes: 1 }, (lab) => {
  const directory = (): string => join(dirname(lab.files.inventory), '.provision', 'snapshots');

  const snapshot = async (...words: readonly string[]): Promise<Ended> => lab.provision('snapshot', ...words);
  const ctl = async (words: string): Promise<string> =>
    (await must(lab.ssh('etcd-1', etcdctl('https://127.0.0.1:2379', words)))).trim();

  async function list(): Promise<SnapshotList['snapshots']> {
    const listed = await must(snapshot('list', lab.files.inventory, '--format', 'json'));
    return snapshotListSchema.parse(JSON.parse(listed)).snapshots;
  }

  beforeAll(async () => {
    await Promise.all(
      ['cp-1'].map(async (host) => lab.ssh(host, `echo 'BACK_OFF_S="1 2 5"' >/etc/default/kubelet-stand-in`)),
    );
    await lab.ssh('cp-1', 'systemctl restart kubelet');
    const applied = await runVerb(lab, 'apply');
    if (applied.status !== 0) throw new Error(endOf(applied));
  });

  test('saves while it is written to, and what was saved verifies on a host', async () => {
    await ctl('put planted before');
    // Writes for as long as the file is there.
    await lab.ssh(
      'etcd-2',
      `touch /run/write-on; nohup sh -c 'while [ -e /run/write-on ]; do ${etcdctl('https://127.0.0.1:2379', 'put busy "$(date +%N)"')} >/dev/null; done' >/dev/null 2>&1 &`,
    );
    await must(snapshot('save', lab.files.inventory));
    await lab.ssh('etcd-2', 'rm /run/write-on');
    const saved = (await list()).at(-1);
    if (saved === undefined) throw new Error('nothing is listed');
    expect(saved).toMatchObject({ isThere: true, manifest: { encryption: 'none', cluster: 'etcd-cluster' } });
    expect(saved.manifest.members.map(({ name }) => name).toSorted()).toEqual(MEMBERS);
    const verified = await must(snapshot('verify', saved.path, lab.files.inventory, '--on', 'etcd-3'));
    expect(verified).toContain(`restored on trial on etcd-3, and thrown away: revision ${saved.manifest.revision}`);
    // Nothing stays on any host.
    for (const host of MEMBERS)
      expect((await lab.ssh(host, 'ls -A /var/lib/provision 2>/dev/null')).stdout.replace('restore\n', '')).toBe('');
    const { stdout } = await lab.provision('history', lab.files.inventory);
    expect(stdout).toContain('snapshot save');
  });

  test('saves encrypted, keeps as many as it was told to, and removes nothing else', async () => {
    await mkdir(directory(), { recursive: true });
    await writeFile(join(directory(), 'by-hand.db'), 'precious');
    const words = ['--encrypt', '--passphrase-file', await passphraseFile(lab)];
    // Files that no manifest names: the one made by hand, and what another test cut off.
    const strangers = async (): Promise<readonly string[]> => {
      const names = await readdir(directory());
      return names.filter((name) => !name.endsWith('.json') && !names.includes(`${name}.json`)).toSorted();
    };
    const before = await strangers();
    expect(before).toContain('by-hand.db');
    await must(snapshot('save', lab.files.inventory, ...words, '--keep', '1'));
    const [newest] = await list();
    await ofAnotherCluster(newest?.path ?? '', 'etcd-of-others.db');
    await must(snapshot('save', lab.files.inventory, ...words, '--keep', '1'));
    const own = (await clusterIds()).join();
    const kept = (await list()).map(({ path, manifest }) => ({ path, manifest, isOwn: manifest.clusterId === own }));
    // The others are of before a restore, or that of the other cluster: it has the same name.
    expect(kept.filter(({ isOwn }) => !isOwn).map(({ path }) => path)).toContain(
      join(directory(), 'etcd-of-others.db'),
    );
    const [only, ...others] = kept.filter(({ isOwn }) => isOwn);
    expect(others).toEqual([]);
    if (only === undefined) throw new Error('nothing is listed');
    expect(only.manifest.encryption).toBe('age');
    expect((await readFile(only.path)).includes('planted')).toBe(false);
    expect(await strangers()).toEqual(before);
    const verify = ['verify', only.path, lab.files.inventory, '--on', 'etcd-2', '--passphrase-file', words[2] ?? ''];
    const verified = await must(snapshot(...verify));
    expect(verified).toContain(`revision ${only.manifest.revision}`);
    expect(verified).not.toContain(PASSPHRASE);
  });

  /** As its inventory, in the same directory, would have saved one of ours: before all that are there. */
  async function ofAnotherCluster(own: string, name: string): Promise<string> {
    const one = (await list()).find(({ path }) => path === own);
    if (one === undefined) throw new Error(`${own} is not listed`);
    const file = join(directory(), name);
    await copyFile(one.path, file);
    const members = one.manifest.members.map(({ name: of }) => ({ name: of, peerUrls: ['https://192.0.2.1:2380'] }));
    const manifest = { ...one.manifest, members, file: name, clusterId: '1', savedAt: '2026-01-01T00:00:00.000Z' };
    await writeFile(`${file}.json`, JSON.stringify(manifest));
    return file;
  }

  const restore = async (...words: readonly string[]): Promise<Ended> =>
    snapshot('restore', lab.files.inventory, ...words, ...(await consentTyped(lab)));

  async function saveAs(name: string): Promise<string> {
    const file = join(directory(), name);
    await must(snapshot('save', lab.files.inventory, '-o', file));
    return file;
  }

  /** Cluster id, as every member says it: one where all agree. */
  async function clusterIds(): Promise<readonly string[]> {
    const endpoints = (await ctl('member list')).split('\n').map((line) => line.split(', ')[4] ?? '');
    const status = await ctl(`endpoint status -w json --endpoints ${endpoints.join(',')}`);
    return [...new Set([...status.matchAll(/"cluster_id":(\d+)/g)].map(([, id = '']) => id))];
  }

  async function expectWell(): Promise<void> {
    const verified = await lab.provision('verify', lab.files.inventory);
    expect(endOf(verified)).toMatch(/^status 0/);
    expect((await lab.ssh('cp-1', READYZ)).stdout.trim()).toBe('ok');
    expect(await clusterIds()).toHaveLength(1);
  }

  /** Runs a restore, and kills it with kill -9 at an event. */
  async function killRestore(file: string, when: (event: EventJson) => boolean): Promise<void> {
    const words = ['snapshot', 'restore', lab.files.inventory, file, ...(await consentTyped(lab))];
    const killed = await disturbedRun(lab, words, when, (kill) => {
      kill('SIGKILL');
    });
    if (killed.status !== 137) throw new Error(endOf(killed));
  }

  test('restores what was saved, also when it is killed in the middle and run again', async () => {
    await ctl('put planted before');
    const file = await saveAs('restored.db');
    await ctl('put planted after');
    await ctl('put later x');
    const ids = await clusterIds();
    const nthOf = numberOfThisCommit(7, 12);
    let seen = 0;
    await killRestore(file, ({ type }) => type.startsWith('change-') && seen++ === nthOf);
    await must(restore(file));
    expect((await ctl('get planted --print-value-only')).trim()).toBe('before');
    expect(await ctl('get later')).toBe('');
    await expectWell();
    expect(await clusterIds()).not.toEqual(ids);
    for (const host of MEMBERS)
      expect((await lab.ssh(host, 'ls -d /var/lib/etcd/default/member.before-*')).status).toBe(0);
    // It is done: once more is a new one, of another cluster by now.
    const again = await restore(file);
    expect([again.status, again.stdout + again.stderr]).toEqual([
      EXIT.unsafe,
      expect.stringContaining('--other-cluster'),
    ]);
  });

  // The etcd of Debian 12 can not raise revisions: trixie.test.ts has the same with one that can.
  test('starts again what remembers revisions; a watch of others that goes on misses what happens, as the plan says', async () => {
    // As static pods run them, under the names that their processes have; the last one is none of them.
    const names = ['kube-controller-manager', 'kube-scheduler', 'kube-decoy'];
    for (const name of names)
      await must(
        lab.ssh(
          'cp-1',
          `cp /bin/sleep /usr/local/bin/${name} && systemd-run -q --unit=${name} -p Restart=always /usr/local/bin/${name} infinity`,
        ),
      );
    const pids = async (): Promise<readonly string[]> =>
      (await must(lab.ssh('cp-1', `systemctl show --value -p MainPID ${names.join(' ')} kubelet`))).match(/\d+/g) ?? [];
    const [manager, scheduler, decoy, kubelet] = await pids();
    const met = await watchAcrossRestore(lab, 'bookworm', 100);
    // Started again by whoever runs them, which takes them a moment.
    const isNew = async (): Promise<boolean> => {
      const now = await pids();
      return !now.includes('0') && now[0] !== manager && now[1] !== scheduler && now[3] !== kubelet;
    };
    expect(await waitUntil(isNew, 120_000, 200)).toBe(true);
    expect((await pids())[2]).toBe(decoy);
    await must(lab.ssh('cp-1', `systemctl stop ${names.join(' ')}`));
    expect(met.before.filter((name) => name.startsWith('bookworm-'))).toContain('bookworm-lost-3');
    // The revision that the client has seen is given to another object, and nothing tells it.
    expect(met.after).toBeLessThanOrEqual(met.seen);
    expect([isTold(met, 'bookworm'), met.resumed]).toEqual([false, expect.stringContaining('200 OK')]);
    await expectWell();
  });

  test('restores a cluster that is dead, members without data too, from an encrypted snapshot', async () => {
    await ctl('put planted before');
    const file = join(directory(), 'dead.db.age');
    const words = ['--passphrase-file', await passphraseFile(lab)];
    await must(snapshot('save', lab.files.inventory, '-o', file, '--encrypt', ...words));
    await ctl('put planted after');
    await Promise.all(MEMBERS.map(async (host) => lab.ssh(host, 'systemctl stop etcd')));
    await Promise.all(['etcd-2', 'etcd-3'].map(async (host) => lab.ssh(host, 'rm -r /var/lib/etcd/default/member')));
    // No member says which cluster it is; those of the other one have the same names.
    const refused = await restore(await ofAnotherCluster(file, 'dead-of-others.db.age'), ...words);
    expect([refused.status, refused.stdout + refused.stderr]).toEqual([
      EXIT.unsafe,
      expect.stringContaining('is of other members'),
    ]);
    await must(restore(file, ...words));
    expect((await ctl('get planted --print-value-only')).trim()).toBe('before');
    await expectWell();
  });

  test('is taken back until the API servers run on what was restored', async () => {
    await ctl('put planted before');
    const file = await saveAs('taken-back.db');
    await ctl('put planted after');
    const ids = await clusterIds();
    await killRestore(file, (event) => event.type === 'play-started' && event.play.startsWith('Start etcd'));
    expect((await lab.ssh('cp-1', READYZ)).stdout.trim()).not.toBe('ok');
    await must(restore('--take-back'));
    expect((await ctl('get planted --print-value-only')).trim()).toBe('after');
    await expectWell();
    expect(await clusterIds()).toEqual(ids);
    const nothing = await restore('--take-back');
    expect(nothing.stdout + nothing.stderr).toContain('no unfinished restore was found');
  });

  test('refuses before anything stops: damaged, of another cluster, the wrong name', async () => {
    const file = await saveAs('good.db');
    const whole = await readFile(file);
    const manifest = await readFile(`${file}.json`, 'utf8');
    const flipped = Buffer.from(whole);
    flipped[5000] = (flipped[5000] ?? 0) ^ 1;
    const started = async (): Promise<readonly string[]> =>
      Promise.all(MEMBERS.map(async (host) => (await lab.ssh(host, 'systemctl show -P MainPID etcd')).stdout));
    const before = await started();
    const refused = async (
      name: string,
      bytes: Uint8Array,
      text: string | undefined,
      code: number = EXIT.failed,
    ): Promise<string> => {
      const broken = join(directory(), name);
      await writeFile(broken, bytes);
      if (text !== undefined) await writeFile(`${broken}.json`, text.replace('good.db', name));
      const ended = await restore(broken);
      expect(ended.status).toBe(code);
      return ended.stdout + ended.stderr;
    };
    expect(await refused('flipped.db', flipped, manifest)).toContain('damaged or incomplete');
    expect(await refused('cut.db', whole.subarray(0, -512), undefined)).toContain('damaged or incomplete');
    const other = manifest.replace(/"clusterId": "\d+"/, '"clusterId": "1234"');
    expect(await refused('other.db', whole, other, EXIT.unsafe)).toContain('is of cluster 1234');
    const named = await snapshot('restore', lab.files.inventory, file, '--yes', '--confirm', 'prod');
    expect([named.status, named.stdout + named.stderr]).toEqual([
      1,
      expect.stringMatching(/"prod" is not [\d.]+, where clients reach the cluster: nothing was changed/),
    ]);
    expect(await started()).toEqual(before);
    expect((await lab.ssh('cp-1', READYZ)).stdout.trim()).toBe('ok');
    expect(
      (
        await lab.ssh(
          'etcd-1',
          'ls -d /var/lib/provision/restore/*/unpacked 2>/dev/null; ls -d /var/lib/etcd/default/restore-*',
        )
      ).stdout,
    ).not.toContain('restore-');
  });

  test('hosts save on a schedule; a broken run keeps the last good one, and without a schedule the snapshots stay', async () => {
    const kept = '/var/backups/etcd';
    const put = '#!/bin/sh\n[ ! -e /etc/no-uploads ] || exit 9\n[ -s "$2" ] && echo "took $1 $2"\n';
    await Promise.all(
      MEMBERS.map(async (host) =>
        must(lab.ssh(host, `printf %s '${put}' >/usr/local/bin/put && chmod 0755 /usr/local/bin/put`)),
      ),
    );
    const inventory = await inventoryWith(lab, 'scheduled', [
      "etcd_snapshot_schedule: '*-*-* 04:00'",
      'etcd_snapshot_keep: 2',
      "etcd_snapshot_upload: [/usr/local/bin/put, 'a $(b)']",
    ]);
    const applied = await runVerb(lab, 'apply', inventory);
    expect(endOf(applied)).toMatch(/^status 0/);
    expect(plannedChanges(await runVerb(lab, 'plan', inventory))).toEqual([]);
    const first = await lab.provision('verify', inventory);
    expect(first.stdout).toMatch(/none was saved yet; the next is due at \S+T04:00:00Z/);

    const start = async (host: string): Promise<Ended> => lab.ssh(host, 'systemctl start provision-etcd-snapshot');
    for (const host of ['etcd-1', 'etcd-1', 'etcd-1', 'etcd-2', 'etcd-3']) await must(start(host));
    const names = (
      await must(lab.ssh('etcd-1', `cd ${kept} && ls *.db *.json last-good-etcd-1 && stat -c %a . *.db`))
    ).split('\n');
    expect(names.filter((name) => name.endsWith('.db'))).toHaveLength(2);
    expect(names.filter((name) => /^[67]00$/.test(name)).toSorted()).toEqual(['600', '600', '700']);
    const log = await must(lab.ssh('etcd-1', 'journalctl -o cat -t provision-etcd-snapshot'));
    expect(log).toContain(`upload: took a $(b) ${kept}/etcd-`);
    expect(await hostsWithSnapshots(lab, inventory)).toEqual(MEMBERS);

    // Fetched as the guide says.
    const fetched = join(dirname(lab.files.inventory), 'fetched');
    await mkdir(fetched);
    await must(lab.onControlSide(['scp', '-q', '-F', lab.files.sshConfig, `root@etcd-1:${kept}/etcd-*`, fetched]));
    const listed = snapshotListSchema.parse(
      JSON.parse(await must(snapshot('list', fetched, '--format', 'json'))),
    ).snapshots;
    expect(listed.map(({ isThere, manifest }) => [isThere, manifest.members.length])).toEqual([
      [true, 3],
      [true, 3],
    ]);
    const newest = listed.at(-1);
    const verified = await must(snapshot('verify', newest?.path ?? '', inventory, '--on', 'etcd-3'));
    expect(verified).toContain(`as its manifest says\nrestored on trial`);
    const wouldBe = await snapshot('restore', inventory, newest?.path ?? '', '--dry-run');
    expect(endOf(wouldBe)).toContain('status 0');

    const before = await must(lab.ssh('etcd-2', `cat ${kept}/last-good-etcd-2`));
    // The disk is full: the room is asked for, and what is there stays.
    await must(
      lab.ssh(
        'etcd-2',
        `cp -a ${kept} /run/kept && mount -t tmpfs -o size=20m,mode=0700 none ${kept} && cp -a /run/kept/. ${kept}/`,
      ),
    );
    expect((await start('etcd-2')).status).not.toBe(0);
    await must(lab.ssh('etcd-3', 'touch /etc/no-uploads'));
    expect((await start('etcd-3')).status).not.toBe(0);
    // Anyone on the host may sign like the unit: that is no evidence.
    await must(lab.ssh('etcd-2', `runuser -u nobody -- logger -t provision-etcd-snapshot 'saved all, and planted'`));
    const red = await lab.provision('verify', inventory);
    expect(red.status).not.toBe(0);
    expect(red.stdout).toMatch(/etcd-2.*the last run failed \(status 1\): a snapshot needs \d+ KiB/);
    expect(red.stdout).toMatch(/etcd-3.*the upload of the last good one failed with status 9/);
    expect(await must(lab.ssh('etcd-2', `cat ${kept}/last-good-etcd-2 && umount ${kept}`))).toBe(before);

    const without = await runVerb(lab, 'apply');
    expect(performedChanges(without).map((line) => line.replace(/^.* \/ (etcd-\d) \/ /, '$1 '))).toEqual(
      expect.arrayContaining(
        MEMBERS.map(
          (host) =>
            `${host} no-timer:provision-etcd-snapshot.timer: remove what saves snapshots on a schedule (provision-etcd-snapshot.timer)`,
        ),
      ),
    );
    const left = await must(
      lab.ssh(
        'etcd-1',
        `ls -d /etc/systemd/system/*snapshot* /usr/local/lib/provision/*snapshot* 2>/dev/null; ls ${kept}`,
      ),
    );
    expect(left.trimEnd().split('\n')).toEqual(names.filter((name) => /db|json|last/.test(name)).toSorted());
    expect(plannedChanges(await runVerb(lab, 'plan'))).toEqual([]);
  });

  test('is not taken of the host that says the highest index, and not kept where its revision is an old one', async () => {
    const TOOL = '/usr/local/bin/etcdctl';
    const lie = async (hosts: readonly string[], edit: string): Promise<void> => {
      const program = Buffer.from(`#!/bin/sh\n/usr/bin/etcdctl "$@" | sed '${edit}'\n`).toString('base64');
      for (const host of hosts) await must(lab.ssh(host, `echo ${program} | base64 -d >${TOOL} && chmod 0755 ${TOOL}`));
    };
    const beHonest = async (): Promise<unknown> =>
      Promise.all(MEMBERS.map(async (host) => lab.ssh(host, `rm -f ${TOOL}`)));
    await ctl('put planted before');
    await lie(['etcd-3'], 's/"raftIndex":[0-9]*/"raftIndex":99999999/');
    expect(await must(lab.ssh('etcd-3', etcdctl('https://127.0.0.1:2379', 'endpoint status -w json')))).toContain(
      '"raftIndex":99999999',
    );
    const manifest = await readFile(`${await saveAs('of-most.db')}.json`, 'utf8');
    expect(JSON.parse(manifest)).toMatchObject({ from: { host: expect.stringMatching(/^etcd-[12]$/) } });
    await beHonest();

    await lie(MEMBERS, 's/^{"hash":\\([0-9]*\\),"revision":[0-9]*/{"hash":\\1,"revision":2/');
    const old = join(directory(), 'old.db');
    const refused = await snapshot('save', lab.files.inventory, '-o', old);
    expect([refused.status, refused.stdout + refused.stderr]).toEqual([
      EXIT.failed,
      expect.stringMatching(/etcd-\d: its snapshot is of revision 2, and most members had reached revision \d+ before/),
    ]);
    expect((await readdir(directory())).filter((name) => name.startsWith('old.db'))).toEqual([]);
    await beHonest();
    await must(snapshot('save', lab.files.inventory, '-o', old));
  });

  test('refuses what is damaged, and says so', async () => {
    const file = join(directory(), 'plain.db');
    await must(snapshot('save', lab.files.inventory, '-o', file));
    const whole = await readFile(file);
    whole[5000] = (whole[5000] ?? 0) ^ 1;
    await writeFile(file, whole);
    const refused = await snapshot('verify', file, lab.files.inventory, '--on', 'etcd-2');
    expect([refused.status, refused.stderr]).toEqual([
      1,
      expect.stringContaining('SHA-256 is not that of its manifest'),
    ]);
  });
});
