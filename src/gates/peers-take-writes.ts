import { peerStreams, type PeerStreams } from '../facts/peer-streams.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import { counted } from '../model/counted.js';
import type { Gate, GateAnswer } from '../model/gate.js';

/** A busy leader fills both of its connections to a lost peer, and gives them up, within a quarter of a minute (tried). */
const DEADLINE_MS = 180_000;

/**
 * An idle one may fill half a connection and no more: the kernel gives that up after some 15 minutes (tcp(7), `tcp_retries2`).
 */
const KERNEL_MS = 16 * 60_000;

/** From here on a queue counts as filling: the rest may be gone before what waits for this gate is done. */
const FILLING_SHARE = 0.5;

/**
 * No member waits for a peer that takes nothing, as one does that lost its power a moment ago. A member that is removed then
 * stops the leader for as long as that write waits: etcd ends the peer's streams while it applies the change (rafthttp,
 * `removePeer`; a write waits 5 s, `ConnWriteTimeout`), and acknowledges nothing meanwhile.
 */
export function peersTakeWrites(cluster: Cluster): Gate {
  return {
    name: 'peers-take-writes',
    deadlineMs: DEADLINE_MS,
    async check({ probe }) {
      const asked = await Promise.all(
        [...cluster.members, ...cluster.formerMembers].map(async ({ host, peerPort }) => {
          const streams = await unlessLost(probe(host).ask(peerStreams, String(peerPort)));
          // Whether a member that is away matters is for the gates of health to say.
          return streams instanceof RemoteError ? undefined : shutFor(host, streams);
        }),
      );
      return asked.find((answer) => answer !== undefined) ?? { open: true };
    },
  };
}

function shutFor(host: string, { before, after }: PeerStreams): GateAnswer | undefined {
  const filling = [...after, ...before].find(({ queuedBytes, roomBytes }) => queuedBytes > roomBytes * FILLING_SHARE);
  if (filling !== undefined) {
    const { peer, queuedBytes, roomBytes } = filling;
    return {
      open: false,
      reason: `${host} still sends to ${peer}, which takes nothing: ${queuedBytes} of ${roomBytes} bytes are queued. etcd gives that connection up by itself; a member that is removed before that stops all writes for seconds`,
      next: `ssh ${host} ss -t -n -m dst ${peer}`,
      patienceMs: KERNEL_MS,
    };
  }
  // With one connection gone, what was meant for it goes to the other, and fills that.
  if (before.length === after.length) return undefined;
  return {
    open: false,
    reason: `${host} had ${counted(before.length, 'connection')} with other members, and ${after.length} two seconds later`,
    next: `ssh ${host} ss -t -n -m`,
  };
}
