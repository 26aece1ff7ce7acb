import { randomBytes } from 'node:crypto';
import { createLook, type Look } from '../facts/batched-probe.js';
import type { EventSink } from '../model/events.js';
import type { Connector } from '../model/remote.js';
import type { Secret } from '../model/secret.js';
import { takeCredential } from '../shell/batch.js';

/** One look at a host asks everything at once; a host that needs longer than this is stuck. */
const LOOK_TIMEOUT_MS = 120_000;

/**
 * Looks at hosts through their connections, one exec a turn.
 * @param credentialFor what a host's questions may show to etcd, beside its own files; see {@link takeCredential}
 */
export function lookThrough(
  connector: Connector,
  emit: EventSink,
  credentialFor: (host: string) => Secret | undefined = () => undefined,
): Look {
  return createLook({
    token: () => randomBytes(16).toString('hex'),
    async send(host, script) {
      emit({ type: 'host-looking', host });
      const transport = await connector.connect(host);
      const stdin = credentialFor(host);
      const whole = stdin === undefined ? script : `${takeCredential()}\n${script}`;
      const output = await transport.run({ summary: 'look', script: whole, stdin, timeoutMs: LOOK_TIMEOUT_MS });
      emit({ type: 'host-looked', host });
      return output;
    },
  });
}
