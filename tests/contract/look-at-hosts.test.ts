import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { hostLooks } from '../../src/commands/look-at-hosts.js';
import type { HostLook, Login } from '../../src/wizard/host-look.js';
import { createSshLab, missingSshd, type SshLab } from '../support/sshd.js';
import { verbContext } from '../support/verb-context.js';

// Real servers, on a machine that may be busy.
jest.setTimeout(60_000);

if (missingSshd !== undefined) console.warn(`skipped: looking at hosts: ${missingSshd}`);

(missingSshd === undefined ? describe : describe.skip)('the wizard looks at real hosts', () => {
  let lab: SshLab;
  let env: Record<string, string>;
  let known: string;

  beforeAll(async () => {
    lab = createSshLab();
    const { port } = await lab.startServer('one');
    known = join(lab.directory, 'known_hosts');
    // The SSH settings of a person who has never met the host.
    const settings = `-F /dev/null -o Port=${port} -o UserKnownHostsFile=${known} -o GlobalKnownHostsFile=/dev/null`;
    writeFileSync(join(lab.directory, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh ${settings} "$@"\n`, { mode: 0o755 });
    env = { PATH: `${lab.directory}:${process.env['PATH'] ?? ''}` };
  });

  afterAll(() => lab.remove());

  function login(trusted: ReadonlyMap<string, string>): Login {
    const hosts = [{ name: 'one', address: '127.0.0.1' }];
    return {
      hosts,
      user: userInfo().username,
      privateKeyFile: join(lab.home, '.ssh/id_ed25519'),
      sudoPassword: undefined,
      trusted,
    };
  }

  function failureOf(looks: ReadonlyMap<string, HostLook>): Extract<HostLook, { kind: 'failed' }> {
    const look = looks.get('one');
    if (look?.kind !== 'failed') throw new Error('it was not refused');
    return look;
  }

  test('a new key is shown and not remembered, until just this key is trusted; then one look says what the host is', async () => {
    const { lookAtHosts, lookAtNetwork } = hostLooks(verbContext(new PassThrough(), [], env));
    const told: string[] = [];
    const first = await lookAtHosts(login(new Map()), (host, state) => told.push(`${host} ${state}`));
    expect(first.get('one')).toMatchObject({
      kind: 'failed',
      code: 'host-key-unknown',
      message: expect.stringContaining('SHA256:'),
    });
    expect(told).toEqual(['one connecting', 'one ✖ host-key-unknown']);

    const shown = failureOf(first);
    // The key of somebody who came between the two connections.
    const other = await lookAtHosts(login(new Map([['one', `${shown.fingerprint}x`]])), () => undefined);
    expect(failureOf(other)).toEqual(shown);
    const elsewhere = await lookAtHosts(login(new Map([['two', shown.fingerprint ?? '']])), () => undefined);
    expect(failureOf(elsewhere)).toEqual(shown);
    expect(existsSync(known)).toBe(false);

    const second = await lookAtHosts(login(new Map([['one', shown.fingerprint ?? '']])), () => undefined);
    expect(second.get('one')).toMatchObject({
      kind: 'seen',
      host: {
        outline: { hasApt: true },
        addresses: expect.arrayContaining([expect.objectContaining({ interface: 'lo' })]),
      },
    });
    expect(readFileSync(known, 'utf8').trim().split('\n')).toHaveLength(1);
    // Loopback has no neighbours: nobody is found there.
    const network = await lookAtNetwork(login(new Map()), ['127.0.0.9'], () => undefined);
    expect(network).toEqual({ free: ['127.0.0.9'], listened: userInfo().uid === 0 ? ['one'] : [], usedIds: [] });
  });
});
