import type { Client, ClientChannel } from 'ssh2';
import { Conversation } from './conversation.js';
import { inTime } from './deadline.js';
import type { Answer, Dialogue } from './dialogue.js';
import { closeIsLastWord } from './last-word.js';

/** The server has no answer to a request to open a channel, or to run a command in it. */
export class NoChannelInTime extends Error {}

/** Where a channel is opened, and how long that may take. */
export interface ChannelSource {
  readonly client: Client;
  readonly channelTimeoutMs: number;
  /** Ends the connection. */
  readonly drop: (reason: Error) => void;
}

/**
 * Opens a channel and talks on it. The listeners are there before this turn ends: a short command's status can arrive
 * in the same packet as the answer to `exec`, and would be missed after an `await`.
 * @throws NoChannelInTime after the connection was dropped, so that nothing is started late; ssh2's Error
 */
export function converse({ client, channelTimeoutMs, drop }: ChannelSource, dialogue: Dialogue): Promise<Answer> {
  function error(): Error {
    const late = new NoChannelInTime(`the server opened no channel for a command within ${channelTimeoutMs / 1000} s`);
    drop(late);
    return late;
  }
  return new Promise((resolve, reject) => {
    const opened = inTime<ClientChannel>({ ms: channelTimeoutMs, error }, (done) => {
      client.exec(dialogue.line, (failed: Error | undefined, channel) => {
        if (!failed) new Conversation(closeIsLastWord(channel), dialogue, { drop, resolve }).begin();
        done(failed, channel);
      });
    });
    opened.catch(reject);
  });
}
