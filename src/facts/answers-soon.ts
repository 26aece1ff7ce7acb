import { RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';

/**
 * The right to look at other hosts, where something else ends before a host that takes logins and then hangs would be given up.
 * Who is late once is not waited for again.
 * @param ms how long one answer may take
 */
export function answersSoon(probe: (host: string) => Probe, ms: number): (host: string) => Probe {
  const late = new Map<string, RemoteError>();
  const soon = (host: string): Probe => ({
    host,
    async ask(fact, key) {
      const known = late.get(host);
      if (known !== undefined) throw known;
      return inTime(probe(host).ask(fact, key), ms, () => {
        const error = lateError(host, ms);
        late.set(host, error);
        return error;
      });
    },
    on: soon,
  });
  return soon;
}

async function inTime<V>(asked: Promise<V>, ms: number, toError: () => RemoteError): Promise<V> {
  let timer: NodeJS.Timeout | undefined;
  let pending: NodeJS.Immediate | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      // What has arrived meanwhile is read first, where this machine was busy.
      pending = setImmediate(() => {
        reject(toError());
      });
    }, ms);
  });
  try {
    return await Promise.race([asked, deadline]);
  } finally {
    clearTimeout(timer);
    clearImmediate(pending);
  }
}

function lateError(host: string, ms: number): RemoteError {
  return new RemoteError({
    code: 'command-hung',
    host,
    command: 'look',
    message: `${host}: look: no answer within ${ms / 1000} s`,
    hint: `try it by hand: ssh ${host} true`,
  });
}
