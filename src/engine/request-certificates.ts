import pLimit from 'p-limit';
import type { PlannedCertificate } from '../pki/authority.js';
import { requestConfig } from '../pki/request.js';
import { requestCertificateScript } from '../shell/request-certificate.js';
import { oneAtATime } from './busy-hosts.js';
import { runOrFail } from './run-or-fail.js';
import { RunError, type HostFailure } from './run-error.js';
import type { World } from './world.js';

/** Takes a request from a host. */
export type KeepRequest = (planned: PlannedCertificate, pem: string) => Promise<unknown>;

/**
 * Lets each host make the requests for its certificates signed by an external CA: for the key that it has, or for a
 * new one, which is made there and waits for its certificate. Nothing that runs is changed, no private key leaves its
 * host, and doing it again gives requests for the same keys.
 * @throws RunError naming every host that failed; the others' requests are kept
 */
export async function requestCertificates(
  planned: readonly PlannedCertificate[],
  keep: KeepRequest,
  world: Pick<World, 'connector' | 'forks' | 'emit'>,
): Promise<void> {
  const hosts = [...new Set(planned.map(({ host }) => host))];
  const acting = oneAtATime(world);
  const limit = pLimit(world.forks);
  const results = await Promise.allSettled(
    hosts.map((host) =>
      limit(async () => {
        const transport = await acting.connect(host);
        for (const each of planned.filter((one) => one.host === host)) {
          const { stdout } = await runOrFail(commandFor(each), transport);
          await keep(each, stdout);
        }
      }),
    ),
  );
  const failures = results.flatMap((result, index): HostFailure[] =>
    result.status === 'rejected'
      ? [
          {
            host: hosts[index],
            error: result.reason instanceof Error ? result.reason : new Error(String(result.reason)),
          },
        ]
      : [],
  );
  if (failures.length > 0) throw new RunError('not all requests could be made; those of other hosts are', failures);
}

function commandFor({ action }: PlannedCertificate): { readonly summary: string; readonly script: string } {
  const { certificate, profile, destination } = action;
  const script = requestCertificateScript({
    certificate,
    config: requestConfig(profile),
    keyType: profile.keyType,
    keyPath: destination.layout === 'bundle' ? destination.path : destination.keyPath,
    key: profile.keepPublicKey === null ? 'new' : 'kept',
  });
  return { summary: `make the request for ${certificate}`, script };
}
