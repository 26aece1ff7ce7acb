import { describe, expect, test } from '@jest/globals';
import { clusterWarnings, describeCluster } from '../../../src/cluster/describe-cluster.js';
import { actionsToJson } from '../../../src/engine/action-json.js';
import type { EtcdRelease } from '../../../src/model/cluster.js';
import { formatProblem, InputError } from '../../../src/model/errors.js';
import { Secret } from '../../../src/model/secret.js';
import { unpackedRelease } from '../../../src/resources/etcd-release.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { sampleMember } from '../../support/sample-cluster.js';
import { loadFiles } from '../../support/write-inventory.js';

const SHA = 'AB'.repeat(32);

/** @param more variables of all hosts @param one of the first member alone */
async function inventoryWith(more: Readonly<Record<string, string>>, one = '') {
  const lines = Object.entries(more).map(([name, value]) => `        ${name}: ${value}\n`);
  const hosts = [1, 2, 3].map(
    (each) => `        etcd-${each}: { ansible_host: 10.0.0.${each}${each === 1 ? one : ''} }\n`,
  );
  return loadFiles({
    'hosts.yaml': `all:\n  children:\n    etcd:\n      vars:\n${lines.join('')}      hosts:\n${hosts.join('')}`,
  });
}

async function problemsOf(more: Readonly<Record<string, string>>, one = ''): Promise<readonly string[]> {
  const inventory = await inventoryWith(more, one);
  try {
    describeCluster(inventory);
  } catch (error) {
    if (error instanceof InputError)
      return error.problems.map((problem) => formatProblem(problem).replace(/^.*?hosts.yaml/, 'hosts.yaml'));
    throw error;
  }
  return clusterWarnings(inventory).map(({ subject, message }) => `${subject} ${message}`);
}

/** Stands where there should be one. */
const PLAIN: EtcdRelease = { version: '3.5.16', sha256: SHA, source: '/srv', fetch: 'control' };

const RELEASE = { etcd_install: 'release', etcd_version: '3.5.16', etcd_release_sha256: SHA };

describe('the release of etcd that an inventory names', () => {
  test.each([
    [
      'upstream’s, read by this machine',
      {},
      {
        source: 'https://github.com/etcd-io/etcd/releases/download/v3.5.16/etcd-v3.5.16-linux-amd64.tar.gz',
        fetch: 'control',
      },
    ],
    [
      'a mirror, read by each host',
      { etcd_release_url: 'http://mirror.example/{{ etcd_version }}/etcd.tar.gz', etcd_release_fetch: 'host' },
      { source: 'http://mirror.example/3.5.16/etcd.tar.gz', fetch: 'host' },
    ],
    [
      'a file beside the inventory',
      { etcd_release_url: 'files/etcd.tar.gz' },
      { source: expect.stringMatching(/^\/.*\/files\/etcd\.tar\.gz$/) },
    ],
    [
      'a mirror that asks for a token',
      { etcd_release_url: 'https://mirror.example/etcd.tar.gz?token=planted' },
      { source: 'https://mirror.example/etcd.tar.gz', query: expect.any(Secret) },
    ],
    ['a file', { etcd_release_url: '/srv/etcd.tar.gz', etcd_version: 'v3.5.16' }, { source: '/srv/etcd.tar.gz' }],
  ])('%s', async (_, more, expected) => {
    const { members } = describeCluster(await inventoryWith({ ...RELEASE, ...more }));
    for (const { release } of members)
      expect(release).toMatchObject({ version: '3.5.16', sha256: SHA.toLowerCase(), ...expected });
  });

  test('is none where the package is wanted', async () => {
    const { members } = describeCluster(await inventoryWith({ etcd_install: 'package' }));
    expect(members.map(({ release }) => release)).toEqual([undefined, undefined, undefined]);
  });

  test.each([
    [
      { etcd_install: 'release' },
      ['etcd_version: is not set, and etcd_install is release', 'etcd_release_sha256: is not set'],
    ],
    [{ ...RELEASE, etcd_version: '3.5' }, ['expected a version of etcd such as 3.5.16']],
    [{ ...RELEASE, etcd_version: '3.3.27' }, ['expected a version of etcd such as 3.5.16, from 3.4.0 on']],
    [{ ...RELEASE, etcd_release_sha256: 'abc' }, ['expected the SHA-256 of the tarball']],
    [{ ...RELEASE, etcd_release_url: 'ftp://mirror/etcd.tar.gz' }, ['expected an http or https URL']],
    [{ ...RELEASE, etcd_release_url: 'https://me:secret@mirror/etcd.tar.gz' }, ['without a password']],
    [{ ...RELEASE, etcd_release_url: '/srv/e.tar.gz', etcd_release_fetch: 'host' }, ['is a file of this machine']],
    [
      { ...RELEASE, etcd_release_url: 'https://mirror/e.tar.gz?token=planted', etcd_release_fetch: 'host' },
      ['would see in its list of processes'],
    ],
    [{ ...RELEASE, etcd_install: 'source' }, ['expected package, release']],
  ])('is refused: %j', async (more, expected) => {
    const problems = await problemsOf(more);
    expect(problems).toHaveLength(expected.length);
    for (const text of expected) expect(problems.join('\n')).toContain(text);
  });

  test.each([
    'https://me:planted@mirror/etcd.tar.gz',
    'https://planted@mirror/etcd.tar.gz',
    'ftp://mirror/etcd.tar.gz?token=planted',
    'https://mirror/etcd.tar.gz?a=b&token=planted with a space',
  ])('shows nothing that lets one in where it is refused: %s', async (url) => {
    const problems = (await problemsOf({ ...RELEASE, etcd_release_url: url })).join('\n');
    expect(problems).toContain('mirror/etcd.tar.gz');
    expect(problems).not.toContain('planted');
  });

  test('has a token for whoever reads it alone', async () => {
    const url = 'https://mirror.example/etcd.tar.gz?token=planted';
    const [member] = describeCluster(await inventoryWith({ ...RELEASE, etcd_release_url: url })).members;
    expect(member?.release?.query?.reveal()).toBe('?token=planted');
    const outcome = await unpackedRelease({ member: sampleMember(1), release: member?.release ?? PLAIN }).plan(
      fakeProbe({ 'etcd-installed': { etcd: { releases: [] } } }),
    );
    const shown = outcome.kind === 'change' ? JSON.stringify([outcome, actionsToJson(outcome.change)]) : '';
    expect(shown).toContain('https://mirror.example/etcd.tar.gz');
    expect(shown).not.toContain('planted');
  });

  test.each([
    ['another version', ', etcd_version: 3.5.17'],
    ['the package', ', etcd_install: package'],
  ])('is the same for all members, and not %s on one', async (_, one) => {
    expect((await problemsOf(RELEASE, one)).join('\n')).toContain('it must be the same for all members, set it once');
  });

  test('of another tool’s inventory is reported, and has no effect', async () => {
    expect(await problemsOf({ etcd_version: 'v3.5.3' })).toEqual([
      expect.stringContaining('etcd_version has no effect while etcd_install is package'),
    ]);
  });
});
