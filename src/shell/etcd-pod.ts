import { posix } from 'node:path';
import type { Member } from '../model/cluster.js';
import type { Command } from '../model/remote.js';
import { quote } from './quote.js';

/** A member that the kubelet runs from a manifest: a stacked one. */
export type PodMember = Pick<Member, 'host' | 'dataDir'> & { readonly manifest: string };

/** The member as one that the kubelet runs; undefined where a unit runs it. */
export function podMember({ host, dataDir, manifest }: Member): PodMember | undefined {
  return manifest === undefined ? undefined : { host, dataDir, manifest };
}

/**
 * Where the manifest of a member that has left is kept: beside the directory that the kubelet reads, for there it takes every
 * file, whatever its ending.
 */
export function manifestAside({ manifest }: Pick<PodMember, 'manifest'>): string {
  return posix.join(posix.dirname(posix.dirname(manifest)), `${posix.basename(manifest)}.removed`);
}

/** A shell function `runs`: whether a process of etcd uses the data of the member, in a container or not. */
export function podRuns({ dataDir }: Pick<PodMember, 'dataDir'>): readonly string[] {
  const given = ['--data-dir=', '--data-dir ', '-data-dir=', '-data-dir '].map(
    (flag) => `*" "${quote(`${flag}${dataDir}`)}" "*`,
  );
  return [
    'runs() {',
    '  for comm in $(grep -lx etcd /proc/[0-9]*/comm 2>/dev/null); do',
    `    case " $(tr '\\0' ' ' <"\${comm%comm}cmdline" 2>/dev/null) " in ${given.join(' | ')}) return 0 ;; esac`,
    '  done',
    '  return 1',
    '}',
  ];
}

/** The kubelet sees a file that goes at once, or at its next full check after 20 s, and a pod has 30 s to end. */
const END_S = 90;

/** Takes the manifest out of the kubelet's directory, and waits until the member has ended. */
export function stopPod(member: PodMember): Command {
  const { manifest } = member;
  const aside = manifestAside(member);
  return {
    summary: `move ${manifest} to ${aside}, and wait until its pod has ended`,
    script: [
      'set -eu',
      ...podRuns(member),
      `if [ -e ${quote(manifest)} ]; then`,
      // What an earlier move left there is kept, too.
      `  [ ! -e ${quote(aside)} ] || mv -T ${quote(aside)} ${quote(aside)}."$(date -u +%Y%m%dT%H%M%SZ)"`,
      `  mv -T ${quote(manifest)} ${quote(aside)}`,
      `  sync -f ${quote(aside)}`,
      'fi',
      `end=$(($(date +%s) + ${END_S}))`,
      'while runs; do',
      `  [ "$(date +%s)" -lt "$end" ] || { echo ${quote(`etcd still runs ${END_S} s after its manifest went: does the kubelet run?`)} >&2; exit 1; }`,
      '  sleep 0.2',
      'done',
    ].join('\n'),
    // Its own end comes first: it says more.
    timeoutMs: (END_S + 30) * 1000,
  };
}

/** Takes a member back into service that was stopped to leave: as long as its data is in its place, it may still be listed. */
export function startPod(member: PodMember): Command {
  const { manifest, dataDir } = member;
  const aside = quote(manifestAside(member));
  return {
    summary: `move ${manifest} back, where its data is in its place`,
    script: [
      'set -eu',
      `[ -e ${quote(`${dataDir}/member`)} ] || exit 0`,
      `[ -e ${quote(manifest)} ] || [ ! -e ${aside} ] || mv -T ${aside} ${quote(manifest)}`,
    ].join('\n'),
  };
}
