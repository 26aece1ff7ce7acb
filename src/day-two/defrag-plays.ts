import { etcdCompacted, etcdCompactedKey } from '../facts/etcd-compacted.js';
import { etcdDatabaseFile } from '../facts/etcd-database-file.js';
import { etcdStatus, etcdStatusKey } from '../facts/etcd-status.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';
import type { Member } from '../model/cluster.js';
import type { Probe } from '../model/remote.js';
import type { Play } from '../playbook/play.js';
import { handOver } from '../resources/etcd-member.js';
import { compactHistory, defragmentMember, disarmNospace } from '../shell/etcd-space.js';
import {
  describeSpace,
  isFragmented,
  type DefragDecision,
  type FragmentRule,
  type SpaceSeen,
} from './decide-defrag.js';
import { unhealthy } from './look-at-space.js';

/** Every member but for NOSPACE, before and after each step. */
const HEALTHY = ['etcd-healthy-but-for-space'];

/** The plays of a decision. Each resource finds from the hosts whether it is still to be done. @param raiseQuota in between, where that is decided */
export function defragPlays(
  decision: DefragDecision,
  {
    raiseQuota,
    isWithinLimit,
  }: { readonly raiseQuota: readonly Play[]; readonly isWithinLimit: (host: string) => boolean },
): readonly Play[] {
  const { seen, worker, alarm, compactTo, quota } = decision;
  const members = seen.filter(({ member }) => isWithinLimit(member.host));
  return [
    ...(compactTo === undefined
      ? []
      : [playOf('Compact the history', [[worker.host, compactionOf(worker, compactTo)]])]),
    ...(quota === 'raised' ? raiseQuota : []),
    {
      ...playOf(
        'Defragment the members, one after the other',
        members.map((each) => [each.member.host, defragmentationOf(each, decision)]),
      ),
      batchSize: 1,
      order: 'leader-last',
    },
    ...(alarm === 'none'
      ? []
      : [
          {
            ...playOf('Allow writes again', [[worker.host, disarmingOf(worker)]]),
            gatesBefore: [...HEALTHY, 'etcd-has-room'],
            gatesAfter: ['etcd-healthy'],
          },
        ]),
  ];
}

function playOf(name: string, resources: readonly (readonly [host: string, resource: Resource])[]): Play {
  return {
    name,
    hosts: resources.map(([host]) => host),
    batchSize: undefined,
    order: 'inventory',
    gatesBefore: HEALTHY,
    gatesAfter: HEALTHY,
    resources: new Map(resources.map(([host, resource]) => [host, [resource]])),
  };
}

function compactionOf(member: Member, revision: number): Resource {
  return {
    address: 'etcd-compaction',
    paths: [],
    async plan(probe) {
      if ((await probe.ask(etcdCompacted, etcdCompactedKey(member, revision))) === 'yes') return UNCHANGED;
      return changed({
        summary: `drop the history of all keys before revision ${revision}`,
        diff: [
          'the newest value of each key stays',
          'a watch that is further behind is ended ("compacted") and lists again, as API servers do by themselves',
        ],
        actions: [
          {
            kind: 'run',
            command: compactHistory(member, revision),
            undo: { lasting: 'the history stays dropped' },
          },
        ],
        effect: 'change',
        disruptive: false,
      });
    },
  };
}

function defragmentationOf(seen: SpaceSeen, { rule, compactTo }: DefragDecision): Resource {
  const { member, inode } = seen;
  const { dataDir, name } = member;
  return {
    address: `etcd-defrag:${name}`,
    paths: [],
    async plan(probe) {
      const isDue = compactTo === undefined ? isWorthIt(member, rule, probe) : isOld(dataDir, inode, probe);
      if (!(await isDue)) return UNCHANGED;
      return changed({
        summary: `defragment the database of ${name}`,
        diff: [describeSpace(seen), 'it answers nobody meanwhile; leadership is handed over before, where it has it'],
        actions: [handOver(member), { kind: 'run', command: defragmentMember(member), undo: 'nothing' }],
        effect: 'change',
        disruptive: true,
      });
    },
  };
}

/** etcd counts what a compaction has freed when it writes again, which it does not under the alarm: its figures would say too little. */
async function isOld(dataDir: string, inode: string, probe: Probe): Promise<boolean> {
  return (await probe.ask(etcdDatabaseFile, dataDir)) === inode;
}

async function isWorthIt(member: Member, rule: FragmentRule, probe: Probe): Promise<boolean> {
  const status = await probe.ask(etcdStatus, etcdStatusKey(member));
  if (status.kind === 'silent') throw unhealthy(`${member.host} does not answer: ${status.reason}`);
  return isFragmented(status, rule);
}

function disarmingOf(member: Member): Resource {
  return {
    address: 'etcd-alarm:NOSPACE',
    paths: [],
    async plan(probe) {
      const status = await probe.ask(etcdStatus, etcdStatusKey(member));
      if (status.kind === 'silent') throw unhealthy(`${member.host} does not answer: ${status.reason}`);
      if (!status.alarms.includes('NOSPACE')) return UNCHANGED;
      return changed({
        summary: 'disarm the alarm NOSPACE',
        diff: ['once every database is well below its quota: etcd takes writes again'],
        actions: [
          {
            kind: 'run',
            command: disarmNospace(member),
            undo: { lasting: 'etcd raises it again by itself, if need be' },
          },
        ],
        effect: 'change',
        disruptive: false,
      });
    },
  };
}
