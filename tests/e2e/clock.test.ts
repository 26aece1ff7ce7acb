import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import type { CheckItem } from '../../src/checks/check.js';
import { overlayChanges, overlayDifference } from '../../src/lab/overlay.js';
import { waitUntil } from '../../src/lab/process.js';
import { describeOnLab, provision, type TestLab } from '../support/lab.js';
import { endOf, runVerb, type JsonRun } from '../support/main-job.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const DATE = '/usr/local/bin/date';
const ON_HOST = '/usr/local/lib/libfaketime.so.1';

/**
 * Hosts of a lab share the kernel's clock. libfaketime (faketime(1)) shows a program another one: here `date`, by which a
 * host tells its time. What a command would inherit does not reach it.
 */
const LIBRARY = readdirSync('/usr/lib')
  .map((triplet) => `/usr/lib/${triplet}/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path));
if (LIBRARY === undefined) console.warn('skipped: wrong clocks, because this machine has no libfaketime');

async function must(lab: TestLab, host: string, script: string, input?: string): Promise<void> {
  const ended = await lab.onControlSide(['ssh', '-F', lab.files.sshConfig, '-l', 'root', host, script], input);
  if (ended.status !== 0) throw new Error(endOf(ended));
}

/** @param offset as faketime takes it: `-10m`; nothing: the right time */
async function setClock(lab: TestLab, host: string, offset: string | undefined): Promise<void> {
  const wrapper = `#!/bin/sh\nLD_PRELOAD=${ON_HOST} FAKETIME=${offset ?? ''} exec /bin/date "$@"\n`;
  if (offset === undefined) await must(lab, host, `rm -f ${DATE}`);
  else await must(lab, host, `cat > ${DATE} && chmod 0755 ${DATE}`, wrapper);
  const isOff = async (): Promise<boolean> =>
    Math.abs(Number((await lab.ssh(host, 'date +%s')).stdout) - Date.now() / 1000) > 500;
  expect(await waitUntil(async () => (await isOff()) === (offset !== undefined), 10_000, 100)).toBe(true);
}

function failuresOf({ events }: JsonRun): readonly string[] {
  return events.flatMap((event) => (event.type === 'run-failed' ? event.failures.map(({ message }) => message) : []));
}

if (LIBRARY !== undefined)
  describeOnLab('a clock ten minutes off', 'clock', { etcd: 3 }, (lab) => {
    beforeAll(async () => {
      const library = readFileSync(LIBRARY).toString('base64');
      const hosts = ['etcd-2', 'etcd-3'];
      await Promise.all(hosts.map(async (host) => must(lab, host, `base64 -d > ${ON_HOST}`, library)));
    });

    beforeEach(async () => {
      await setClock(lab, 'etcd-2', '-10m');
      await setClock(lab, 'etcd-3', '+10m');
    });

    test.each(['plan', 'apply'] as const)('stops %s before anything is touched, and names the hosts', async (verb) => {
      const handles = await Promise.all(MEMBERS.map(async (host) => lab.host(host)));
      const before = await Promise.all(handles.map(overlayChanges));
      const run = await runVerb(lab, verb);
      const after = await Promise.all(handles.map(overlayChanges));
      expect(run.status).toBe(EXIT.unsafe);
      expect(failuresOf(run)).toEqual([
        expect.stringMatching(/^etcd-2: its clock is (9 min 5\d s|10 min) behind this machine's .*not yet valid$/),
        expect.stringMatching(/^etcd-3: its clock is (9 min 5\d s|10 min) ahead of this machine's /),
      ]);
      const written = before.flatMap((changes, index) => overlayDifference(changes, after[index] ?? []));
      expect(written.map(({ path }) => path)).toEqual([]);
    });

    test('is what verify tells', async () => {
      const { stdout } = await lab.provision('verify', lab.files.inventory, '--format', 'json');
      const { items } = JSON.parse(stdout) as { readonly items: readonly CheckItem[] };
      const clocks = items.filter(({ check }) => check === 'clock');
      expect(clocks.map(({ host, verdict }) => `${host ?? ''} ${verdict}`)).toEqual([
        'etcd-1 ok',
        'etcd-2 fail',
        'etcd-3 fail',
      ]);
      expect(clocks[1]?.evidence).toMatch(/^(599|600)\.\d\d s behind/);
    });

    test('of this machine is named as such; once it is right, nothing is in the way', async () => {
      for (const host of ['etcd-2', 'etcd-3']) await setClock(lab, host, undefined);
      const words = provision('plan', lab.files.inventory);
      const shifted = await lab.onControlSide(['faketime', '--exclude-monotonic', '-f', '+10m', ...words]);
      expect(shifted.status).toBe(EXIT.unsafe);
      expect(shifted.stdout).toMatch(/etcd-1: its clock is .* behind this machine's/);
      expect(shifted.stdout).toMatch(
        /all hosts differ by the same amount, so the clock of this machine is probably wrong/,
      );
      expect((await runVerb(lab, 'plan', '--detailed-exitcode')).status).toBe(2);
    });
  });
else test.skip('a clock ten minutes off', () => undefined);
