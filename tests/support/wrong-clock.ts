import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { waitUntil } from '../../src/lab/process.js';
import { endOf } from './main-job.js';
import type { TestLab } from './lab.js';

const DATE = '/usr/local/bin/date';
const ON_HOST = '/usr/local/lib/libfaketime.so.1';

/**
 * Hosts of a lab share the kernel's clock. libfaketime (faketime(1)) shows a program another one: here `date`, by which a
 * host tells its time. What a command would inherit does not reach it.
 */
const LIBRARY = readdirSync('/usr/lib')
  .map((triplet) => `/usr/lib/${triplet}/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path));

/** Whether a host can be given a wrong clock here. */
export const hasWrongClocks = LIBRARY !== undefined;
if (!hasWrongClocks) console.warn('skipped: wrong clocks, because this machine has no libfaketime');

async function must(lab: TestLab, host: string, script: string, input?: string): Promise<void> {
  const ended = await lab.onControlSide(['ssh', '-F', lab.files.sshConfig, '-l', 'root', host, script], input);
  if (ended.status !== 0) throw new Error(endOf(ended));
}

/** Gives a host what {@link setClock} needs. */
export async function bringFakeTime(lab: TestLab, host: string): Promise<void> {
  if (LIBRARY === undefined) throw new Error('this machine has no libfaketime');
  await must(lab, host, `base64 -d > ${ON_HOST}`, readFileSync(LIBRARY).toString('base64'));
}

/** @param offset as faketime takes it: `-10m`; nothing: the right time */
export async function setClock(lab: TestLab, host: string, offset: string | undefined): Promise<void> {
  const wrapper = `#!/bin/sh\nLD_PRELOAD=${ON_HOST} FAKETIME=${offset ?? ''} exec /bin/date "$@"\n`;
  if (offset === undefined) await must(lab, host, `rm -f ${DATE}`);
  else await must(lab, host, `cat > ${DATE} && chmod 0755 ${DATE}`, wrapper);
  const isOff = async (): Promise<boolean> =>
    Math.abs(Number((await lab.ssh(host, 'date +%s')).stdout) - Date.now() / 1000) > 500;
  if (!(await waitUntil(async () => (await isOff()) === (offset !== undefined), 60_000, 100)))
    throw new Error(`${host} does not show the clock that it was given`);
}
