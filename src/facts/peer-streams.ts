import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** A TCP connection of a host, at its port for members or at that of another. */
export interface PeerStream {
  /** Address of the other side, without brackets. */
  readonly peer: string;
  /** Memory of the kernel that holds what is sent and not acknowledged, in bytes. */
  readonly queuedBytes: number;
  /** How much of it the connection may take before a write of the process waits, in bytes. */
  readonly roomBytes: number;
}

/** Both looks at the connections of one port: seconds apart, so that what fills or ends shows. */
export interface PeerStreams {
  readonly before: readonly PeerStream[];
  readonly after: readonly PeerStream[];
}

/** etcd turns to its second connection to a peer within a second of losing the first. */
const APART_S = 2;
const APART = '-- later --';

/**
 * Key: a port for members, as text. Two `ss` for all. Memory and not the bytes in the queue: a queue of many small messages is
 * full long before its bytes fill the buffer (ss(8), `skmem`: tb is the buffer, w what is queued).
 */
export const peerStreams: Fact<PeerStreams> = {
  name: 'peer-streams',
  script(ports) {
    const look = `ss -H -n -t -m state established ${quote(`( ${ports.map((port) => `sport = :${port} or dport = :${port}`).join(' or ')} )`)}`;
    return `${look}; echo '${APART}'; sleep ${APART_S}; ${look}`;
  },
  parse(stdout, ports) {
    const [before = [], after = []] = stdout.split(`${APART}\n`).map(readStreams);
    const at = (all: readonly AtPorts[], port: string): readonly PeerStream[] =>
      all.filter((each) => each.ports.includes(port)).map(({ stream }) => stream);
    return new Map(ports.map((port) => [port, { before: at(before, port), after: at(after, port) }]));
  },
};

interface AtPorts {
  readonly ports: readonly string[];
  readonly stream: PeerStream;
}

// `0 1234 203.0.113.11:2380 203.0.113.13:41234\n\t skmem:(r0,rb131072,t0,tb87040,f1792,w2304,o0,bl0,d0)`
function readStreams(text: string): readonly AtPorts[] {
  // An address, with the interface of a link-local one, and no other word: it is shown within a command to type.
  const line = /^\d+\s+\d+\s+\S+:(\d+)\s+([\w.:[\]%-]+):(\d+)[^\n]*\n\s+skmem:\(r\d+,rb\d+,t\d+,tb(\d+),f\d+,w(\d+)/gm;
  return [...text.matchAll(line)].map(([, own = '', peer = '', theirs = '', room, queued]) => ({
    ports: [own, theirs],
    stream: { peer: peer.replace(/^\[|\]$/g, ''), queuedBytes: Number(queued), roomBytes: Number(room) },
  }));
}
