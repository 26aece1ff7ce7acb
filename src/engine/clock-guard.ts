import { certainSkewMs, clock, NOW, type ClockReading } from '../facts/clock.js';
import type { Look } from '../facts/batched-probe.js';
import { ProvisionError } from '../model/errors.js';
import { plannedSteps, type Plan } from '../model/plan.js';
import { BACKDATE_MS } from '../pki/backdate.js';
import type { HostFailure } from './run-error.js';

/**
 * How far a host's clock may be from this machine's, in milliseconds. A new certificate is valid from
 * {@link BACKDATE_MS} ago on, by this machine's clock: a host that is further behind refuses it. A minute is kept for the
 * time until the certificate is used. Ahead, the same bound: such a host ends certificates early.
 */
export const MAX_SKEW_MS = BACKDATE_MS - 60_000;

/** One host's clock. */
export interface HostClock extends ClockReading {
  readonly name: string;
}

/**
 * Reads the clocks of hosts in the look that is under way: it costs no exec of its own. Who can't be asked is left out;
 * the plan tells about it.
 * @param now milliseconds since 1970, on this machine
 */
export async function readClocks(
  hosts: readonly string[],
  look: Look,
  now: () => number,
): Promise<readonly HostClock[]> {
  const read = await Promise.allSettled(
    hosts.map(async (name): Promise<HostClock> => {
      const sent = now();
      const host = await look.probe(name).ask(clock, NOW);
      return { name, sent, host, received: now() };
    }),
  );
  return read.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

/** The hosts whose clock would break something: those that get a certificate, and members. */
export function wrongClocks(plan: Plan, clocks: readonly HostClock[], members: readonly string[]): HostFailure[] {
  const concerned = new Set([...members, ...hostsWithNewCertificates(plan)]);
  const wrong = clocks.filter((each) => concerned.has(each.name) && isWrong(each));
  const isOurs = clocks.length > 1 && clocks.every(isWrong) && new Set(clocks.map(isBehind)).size === 1;
  return wrong.map((each) => ({ host: each.name, error: new WrongClock(each, isOurs ? 'this machine' : each.name) }));
}

/** A host's clock and this machine's are too far apart. */
class WrongClock extends ProvisionError {
  constructor(reading: HostClock, suspect: string) {
    const { name } = reading;
    const apart = describeTime(Math.abs(certainSkewMs(reading)));
    const consequence = isBehind(reading)
      ? `it would refuse a new certificate, valid from ${describeTime(BACKDATE_MS)} ago on, as not yet valid`
      : 'certificates end early on it';
    super({
      code: 'clock-off',
      message: `${name}: its clock is ${apart} ${isBehind(reading) ? 'behind' : 'ahead of'} this machine's (at most ${describeTime(MAX_SKEW_MS)}): ${consequence}`,
      hint:
        suspect === name
          ? `ssh ${name} timedatectl; let chrony or systemd-timesyncd keep its time`
          : 'all hosts differ by the same amount, so the clock of this machine is probably wrong: timedatectl',
    });
  }
}

function isWrong(reading: ClockReading): boolean {
  return Math.abs(certainSkewMs(reading)) > MAX_SKEW_MS;
}

function isBehind(reading: ClockReading): boolean {
  return certainSkewMs(reading) < 0;
}

function describeTime(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** What gives a host a certificate: one of ours, or those that kubeadm and the API server make when it joins. */
const GIVES_CERTIFICATE: ReadonlySet<string> = new Set(['issue-certificate', 'join-kubernetes']);

/** What is known only after apply may come to be a certificate. */
function hostsWithNewCertificates(plan: Plan): readonly string[] {
  const hosts = plannedSteps(plan)
    .filter(
      ({ step: { outcome } }) =>
        outcome.kind === 'unknown' || outcome.change.actions.some(({ kind }) => GIVES_CERTIFICATE.has(kind)),
    )
    .map(({ host }) => host);
  return [...new Set(hosts)];
}
