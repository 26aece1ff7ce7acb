import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Connector, Transport } from '../../src/model/remote.js';
import { createSshConnector } from '../../src/ssh/connector.js';
import {
  connectionTo,
  createSshLab,
  labOptions,
  missingSshd,
  trust,
  type Server,
  type SshLab,
} from '../support/sshd.js';

if (missingSshd !== undefined) console.warn(`skipped: commands over SSH: ${missingSshd}`);

(missingSshd === undefined ? describe : describe.skip)('commands over SSH', () => {
  let lab: SshLab;
  let server: Server;
  let connector: Connector;
  let transport: Transport;

  beforeAll(async () => {
    lab = createSshLab();
    server = await lab.startServer('one');
    trust(lab, server);
    connector = createSshConnector(labOptions(lab, { one: connectionTo(server) }));
    transport = await connector.connect('one');
  });

  afterAll(async () => {
    await connector.close();
    await lab.remove();
  });

  test('gives status and both outputs, untrimmed', async () => {
    const output = await transport.run({ summary: 'greet', script: 'echo out; echo err >&2; exit 3' });
    expect(output).toEqual({ status: 3, stdout: 'out\n', stderr: 'err\n' });
  });
});
