import { RemoteError } from '../model/errors.js';
import type { EventSink } from '../model/events.js';
import type { Connector, Output, Transport } from '../model/remote.js';
import { awaitIdleScript, BUSY_MARK, STILL_BUSY } from '../shell/busy.js';

/** How often a host is asked, which waits 10 s each time: ten minutes, longer than most commands take. */
const LOOKS = 60;

const AT_MOST = 'for ten minutes at most';

/** Whose events say that someone waits. */
interface Saying {
  readonly emit: EventSink;
}

/**
 * The same ways to hosts, for commands that change them (`Command.alone`): each waits until none runs there that was begun before.
 * That costs nothing of its own time.
 */
export function oneAtATime({ connector, emit }: Saying & { readonly connector: Connector }): Connector {
  return {
    connect: async (host) => ofOne(await connector.connect(host), emit),
    close: () => connector.close(),
  };
}

function ofOne(transport: Transport, emit: EventSink): Transport {
  const { host } = transport;
  return {
    host,
    async run(command) {
      const attempt = (): Promise<Output> => transport.run({ ...command, alone: true });
      const output = await onceIdle(transport, attempt, whatRuns, { emit, mayWait: () => true });
      const runs = whatRuns(output);
      if (runs === undefined) return output;
      throw new RemoteError({
        ...{ code: 'still-busy', host, command: command.summary },
        message: `${host}: ${command.summary}: not begun, since what was begun before still runs there: ${runs}`,
        hint: 'it ends by itself, at the latest with its time-out: then run the same command again',
      });
    },
    download: (command, intake) => transport.download(command, intake),
    close: () => transport.close(),
  };
}

/** What still runs, in the answer of a script that could not begin. Of a host that may say anything, one short line. */
export function whatRuns({ status, stderr }: Pick<Output, 'status' | 'stderr'>): string | undefined {
  if (status !== STILL_BUSY) return undefined;
  const line = stderr.split('\n').find((each) => each.startsWith(BUSY_MARK));
  if (line === undefined) return undefined;
  return line.slice(BUSY_MARK.length).trim().slice(0, 200) || 'it does not say what';
}

/**
 * Tries something until its host is idle, and says once that it waits.
 * @param runsOf what still runs, by what came back
 * @returns what came back last: after ten minutes, or where nobody may wait any more, the host is still busy
 */
export async function onceIdle<T>(
  transport: Transport,
  attempt: () => Promise<T>,
  runsOf: (result: T) => string | undefined,
  { emit, mayWait }: Saying & { readonly mayWait: () => boolean },
): Promise<T> {
  for (let looks = 0; ; looks++) {
    const result = await attempt();
    const runs = runsOf(result);
    if (runs === undefined || looks === LOOKS || !mayWait()) return result;
    const message = `waits, ${AT_MOST}, until what was begun here before ends: ${runs}`;
    if (looks === 0) emit({ type: 'notice', host: transport.host, message });
    await transport.run({ summary: 'wait until the host is idle', script: awaitIdleScript() });
  }
}
