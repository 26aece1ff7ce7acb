import pLimit from 'p-limit';
import type { RunOnEach } from '../model/action.js';
import { asError } from './run-error.js';
import type { World } from './world.js';

/** Runs a command on hosts on which nothing hangs; one where it fails is reported, with what to type there. Never throws for a host. */
export async function runOnEach({ hosts, command, next }: RunOnEach, world: World): Promise<void> {
  const limit = pLimit(world.forks);
  await Promise.all(
    hosts.map((host) =>
      limit(async () => {
        const failed = await failureOn(host, command, world);
        if (failed === undefined) return;
        const message = `could not ${command.summary} (${failed}); do so yourself: ${next.replaceAll('HOST', () => host)}`;
        world.emit({ type: 'notice', host, message });
      }),
    ),
  );
}

async function failureOn(host: string, command: RunOnEach['command'], world: World): Promise<string | undefined> {
  try {
    const { status, stdout, stderr } = await (await world.connector.connect(host)).run(command);
    if (status === 0) return undefined;
    const said = (stderr.trim() === '' ? stdout : stderr).trim().split('\n').at(-1) ?? '';
    return [`status ${status}`, ...(said === '' ? [] : [said.slice(0, 300)])].join(': ');
  } catch (error) {
    return asError(error).message.replace(/\n.*/s, '');
  }
}
