import type { Resource } from '../../model/change.js';
import type { JoiningWay } from '../../resources/joining-steps.js';
import { letInByMembers } from '../../resources/let-in-by-members.js';
import type { RunScope } from '../role.js';

/** Where `--limit` leaves other members out, whether the new one gets in there; nothing where their firewalls are part of the run. */
export function letIn(way: JoiningWay, { isWorkedOn }: RunScope): readonly Resource[] {
  const others = way.peers.map(({ host }) => host).filter((host) => !isWorkedOn(host));
  return others.length === 0 ? [] : [letInByMembers(others, way)];
}
