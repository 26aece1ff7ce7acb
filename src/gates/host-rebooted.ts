import { BOOT, bootId } from '../facts/boot-id.js';
import { RemoteError } from '../model/errors.js';
import type { Gate } from '../model/gate.js';

/** Firmware of large servers takes ten minutes to test their memory. */
const DEADLINE_MS = 20 * 60_000;

/** The host of the action has booted since: it has another boot id than `before`. That it can't be reached meanwhile is what is waited for. */
export function hostRebooted(): Gate {
  return {
    name: 'host-rebooted',
    deadlineMs: DEADLINE_MS,
    async check({ batch, probe, arguments: given }) {
      const [host = ''] = batch;
      const next = `ssh ${host} uptime   (or look at its console)`;
      try {
        const id = await probe(host).ask(bootId, BOOT);
        if (id !== given['before']) return { open: true };
        return { open: false, reason: `${host} has not gone down yet`, next };
      } catch (error) {
        if (!(error instanceof RemoteError)) throw error;
        return { open: false, reason: `${host} is booting`, next };
      }
    },
  };
}
