import { runOrFail } from '../engine/run-or-fail.js';
import type { World } from '../engine/world.js';
import { vipRequest } from '../gates/vip-answers.js';
import type { MeasuredGap } from '../model/drill.js';
import { awaitFirstAnswers, endWatch, watchEndpoint } from '../shell/watch-endpoint.js';
import type { Position } from './look-before.js';
import { measureGap, readAttempts } from './measure-gap.js';

/** A measurement that runs on the observer. */
export interface Watch {
  /** Ends it. @throws RemoteError when the observer was lost on the way */
  end(): Promise<Readonly<Record<'address' | 'client', MeasuredGap>>>;
}

/**
 * Begins to measure; when this returns, the address and the service have answered once.
 * @param token unique letters and digits
 * @param limitS the measurement ends by itself after so many seconds
 * @throws RemoteError
 */
export async function beginWatch(
  { service, observer }: Position,
  { token, limitS }: { readonly token: string; readonly limitS: number },
  { connector }: World,
): Promise<Watch> {
  const transport = await connector.connect(observer.host);
  const request = vipRequest(service, observer.files);
  const { ip, port } = service.endpoint;
  const output = transport.run(watchEndpoint({ token, ip, port, request, alive: service.health.alive, limitS }));
  // It may fail long before it is awaited.
  output.catch(() => undefined);
  await runOrFail(awaitFirstAnswers(token), transport);
  return {
    async end() {
      await runOrFail(endWatch(token), await connector.connect(observer.host));
      const attempts = readAttempts((await output).stdout);
      return {
        address: measureGap(attempts.filter(({ what }) => what === 'address')),
        client: measureGap(attempts.filter(({ what }) => what === 'client')),
      };
    },
  };
}
