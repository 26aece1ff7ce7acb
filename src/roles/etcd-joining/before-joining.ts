import { UNCHANGED, type Resource } from '../../model/change.js';
import { joinableSize } from '../../resources/joinable-size.js';
import { joinableVersion } from '../../resources/joinable-version.js';
import { snapshotBefore, type JoiningWay } from '../../resources/joining-steps.js';
import { letInByMembers } from '../../resources/let-in-by-members.js';
import type { RunScope } from '../role.js';

/**
 * What comes before every change of the list of members by which one joins, whatever verb it is of: the firewalls that this run
 * does not open let it in, its etcd and its quota go with what runs, and a snapshot is saved.
 */
export function beforeJoining(way: JoiningWay, { isWorkedOn }: RunScope): readonly Resource[] {
  const others = way.peers.map(({ host }) => host).filter((host) => !isWorkedOn(host));
  return [
    ...(others.length === 0 ? [] : [letInByMembers(others, way)]),
    joinableVersion(way),
    joinableSize(way),
    snapshotBefore(way),
  ];
}

/**
 * The same in the middle of a recovery, which has asked about firewall and quota before it began: there nobody serves, and what is
 * doubtful is reported.
 */
export function beforeJoiningAgain(way: JoiningWay): readonly Resource[] {
  return [joinableVersion(way), { ...joinableSize(way), plan: () => Promise.resolve(UNCHANGED) }, snapshotBefore(way)];
}
