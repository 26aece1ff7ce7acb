import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** How long a connection may take to open, in seconds. */
const WAIT_S = 3;

/** The key of a port of another host. */
export function portKey(address: string, port: number): string {
  return `${address} ${port}`;
}

/** Key: {@link portKey}. Whether a TCP connection from the host to that port opens; all of them are tried at once. */
export const openPorts: Fact<boolean> = {
  name: 'open-ports',
  script: (keys) =>
    [
      ...keys.map((key, index) => {
        const [address = '', port = ''] = key.split(' ');
        // bash opens a connection for such a name (bash(1), REDIRECTION).
        const open = `timeout ${WAIT_S} bash -c '</dev/tcp/$0/$1' ${quote(address)} ${quote(port)}`;
        return `{ ${open} 2>/dev/null && echo 'P ${index} open' || echo 'P ${index} closed'; } &`;
      }),
      'wait',
    ].join('\n'),
  parse(stdout, keys) {
    return new Map(
      keys.map((key, index) => {
        const [, answer] = new RegExp(`^P ${index} (open|closed)$`, 'm').exec(stdout) ?? [];
        if (answer === undefined) throw new Error(`no answer came back for ${key}`);
        return [key, answer === 'open'];
      }),
    );
  },
};
