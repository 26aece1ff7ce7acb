import { agreedLister, withoutMembers, type HeardMember } from '../facts/etcd-membership.js';
import { lookAtMembers } from '../facts/etcd-phase.js';
import { etcdStatus, etcdStatusKey, type EtcdStatus } from '../facts/etcd-status.js';
import { ALL_ADDRESSES, hostAddresses } from '../facts/host-addresses.js';
import { pathExists } from '../facts/path-exists.js';
import { unitCommand } from '../facts/unit-command.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster, Member } from '../model/cluster.js';
import { httpsUrl } from '../model/endpoint.js';
import { RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { JOIN_DROP_IN } from '../shell/join-member.js';
import type { ReplacementLook } from './decide-replacement.js';

/** Asks the host of a member, and the members that the cluster has now, what {@link ReplacementLook} needs. */
export async function lookBeforeJoining(cluster: Cluster, member: Member, probe: Probe): Promise<ReplacementLook> {
  const here = probe.on(member.host);
  const { present, yetToJoin } = await lookAtMembers(cluster, probe);
  const peers = present.members.filter(({ host }) => host !== member.host);
  const otherJoiners = yetToJoin.filter(({ host }) => host !== member.host);
  const [seen, own, unit, addresses, isJoining, others, answers] = await Promise.all([
    lookAtMembers({ ...cluster, members: [member], formerMembers: [] }, probe),
    here.ask(etcdStatus, etcdStatusKey(member)),
    here.ask(unitCommand, member.unit),
    here.ask(hostAddresses, ALL_ADDRESSES),
    here.ask(pathExists, JOIN_DROP_IN),
    Promise.all(peers.map(async (peer) => unlessLost(probe.on(peer.host).ask(etcdStatus, etcdStatusKey(peer))))),
    askAt(httpsUrl(member.address, member.clientPort), peers, probe),
  ]);
  const [state] = [...seen.states, ...seen.joining];
  // The host answers, or asking it threw.
  if (state === undefined) throw seen.away[0]?.error ?? new Error(`${member.host} was not looked at`);
  const heard = others.flatMap((status, index) =>
    status instanceof RemoteError || status.kind === 'silent' ? [] : [{ host: peers[index]?.host ?? '', ...status }],
  );
  return {
    ...{ state, own, isJoining, peers },
    isRunning: unit.running.length > 0,
    hasAddress: addresses.some(({ address }) => address === member.address),
    others: heard.map((status) => withoutMembers(status, otherJoiners)),
    answering: idsIn(answers),
    stillAt: await lookAtOldPlace(member, { peers, heard }, probe),
  };
}

/** Where etcd lists the member elsewhere than the inventory, as one that a machine with another address replaces. */
async function lookAtOldPlace(
  member: Member,
  { peers, heard }: { readonly peers: readonly Member[]; readonly heard: readonly HeardMember[] },
  probe: Probe,
): Promise<ReplacementLook['stillAt']> {
  const entry = agreedLister(heard)?.members.find(({ name }) => name === member.name);
  const hosts = (entry?.peerUrls ?? [])
    .flatMap((url) => (URL.canParse(url) ? [new URL(url).hostname.replace(/^\[|\]$/g, '')] : []))
    .filter((host) => host !== member.address);
  const found = await Promise.all(
    [...new Set(hosts)].map(async (host) => {
      const url = httpsUrl(host, member.clientPort);
      return { url, ids: idsIn(await askAt(url, peers, probe)) };
    }),
  );
  return found.find(({ ids }) => ids.length > 0);
}

/** What others hear at a client URL. */
async function askAt(
  clientUrl: string,
  peers: readonly Member[],
  probe: Probe,
): Promise<readonly (EtcdStatus | RemoteError)[]> {
  return Promise.all(
    peers.map(async ({ host, client }) =>
      unlessLost(probe.on(host).ask(etcdStatus, etcdStatusKey({ clientUrl, client }))),
    ),
  );
}

function idsIn(answers: readonly (EtcdStatus | RemoteError)[]): readonly string[] {
  return [
    ...new Set(
      answers.flatMap((status) => (status instanceof RemoteError || status.kind === 'silent' ? [] : [status.memberId])),
    ),
  ];
}
