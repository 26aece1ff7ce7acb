import { ProvisionError } from '../model/errors.js';
import { READ_BOOT_ID } from '../facts/boot-id.js';
import { readLockScript, takeLockScript } from '../shell/lock.js';
import { describeHolder, foundLock } from './lock-holder.js';
import { runOrFail } from './run-or-fail.js';
import { waitForGate } from './wait-for-gate.js';
import type { World } from './world.js';

/** Its answer is here before the connection ends. */
const LATER = 'systemd-run --quiet --collect --on-active=2 --timer-property=AccuracySec=100ms systemctl reboot';

/**
 * Reboots a host, and waits until it is back. The lock of this run, which a reboot removes, is taken again.
 * @throws RemoteError, GateShut; ProvisionError `locked` where another run was quicker
 */
export async function rebootHost(host: string, world: World): Promise<void> {
  const transport = await world.connector.connect(host);
  const before = (await runOrFail({ summary: 'read the boot id', script: READ_BOOT_ID }, transport)).stdout.trim();
  const mark = (await runOrFail({ summary: 'read the lock', script: readLockScript() }, transport)).stdout.trim();
  await runOrFail({ summary: 'reboot', script: LATER }, transport);
  await waitForGate({ gate: 'host-rebooted', hosts: [host], when: 'action', arguments: { before } }, world);
  if (mark !== '') await lockAgain(host, Buffer.from(mark, 'base64').toString('utf8'), world);
}

async function lockAgain(host: string, text: string, { connector }: World): Promise<void> {
  const script = takeLockScript(text, '');
  const { stdout } = await runOrFail({ summary: 'take the lock again', script }, await connector.connect(host));
  const held = stdout.trim();
  if (held === '') return;
  throw new ProvisionError({
    code: 'locked',
    message: `${host}: while it booted, it was locked by ${describeHolder(foundLock(host, held).holder)}`,
    hint: 'let that run end, then run the same command again',
  });
}
