import { expect, test } from '@jest/globals';
import { rebootHost } from '../../../src/engine/reboot-host.js';
import type { World } from '../../../src/engine/world.js';
import { outputOf } from '../../../src/model/remote.js';

const BOOT = '11111111-1111-4111-8111-111111111111';
const mark = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const OTHER = JSON.stringify({
  ...{ user: 'eve', machine: 'other', pid: 2, process: '7' },
  ...{ since: '2026-11-27T00:00:00.000Z', inventory: '/srv/prod.yaml' },
});

/** @param held what is there when the lock is taken again */
async function reboot(
  own: string,
  held: string,
): Promise<{ readonly ran: readonly string[]; readonly asked: unknown[] }> {
  const ran: string[] = [];
  const asked: unknown[] = [];
  const transport = {
    host: 'worker-1',
    run({ script, summary }: { readonly script: string; readonly summary: string }) {
      ran.push(summary);
      if (summary === 'read the boot id') return Promise.resolve(outputOf(0, `${BOOT}\n`, ''));
      if (summary === 'read the lock') return Promise.resolve(outputOf(0, own, ''));
      if (summary === 'take the lock again') {
        expect(script).toContain('its text');
        return Promise.resolve(outputOf(0, held, ''));
      }
      return Promise.resolve(outputOf(0, '', ''));
    },
  };
  const gate = {
    ...{ name: 'host-rebooted', deadlineMs: 1000 },
    check(input: { readonly arguments: unknown; readonly batch: unknown; readonly when: unknown }) {
      asked.push([input.batch, input.when, input.arguments, ran.at(-1)]);
      return Promise.resolve({ open: true });
    },
  };
  const world = {
    connector: { connect: () => Promise.resolve(transport) },
    gates: new Map([[gate.name, gate]]),
    ...{ now: () => 0, newLook: () => ({ probe: () => undefined }), emit: () => undefined, interrupted: () => false },
  } as unknown as World;
  await rebootHost('worker-1', world);
  return { ran, asked };
}

test('a host reboots, is waited for by its boot id, and is locked again', async () => {
  expect(await reboot(mark('its text'), '')).toEqual({
    ran: ['read the boot id', 'read the lock', 'reboot', 'take the lock again'],
    asked: [[['worker-1'], 'action', { before: BOOT }, 'reboot']],
  });
});

test('where it was not locked, it is not locked afterwards', async () => {
  expect((await reboot('', '')).ran).toEqual(['read the boot id', 'read the lock', 'reboot']);
});

test('another run that was quicker ends this one', async () => {
  await expect(reboot(mark('its text'), mark(OTHER))).rejects.toMatchObject({
    code: 'locked',
    message:
      'worker-1: while it booted, it was locked by eve@other (pid 2) since 2026-11-27T00:00:00.000Z, with /srv/prod.yaml',
  });
});
