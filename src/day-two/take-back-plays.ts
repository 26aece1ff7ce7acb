import type { Cluster, Member } from '../model/cluster.js';
import type { Play } from '../playbook/play.js';
import { stopMemberScript } from '../shell/restore-services.js';
import { exchangeBackScript, leaveScript } from '../shell/restore-snapshot.js';
import { doneResource, startApiserverStep, startStep } from './restore-service-steps.js';
import { command, playOf, stepResource, type Step } from './restore-step.js';

/** The plays that put everything back as it was before a restore; only until the API servers run on what was restored. */
export function takeBackPlays(id: string, cluster: Cluster, members: 'were-stopped' | 'run'): readonly Play[] {
  const { controlPlanes } = cluster;
  return [
    ...(members === 'run' ? leavePlays(id, cluster) : exchangeBackPlays(id, cluster)),
    playOf(
      'Start the API servers',
      controlPlanes.map(({ host, manifest }) => [
        host,
        stepResource(id, startApiserverStep(id, manifest, 'back-apiserver')),
      ]),
      { gatesAfter: ['apiserver-ready'] },
    ),
    playOf(
      'Note that it was taken back',
      [...new Set([...cluster.members, ...controlPlanes].map(({ host }) => host))].map((host) => [
        host,
        doneResource(id),
      ]),
    ),
  ].filter(({ hosts }) => hosts.length > 0);
}

function leavePlays(id: string, { members }: Cluster): readonly Play[] {
  const summary = 'remove what was restored beside the data';
  const step = (member: Member): Step => ({
    stage: 'back-exchanged',
    summary,
    details: [],
    command: command(summary, leaveScript(id, member)),
    undo: 'nothing',
    effect: 'delete',
    disruptive: false,
  });
  const resources = members.map((member) => [member.host, stepResource(id, step(member))] as const);
  return [playOf('Remove what was restored; no member was stopped', resources)];
}

function exchangeBackPlays(id: string, { members }: Cluster): readonly Play[] {
  const onMembers = (step: (member: Member) => Step) =>
    members.map((member) => [member.host, stepResource(id, step(member))] as const);
  return [
    playOf(
      'Stop etcd',
      onMembers((member) => stopStep(id, member)),
    ),
    playOf(
      'Put the data of before back',
      onMembers((member) => exchangeBackStep(id, member)),
    ),
    playOf(
      'Start etcd, all members together',
      onMembers((member) => startStep(id, member, 'back-started')),
      {
        gatesAfter: ['etcd-healthy'],
      },
    ),
  ];
}

function stopStep(id: string, { unit }: Member): Step {
  const summary = `stop ${unit}`;
  return {
    stage: 'back-stopped',
    summary,
    details: [],
    command: command(summary, stopMemberScript(id, unit)),
    undo: { lasting: `${unit} stays stopped: run the same command again` },
    effect: 'stop',
    disruptive: true,
  };
}

function exchangeBackStep(id: string, member: Member): Step {
  const { dataDir } = member;
  const summary = `put ${dataDir}/member.before-${id} back, where there is one`;
  return {
    stage: 'back-exchanged',
    summary,
    details: [`what was restored is kept as ${dataDir}/member.restored-${id}`],
    command: command(summary, exchangeBackScript(id, member)),
    undo: { lasting: 'run the same command again' },
    effect: 'change',
    disruptive: false,
  };
}
