import { listersOf, hex, type HeardMember } from '../facts/etcd-membership.js';
import { lookAtMembers } from '../facts/etcd-phase.js';
import { etcdStatus, etcdStatusKey } from '../facts/etcd-status.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster, Member } from '../model/cluster.js';
import { hostPort } from '../model/endpoint.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { etcdctlByHand } from '../shell/etcdctl.js';
import { peerUrlOf } from '../shell/join-member.js';
import { quote } from '../shell/quote.js';

// What an inventory changes of a living member, and what etcd can not take from a restart alone. A new name it can: it tells
// the others when it starts.

const UNTOUCHED = 'nothing was changed';

/** The inventory has another data directory than the member. @param keptIn where its data is */
export function dataElsewhere({ host, unit, dataDir }: Member, keptIn: string): ProvisionError {
  const move = [
    `install -d -o etcd -g etcd -m 0700 ${quote(dataDir)}`,
    `mv -T ${quote(`${keptIn}/member`)} ${quote(`${dataDir}/member`)}`,
  ].join(' && ');
  return new ProvisionError({
    code: 'member-moved',
    message: `${host} has the data of its member in ${keptIn}, and etcd_data_dir is ${dataDir}: without its data it would be another member; ${UNTOUCHED}`,
    hint: [
      `leave etcd_data_dir at ${keptIn}; or move the data, one member after the other, each only while all others are healthy:`,
      `ssh ${host} sudo systemctl stop ${unit}`,
      `ssh ${host} ${quote(`sudo sh -c ${quote(move)}`)}`,
      `provision apply INVENTORY --limit ${host}`,
    ].join('\n'),
  });
}

/**
 * The others ask a member where etcd's list has it, whatever it listens on after a restart. Where most members list it
 * elsewhere than the inventory, or nobody who answers lists it there, it is not touched: one that lists something else alone stops
 * nothing while another one says what the inventory says.
 * @throws ProvisionError `member-moved`
 */
export async function refuseOtherAddress(cluster: Cluster, member: Member, probe: Probe): Promise<void> {
  if (!cluster.isManaged) return;
  const { present } = await lookAtMembers(cluster, probe);
  const answers = await Promise.all(
    present.members.map(async (each) => ({
      host: each.host,
      status: await unlessLost(probe.on(each.host).ask(etcdStatus, etcdStatusKey(each))),
    })),
  );
  const heard = answers.flatMap(({ host, status }) =>
    status instanceof RemoteError || status.kind === 'silent' ? [] : [{ host, ...status }],
  );
  const entries = listersOf(heard).flatMap((lister) => entryOf(member, lister, heard) ?? []);
  const end = hostPort(member.address, member.peerPort);
  const elsewhere = entries.filter(
    ({ peerUrls }) => !peerUrls.some((url) => URL.canParse(url) && new URL(url).host === end),
  );
  const [first] = elsewhere;
  // Its own silence is what is asked about; that of another one is no word for anything.
  const asked = present.members.filter(({ host }) => host !== member.host || heard.some((each) => each.host === host));
  const isContradicted = elsewhere.length < entries.length;
  if (first === undefined || (isContradicted && 2 * elsewhere.length <= asked.length)) return;
  const asker = present.members.find(({ host }) => host !== member.host && heard.some((each) => each.host === host));
  throw movedAddress(member, first, asker);
}

function entryOf(
  member: Member,
  lister: HeardMember,
  heard: readonly HeardMember[],
): HeardMember['members'][number] | undefined {
  const own = heard.find(({ host }) => host === member.host);
  return lister.members.find(({ id, name }) => (own === undefined ? name === member.name : id === own.memberId));
}

function movedAddress(
  member: Member,
  { id, peerUrls }: HeardMember['members'][number],
  asker: Member | undefined,
): ProvisionError {
  const { host } = member;
  const wanted = peerUrlOf(member);
  const words = `member update ${hex(id)} --peer-urls=${wanted}`;
  return new ProvisionError({
    code: 'member-moved',
    message: `${host}: etcd lists its member at ${peerUrls.join(', ') || 'no URL'}, and the inventory has it at ${wanted}: the others would ask it where it is not any more; ${UNTOUCHED}`,
    hint: [
      'leave the address as it is; or, where the machine has both addresses, the new one first, and all others are healthy:',
      asker === undefined ? `etcdctl ${words}` : etcdctlByHand(asker, words),
      `provision apply INVENTORY --limit ${host}   at once, then provision apply INVENTORY`,
      `where it is another machine, and the old one is lost: provision member replace INVENTORY ${host}`,
    ].join('\n'),
  });
}
