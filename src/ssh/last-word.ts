import type { Channel } from 'ssh2';

/**
 * Makes `close` the last that is said on a channel (RFC 4254, section 5.3).
 *
 * ssh2 goes on to widen the window of a channel that it has closed, for what is still on its way (its pull request
 * 1483). The server may have given the number to another channel by then. It would send that one more than ssh2 takes,
 * and ssh2 drops what is too much without a word: an answer with a hole in it that looks whole.
 */
export function closeIsLastWord<Opened extends Channel>(channel: Opened): Opened {
  const close = channel.close.bind(channel);
  const outgoing = channel.outgoing as { state: string };
  channel.close = () => {
    close();
    if (outgoing.state === 'closing') outgoing.state = 'closed';
  };
  return channel;
}
