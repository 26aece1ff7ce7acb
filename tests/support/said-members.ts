import type { AskedMembers } from '../../src/day-two/snapshot-source.js';
import { etcdHost, healthy, SILENT } from './etcd-answers.js';
import { fakeProbe, UNREACHABLE, type FakeAnswers, type FakeProbe } from './fake-probe.js';
import { SAMPLE_CLUSTER } from './sample-cluster.js';

/** What a member says of itself, or that its host can't be asked. */
export type Said = Parameters<typeof healthy>[1] | 'silent' | 'away';

function hostOf(said: Said, index: number): FakeAnswers {
  if (said === 'away') return UNREACHABLE;
  return etcdHost({ status: said === 'silent' ? SILENT : healthy(index + 1, said) });
}

/**
 * The first members of the sample cluster, and a way to ask each.
 * @param said by each, `etcd-1` first
 * @param more what else a host answers, by its name
 */
export function membersThatSay(said: readonly Said[], more: Readonly<Record<string, FakeAnswers>> = {}): AskedMembers {
  const { members } = SAMPLE_CLUSTER;
  const probe = (host: string): FakeProbe => {
    const index = members.findIndex((each) => each.host === host);
    const answers = hostOf(said[index], index);
    return fakeProbe(answers === UNREACHABLE ? answers : { ...answers, ...more[host] }, {}, host);
  };
  return { cluster: { members: members.slice(0, said.length), formerMembers: [] }, probe };
}
