// Hosts as they are connected to: each once, with its own credentials, and all of them left at the end.
import { afterEach, expect, test } from '@jest/globals';
import type { Connection } from '../../../src/model/inventory.js';
import type { Connector } from '../../../src/model/remote.js';
import { Secret } from '../../../src/model/secret.js';
import { createSshConnector } from '../../../src/ssh/connector.js';
import { PASSPHRASE_VARIABLE } from '../../../src/ssh/private-keys.js';
import { hostileOptions, startHostileServer, wayTo, type HostileServer } from '../../support/hostile-server.js';

const LOOK = { summary: 'look', script: 'echo seen' };

const open: HostileServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(async (server) => server.close()));
});

async function serve(...given: Parameters<typeof startHostileServer>): Promise<HostileServer> {
  const server = await startHostileServer(...given);
  open.push(server);
  return server;
}

const connectorTo = (hosts: Readonly<Record<string, Connection>>): Connector =>
  createSshConnector(hostileOptions(hosts));

test('a host is logged in to once, with its own password and user, and left when the connector is closed', async () => {
  const logins: string[] = [];
  const server = await serve({ onLogin: (login) => logins.push(login) });
  const connector = connectorTo({
    a: wayTo(server, { user: 'ann', password: new Secret('planted-a') }),
    b: wayTo(server, { user: 'bob', password: new Secret('planted-b') }),
  });
  const [one, again] = await Promise.all([connector.connect('a'), connector.connect('a')]);
  expect(again).toBe(one);
  expect(await one.run(LOOK)).toMatchObject({ status: 0, stdout: 'seen\n' });
  await connector.connect('b');
  expect(logins).toEqual(['ann with planted-a', 'bob with planted-b']);
  await connector.close();
  await server.allClosed();
});

test('a host that the inventory has not is an error with its name', async () => {
  await expect(connectorTo({}).connect('x')).rejects.toMatchObject({
    code: 'unknown-host',
    host: 'x',
    message: 'x: not in the inventory',
  });
});

test('who is the user already needs no sudo', async () => {
  const server = await serve({});
  const become = { method: 'sudo', user: 'ops', password: undefined } as const;
  const connector = connectorTo({
    same: wayTo(server, { user: 'ops', become }),
    other: wayTo(server, { user: 'ann', become }),
  });
  expect(await (await connector.connect('same')).run(LOOK)).toMatchObject({ stdout: 'seen\n' });
  await (await connector.connect('other')).run(LOOK).catch(() => undefined);
  expect(server.lines.map((line) => line.includes('sudo'))).toEqual([false, true]);
  await connector.close();
});

test('the variable of passphrases is the one that is documented', () => {
  expect(PASSPHRASE_VARIABLE).toBe('PROVISION_SSH_KEY_PASSPHRASE');
});
