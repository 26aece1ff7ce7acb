import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { powerCut, replaceMachine } from '../../src/lab/faults.js';
import { EXIT } from '../../src/model/errors.js';
import type { EventJson } from '../../src/report/event-schema.js';
import type { Way } from '../support/cluster-client.js';
import { brokenRelease, releaseOf, serveFiles, type FileServer, type MadeRelease } from '../support/etcd-releases.js';
import { describeOnLab, type Ended, type TestLab } from '../support/lab.js';
import {
  consentTyped,
  endOf,
  etcdctl,
  inventoryWith,
  must,
  passphraseFile,
  plannedChanges,
  runVerb,
} from '../support/main-job.js';
import { disturbedRun } from '../support/stopped-run.js';
import { numberOfThisCommit } from '../support/this-commit.mjs';
import { lostWrites, ownWays, startWriters, tell } from '../support/writers.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];

const textOf = ({ stdout, stderr }: Ended): string => `${stdout}\n${stderr}`;

/** Version, program and unit of each member: `3.5.16 /usr/local/lib/etcd/3.5.16-…/etcd`. */
async function running(lab: TestLab): Promise<readonly string[]> {
  const version = `${etcdctl('https://127.0.0.1:2379', 'endpoint status -w json')} | sed 's/.*"version":"\\([^"]*\\)".*/\\1/'`;
  const program = `readlink /proc/$(systemctl show -P MainPID etcd)/exe`;
  const said = await Promise.all(MEMBERS.map((host) => lab.ssh(host, `echo "$(${version}) $(${program})"`)));
  return said.map(({ stdout }) => stdout.trim());
}

const allRun = (text: string): readonly string[] => MEMBERS.map(() => text);

const placeOf = ({ version, sha256 }: MadeRelease): string =>
  `${version} /usr/local/lib/etcd/${version}-${sha256.slice(0, 12)}/etcd`;

async function makeDirectory(lab: TestLab): Promise<string> {
  const directory = join(dirname(lab.files.inventory), 'releases');
  await mkdir(directory);
  return directory;
}

describeOnLab('a bare cluster by release', 'release', { etcd: 3 }, (lab) => {
  let newer: MadeRelease;
  let server: FileServer;

  beforeAll(async () => {
    const directory = await makeDirectory(lab);
    newer = await releaseOf('trixie', directory);
    server = await serveFiles(lab, directory);
  });

  afterAll(async () => {
    await server.stop();
  });

  test('is fetched by the hosts, where they are asked to', async () => {
    const { lab: made } = await lab.host('etcd-1');
    const inventory = await inventoryWith(lab, 'release', [
      'etcd_install: release',
      `etcd_version: ${newer.version}`,
      `etcd_release_url: http://${made.network.control}:${server.port}/etcd-v{{ etcd_version }}-linux-amd64.tar.gz`,
      `etcd_release_sha256: ${newer.sha256}`,
      'etcd_release_fetch: host',
    ]);
    const applied = await runVerb(lab, 'apply', inventory, '--playbook', 'etcd');
    if (applied.status !== 0) throw new Error(endOf(applied));
    expect(await running(lab)).toEqual(allRun(placeOf(newer)));
    expect(server.asked).toHaveLength(3);
    // Nothing of a package; and what systemd thinks of the unit.
    const host = await lab.ssh(
      'etcd-1',
      'dpkg-query -W etcd-server; systemd-analyze security etcd --no-pager | tail -n 1',
    );
    console.log(host.stdout);
    expect(textOf(host)).toContain('no packages found matching etcd-server');
    expect(plannedChanges(await runVerb(lab, 'plan', inventory, '--playbook', 'etcd'))).toEqual([]);
    await restoreAndReplace(inventory);
    await recoverFromOne(inventory);
  });

  /** What the programs of a release do elsewhere than at their start, and what a bare machine needs of it. */
  async function restoreAndReplace(inventory: string): Promise<void> {
    const secret = ['--passphrase-file', await passphraseFile(lab)];
    const ctl = async (words: string): Promise<string> =>
      (await must(lab.ssh('etcd-1', etcdctl('https://127.0.0.1:2379', words)))).trim();
    await ctl('put /release before');
    const saved = textOf(await lab.provision('snapshot', 'save', inventory, ...secret));
    const [file = ''] = /\S+\.db\b/.exec(saved) ?? [];
    await ctl('put /release after');
    const restored = await lab.provision(
      'snapshot',
      'restore',
      inventory,
      file,
      ...(await consentTyped(lab)),
      ...secret,
    );
    if (restored.status !== 0) throw new Error(endOf(restored));
    expect(await ctl('get /release --print-value-only')).toBe('before');
    expect(await running(lab)).toEqual(allRun(placeOf(newer)));

    const host = await lab.host('etcd-3');
    await powerCut(host);
    await replaceMachine(host);
    const replaced = await lab.provision('member', 'replace', inventory, 'etcd-3', '--yes', ...secret);
    if (replaced.status !== 0) throw new Error(endOf(replaced));
    expect(await running(lab)).toEqual(allRun(placeOf(newer)));
    expect(plannedChanges(await runVerb(lab, 'plan', inventory, '--playbook', 'etcd'))).toEqual([]);
  }

  /** Two machines are lost, and bare ones are in their places: all of it with the release's own programs. */
  async function recoverFromOne(inventory: string): Promise<void> {
    await must(lab.ssh('etcd-1', etcdctl('https://127.0.0.1:2379', 'put /release survives')));
    // Where a package would have them; they tell that they were run.
    const planted = '#!/bin/sh\\necho "$0" >>/root/used\\nexit 9\\n';
    const plant = `for name in etcdctl etcdutl; do printf '${planted}' >/usr/bin/$name; chmod 0755 /usr/bin/$name; done`;
    await must(lab.ssh('etcd-1', plant));
    for (const name of ['etcd-2', 'etcd-3']) await powerCut(await lab.host(name));
    for (const name of ['etcd-2', 'etcd-3']) await replaceMachine(await lab.host(name));
    const words = ['recover', inventory, ...(await consentTyped(lab)), '--passphrase-file', await passphraseFile(lab)];
    const begun = Date.now();
    const recovered = await lab.provision(...words);
    if (recovered.status !== 0) throw new Error(endOf(recovered));
    console.log(`recovered by release in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
    // The package's etcd of Debian 12 could not.
    expect(recovered.stdout).toContain('revisions are raised by 1000000000');
    const kept = await must(lab.ssh('etcd-1', etcdctl('https://127.0.0.1:2379', 'get /release --print-value-only')));
    expect(kept.trim()).toBe('survives');
    expect(await running(lab)).toEqual(allRun(placeOf(newer)));
    const used =
      'ls /root/used 2>&1; /usr/bin/etcdutl; cat /root/used; rm /usr/bin/etcdctl /usr/bin/etcdutl /root/used';
    expect((await lab.ssh('etcd-1', used)).stdout.trim().split('\n')).toEqual([
      "ls: cannot access '/root/used': No such file or directory",
      '/usr/bin/etcdutl',
    ]);
    for (const host of MEMBERS) expect((await lab.ssh(host, 'dpkg-query -W etcd-client etcd-server')).stdout).toBe('');
    expect(plannedChanges(await runVerb(lab, 'plan', inventory, '--playbook', 'etcd'))).toEqual([]);
  }
});

describeOnLab('versions of a live cluster', 'versions', { etcd: 3, controlPlanes: 2 }, (lab) => {
  let older: MadeRelease;
  let newer: MadeRelease;
  let broken: MadeRelease;
  let server: FileServer;
  let ways: readonly Way[];

  /** An inventory that wants a release. @param url default: the server's */
  async function wanting(name: string, release: MadeRelease, url?: string): Promise<string> {
    return inventoryWith(lab, name, [
      'etcd_install: release',
      `etcd_version: ${release.version}`,
      `etcd_release_url: ${url ?? `http://127.0.0.1:${server.port}${release.path.slice(dirname(older.path).length)}`}`,
      `etcd_release_sha256: ${release.sha256}`,
    ]);
  }

  async function apply(inventory: string): Promise<Ended> {
    return lab.provision('apply', inventory, '--yes', '--passphrase-file', await passphraseFile(lab));
  }

  async function mustApply(inventory: string): Promise<Ended> {
    const applied = await apply(inventory);
    if (applied.status !== 0) throw new Error(endOf(applied));
    return applied;
  }

  /** Whatever is done, no client sees an error, and nothing is lost. */
  async function whileWriting(name: string, work: () => Promise<void>): Promise<void> {
    const writers = await startWriters(lab, name, ways);
    try {
      await work();
    } finally {
      const written = await writers.stop();
      for (const each of written) console.log(`${name}: ${tell(each)}`);
      expect(written.map(({ way, failed }) => [way, failed])).toEqual(ways.map((way) => [way.name, []]));
      expect(await lostWrites(lab, name, ways, written)).toEqual([]);
    }
  }

  async function expectWell(inventory: string): Promise<void> {
    expect(endOf(await lab.provision('verify', inventory))).toMatch(/^status 0/);
    expect(plannedChanges(await runVerb(lab, 'plan', inventory))).toEqual([]);
  }

  beforeAll(async () => {
    const directory = await makeDirectory(lab);
    [older, newer] = [await releaseOf('bookworm', directory), await releaseOf('trixie', directory)];
    broken = await brokenRelease(newer, 'trixie', directory);
    server = await serveFiles(lab, directory);
    const applied = await runVerb(lab, 'apply');
    if (applied.status !== 0) throw new Error(endOf(applied));
    ways = await ownWays(lab, [11, 12, 13], ['cp-1', 'cp-2']);
  });

  afterAll(async () => {
    await server.stop();
  });

  // One after the other: each begins with the version that the one before has left.
  test('go from the package to a release, and one minor on; a broken one is rolled back, a killed run goes on', async () => {
    const before = await running(lab);
    expect(before).toEqual(allRun(`${older.version} /usr/bin/etcd`));

    // Refused while planning, or before the first member is touched.
    const skips = await lab.provision('plan', await wanting('skips', { ...newer, version: '3.6.0' }));
    expect([skips.status, textOf(skips)]).toEqual([
      EXIT.unsafe,
      expect.stringContaining('one minor version at a time'),
    ]);
    const other = await apply(await wanting('other', newer, older.path));
    expect([other.status, textOf(other)]).toEqual([1, expect.stringContaining('it was sent to no host')]);
    expect(await running(lab)).toEqual(before);

    // A file of this machine.
    const same = await wanting('same', older, older.path);
    await whileWriting('same', async () => {
      await mustApply(same);
    });
    expect(await running(lab)).toEqual(allRun(placeOf(older)));
    await expectWell(same);

    // And back, to the same version of the package.
    await whileWriting('package', async () => {
      await mustApply(lab.files.inventory);
    });
    expect(await running(lab)).toEqual(before);
    await expectWell(lab.files.inventory);

    const bad = await wanting('broken', broken);
    await whileWriting('broken', async () => {
      const failed = await apply(bad);
      expect([failed.status, textOf(failed)]).toEqual([
        1,
        expect.stringContaining('planted: this etcd does not start'),
      ]);
      expect(textOf(failed)).toContain(`switch etcd back to ${older.version}`);
      expect(textOf(failed)).toMatch(/saved \S+\/\.provision\/snapshots\/etcd-\S+\.db: revision \d+/);
    });
    expect(await running(lab)).toEqual(before);
    await expectWell(lab.files.inventory);

    const good = await wanting('newer', newer);
    await whileWriting('newer', async () => {
      await killedUpgrade(good);
      const completed = await mustApply(good);
      console.log(completed.stdout.split('\n').slice(-12).join('\n'));
    });
    expect(await running(lab)).toEqual(allRun(placeOf(newer)));
    await expectWell(good);
    // The tarball came here once for each SHA-256.
    expect(server.asked).toHaveLength(2);
    // What else asks etcd on its hosts finds the programs of the release.
    const found = await lab.ssh(
      'etcd-1',
      'etcdctl version | head -n 1; etcdutl version | head -n 1; etcd --version | head -n 1',
    );
    expect(found.stdout.match(new RegExp(newer.version.replaceAll('.', '\\.'), 'g'))).toHaveLength(3);
    const saved = await lab.provision('snapshot', 'save', good, '--passphrase-file', await passphraseFile(lab));
    expect(endOf(saved)).toMatch(/^status 0/);

    for (const inventory of [same, lab.files.inventory]) {
      const back = await lab.provision('plan', inventory);
      expect(back.status).not.toBe(0);
      expect(textOf(back)).toMatch(/etcd never goes back|it goes back only to the same version/);
    }
  });

  /** Killed at a change that differs from commit to commit; where some members are upgraded, `verify` tells so. */
  async function killedUpgrade(inventory: string): Promise<void> {
    const number = numberOfThisCommit(11, 6);
    const host = MEMBERS[number % 3] ?? '';
    const address = number < 3 ? `etcd-version:${host}` : `etcd-member:${host}`;
    const isAt = (event: EventJson): boolean =>
      event.type === 'change-done' && event.host === host && event.address === address;
    const words = ['apply', inventory, '--yes', '--passphrase-file', await passphraseFile(lab)];
    const killed = await disturbedRun(lab, words, isAt, (kill) => {
      kill('SIGKILL');
    });
    if (killed.status !== 137) throw new Error(endOf(killed));
    const now = (await running(lab)).filter((each) => each === placeOf(newer)).length;
    console.log(`killed after ${address}: ${now} of 3 members run the new version`);
    const verified = textOf(await lab.provision('verify', inventory));
    if (now > 0 && now < 3) expect(verified).toContain('members run different versions');
  }
});
