import { describe, expect, test } from '@jest/globals';
import { compareVersions, readEtcdVersion, versionText, type EtcdVersion } from '../../../src/model/etcd-version.js';
import { believedVersions, judgeUpgrade } from '../../../src/resources/judge-upgrade.js';

function version(text: string): EtcdVersion {
  const found = readEtcdVersion(text);
  if (found === undefined) throw new Error(`no version: ${text}`);
  return found;
}

/**
 * @param running versions of the members, the own one first
 * @param told what each says of the cluster as a whole; default: the oldest of them, as it is
 */
function judge(running: string, wanted: string, told?: string): readonly string[] {
  const [own, ...others] = running.split(' ').map(version);
  if (own === undefined) throw new Error('nobody runs');
  const oldest = [own, ...others].toSorted(compareVersions)[0] ?? own;
  const clusters = told?.split(' ').map(version) ?? [own, ...others].map(() => ({ minor: oldest.minor, patch: 0 }));
  const verdict = judgeUpgrade({ own, others, members: 1 + others.length, clusters, wanted: version(wanted) });
  return verdict.kind === 'refused' ? [verdict.why, ...verdict.path] : [verdict.kind];
}

const BACK = expect.stringContaining('etcd never goes back');
const SKIPS = expect.stringContaining('one minor version at a time');
const ZOMBIES = expect.stringContaining('members that were removed long ago come back');

describe('which versions a member may go to', () => {
  test.each([
    // Nothing to do.
    ['3.4.23 3.4.23 3.4.23', '3.4.23', ['same']],
    ['3.5.16 3.4.23 3.4.23', '3.5.16', ['same']],
    // A patch, a minor; the newest member first, in the middle, and last.
    ['3.5.16 3.5.16 3.5.16', '3.5.32', ['upgrade']],
    ['3.4.23 3.4.23 3.4.23', '3.5.16', ['upgrade']],
    ['3.4.23 3.5.16 3.4.23', '3.5.16', ['upgrade']],
    ['3.4.23 3.5.16 3.5.16', '3.5.16', ['upgrade']],
    ['3.4.23', '3.5.16', ['upgrade']],
    ['3.5.26 3.5.26 3.5.26', '3.6.11', ['upgrade']],
    ['3.5.32 3.6.11 3.6.11', '3.6.11', ['upgrade']],
    ['3.6.11 3.6.11 3.6.11', '3.7.0', ['upgrade']],
    // An upgrade that was begun goes on to a newer patch, or back while somebody still runs the old version.
    ['3.5.16 3.4.23 3.4.23', '3.5.32', ['upgrade']],
    ['3.5.16 3.4.23 3.4.23', '3.4.23', ['back']],
    ['3.5.16 3.5.16 3.4.23', '3.4.34', ['back']],
    ['3.5.17 3.5.16 3.5.16', '3.5.16', ['back']],
    // Never back otherwise.
    ['3.5.17 3.5.16 3.5.17', '3.5.16', [BACK]],
    ['3.5.16 3.5.16 3.5.16', '3.4.23', [BACK]],
    ['3.5.16 3.5.16 3.5.16', '3.5.15', [BACK]],
    ['3.5.16 3.4.23 3.4.23', '3.4.22', [BACK]],
    ['3.6.11 3.6.11 3.6.11', '3.4.23', [BACK]],
    ['3.5.16', '3.4.23', [BACK]],
    ['3.6.11 3.4.23 3.4.23', '3.5.32', [BACK]],
    // One minor at a time, also by the slowest member.
    ['3.4.23 3.4.23 3.4.23', '3.6.11', [SKIPS, '3.5.32 or a later 3.5', '3.6.11']],
    ['3.5.16 3.4.23 3.5.16', '3.6.11', [SKIPS, '3.5.32 or a later 3.5', '3.6.11']],
    ['3.5.16 3.5.16 3.5.16', '3.7.0', [SKIPS, '3.5.32 or a later 3.5', 'the newest 3.6', '3.7.0']],
    ['3.5.32 3.5.32 3.5.32', '3.7.0', [SKIPS, 'the newest 3.6', '3.7.0']],
    ['3.3.27', '3.5.32', [SKIPS, 'the newest 3.4', '3.5.32']],
    // Pairs that do harm, whoever of the members is the one that is too old.
    ['3.5.16 3.5.16 3.5.16', '3.6.11', [ZOMBIES, '3.5.32 or a later 3.5', '3.6.11']],
    ['3.5.25 3.5.32 3.5.32', '3.6.11', [ZOMBIES, '3.5.32 or a later 3.5', '3.6.11']],
    ['3.5.32 3.5.25 3.5.32', '3.6.11', [ZOMBIES, '3.5.32 or a later 3.5', '3.6.11']],
    [
      '3.5.25 3.5.16 3.5.20',
      '3.6.11',
      [expect.stringMatching(/^from 3\.5\.25, /), ...['3.5.32 or a later 3.5', '3.6.11']],
    ],
    ['3.4.23 3.4.23 3.4.23', '3.5.2', ['etcd 3.5.0 to 3.5.2 can corrupt data', '3.5.3 or a later 3.5']],
    ['3.5.0 3.5.0 3.5.0', '3.5.2', ['etcd 3.5.0 to 3.5.2 can corrupt data', '3.5.3 or a later 3.5']],
    ['3.5.2 3.5.2 3.5.2', '3.5.32', ['upgrade']],
  ])('%s → %s', (running, wanted, expected) => {
    expect(judge(running, wanted)).toEqual(expected);
  });

  // What most members agreed on counts: one that lies opens no way back.
  test.each([
    ['3.5.16 3.5.16 3.4.23', '3.5.0 3.5.0 3.4.0', BACK],
    ['3.5.16 3.4.23', '3.5.0 3.4.0', BACK],
    ['3.5.16 3.5.16 3.5.16 3.5.16 3.4.23', '3.5.0 3.5.0 3.5.0 3.4.0 3.4.0', BACK],
    ['3.5.16 3.5.16 3.4.23', '3.4.0 3.4.0 3.4.0', 'back'],
    // The third, which is down, says nothing.
    ['3.5.16 3.4.23 3.4.23', '3.4.0 3.4.0', 'back'],
    ['3.5.16 3.4.23 3.4.23', '3.4.0', BACK],
  ])('%s, which say %s of the cluster', (running, told, expected) => {
    expect(judge(running, '3.4.23', told)).toEqual([expected]);
  });

  test.each([
    ['two of three', '3.5.0 3.5.0 3.4.0', 3, ['a']],
    ['all that answer, which are two of four', '3.5.0 3.5.0', 4, ['a', 'b']],
    ['three of four', '3.4.0 3.5.0 3.5.0 3.5.0', 4, ['a']],
    ['three of five', '3.5.0 3.5.0 3.5.0', 5, ['a']],
    ['two of five', '3.5.0 3.5.0', 5, ['a', 'b']],
    ['nobody', '', 3, ['a', 'b']],
  ])('a member that says less is not believed where %s say what the cluster is at', (_, told, members, believed) => {
    const heard = new Map([
      ['a', version('3.5.16')],
      ['b', version('3.4.23')],
    ]);
    const clusters = told.split(' ').flatMap((each) => (each === '' ? [] : [version(each)]));
    expect([...believedVersions(heard, { clusters, members }).keys()]).toEqual(believed);
  });

  test.each([
    ['3.5.16', '3.5.16'],
    ['v3.5.16', '3.5.16'],
    ['3.4.23-4+b4', '3.4.23'],
    ['3.6.0-rc.1', '3.6.0'],
    ['3.5', undefined],
    ['3.5.16.1', undefined],
    ['2.3.8', undefined],
    ['33.5.16', undefined],
    ['3.5.16; reboot', '3.5.16'],
    ['', undefined],
  ])('of %j is read %s', (text, expected) => {
    const found = readEtcdVersion(text);
    expect(found === undefined ? undefined : versionText(found)).toBe(expected);
  });
});
