import type { Check, CheckContext, CheckItem } from '../../src/checks/check.js';
import { RemoteError } from '../../src/model/errors.js';
import type { Probe } from '../../src/model/remote.js';
import { fakeProbe, type FakeAnswers } from './fake-probe.js';
import { SAMPLE_CLUSTER } from './sample-cluster.js';
import { TODAY } from './test-authority.js';

/** A host that nobody can connect to. */
export const UNREACHABLE = 'unreachable';

/** The sample cluster, with hosts that answer from tables. */
export function contextOf(
  hosts: Readonly<Record<string, FakeAnswers | typeof UNREACHABLE>>,
  changes: Partial<CheckContext> = {},
): CheckContext {
  function probe(host: string): Probe {
    const answers = hosts[host];
    if (answers === undefined) throw new Error(`the context knows no host ${host}`);
    if (answers !== UNREACHABLE) return { ...fakeProbe(answers), host, on: probe };
    const error = new RemoteError({ code: 'unreachable', host, message: `${host}: connection refused`, hint: 'try' });
    return { host, ask: () => Promise.reject(error), on: probe };
  }
  return {
    cluster: SAMPLE_CLUSTER,
    probe,
    probeAgain: probe,
    certificates: {
      authority: { certificate: () => undefined, trustBundle: () => undefined },
      now: TODAY,
      renewBeforeDays: 30,
    },
    resources: new Map(),
    inventory: 'inventory.yaml',
    now: () => TODAY.getTime(),
    ...changes,
  };
}

/** `verdict check host subject: evidence` of every item. */
export async function linesOf(check: Check, context: CheckContext): Promise<readonly string[]> {
  return (await check(context)).map(asLine);
}

/** An item in one line. */
export function asLine({ verdict, check, host, subject, evidence }: CheckItem): string {
  return `${[verdict, check, host, subject].filter((word) => word !== undefined).join(' ')}: ${evidence}`;
}
