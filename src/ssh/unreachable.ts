import { RemoteError } from '../model/errors.js';
import { causeCode, causeMessage } from './cause.js';
import { destination } from './link.js';
import type { Settings } from './settings.js';

interface Reason {
  readonly text: string;
  readonly hint: string;
}

function reasonOf(error: unknown, { hostname, port }: Settings): Reason {
  const code = causeCode(error);
  const message = causeMessage(error);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return { text: `the name ${hostname} is not known`, hint: 'set ansible_host to an address' };
  if (code === 'ECONNREFUSED')
    return { text: `nothing listens on port ${port}`, hint: `check that sshd runs there, and ansible_port (${port})` };
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH')
    return { text: `no route to ${hostname}`, hint: `check the address: ip route get ${hostname}` };
  if (code === 'ETIMEDOUT' || /timed out/i.test(message))
    return { text: message, hint: `check that the host is up, and the firewall: nc -vz ${hostname} ${port}` };
  if (/before handshake/.test(message))
    return {
      text: `the server closes the connection at once`,
      hint: 'look on the host: journalctl -u ssh (MaxStartups, PerSourcePenalties, fail2ban, hosts.deny)',
    };
  return { text: message, hint: `try it by hand: ssh -v -p ${port} ${hostname} true` };
}

/** A host that can't be connected to: what was tried, why it failed, what to look at. */
export function unreachable(host: string, settings: Settings, error: unknown): RemoteError {
  const { text, hint } = reasonOf(error, settings);
  const message = `${host}: can't connect to ${destination(settings)}: ${text}`;
  return new RemoteError({ code: 'unreachable', host, message, hint, cause: error });
}
