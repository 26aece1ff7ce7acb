import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import type { CheckItem } from '../../src/checks/check.js';
import { overlayChanges, overlayDifference } from '../../src/lab/overlay.js';
import { describeOnLab, provision } from '../support/lab.js';
import { runVerb, type JsonRun } from '../support/main-job.js';
import { bringFakeTime, hasWrongClocks, setClock } from '../support/wrong-clock.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
function failuresOf({ events }: JsonRun): readonly string[] {
  return events.flatMap((event) => (event.type === 'run-failed' ? event.failures.map(({ message }) => message) : []));
}

if (hasWrongClocks)
  describeOnLab('a clock ten minutes off', 'clock', { etcd: 3 }, (lab) => {
    beforeAll(async () => {
      await Promise.all(['etcd-2', 'etcd-3'].map(async (host) => bringFakeTime(lab, host)));
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
