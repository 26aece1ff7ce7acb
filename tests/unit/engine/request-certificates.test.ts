import { describe, expect, test } from '@jest/globals';
import { requestCertificates } from '../../../src/engine/request-certificates.js';
import { outputOf, type Connector } from '../../../src/model/remote.js';
import type { PlannedCertificate } from '../../../src/pki/authority.js';
import { noDownload } from '../../support/local-transport.js';
import { SERVER_PROFILE } from '../../support/test-authority.js';

const leaf = (host: string, certificate: string, keepPublicKey: string | null = null): PlannedCertificate => ({
  host,
  action: {
    ...{ kind: 'issue-certificate', certificate, owner: 'root', group: 'root', mode: '0600' },
    profile: { ...SERVER_PROFILE, keepPublicKey },
    destination: { layout: 'pair', certificatePath: `/etc/${certificate}.crt`, keyPath: `/etc/${certificate}.key` },
  },
});

/** Hosts that make each request; what they were asked is in `ran`. Those in `away` fail. */
function hostsOf(ran: string[], scripts: string[], away: readonly string[] = []): Connector {
  return {
    connect: (host) =>
      Promise.resolve({
        host,
        download: noDownload,
        close: () => Promise.resolve(),
        run: ({ summary, script, alone }) => {
          if (alone !== true) return Promise.reject(new Error('beside others'));
          if (away.includes(host)) return Promise.reject(new Error(`${host} is away`));
          ran.push(`${host}: ${summary}`);
          scripts.push(script);
          return Promise.resolve(outputOf(0, `request of ${host}\n`));
        },
      }),
    close: () => Promise.resolve(),
  };
}

const PLANNED = [leaf('a', 'server'), leaf('b', 'server'), leaf('a', 'peer'), leaf('c', 'client')];

describe('requests for certificates', () => {
  test('are made on each host for all of its own, and kept with what they are for', async () => {
    const [ran, kept]: [string[], string[]] = [[], []];
    const keep = ({ host, action }: PlannedCertificate, pem: string): Promise<unknown> =>
      Promise.resolve(kept.push(`${host} ${action.certificate}: ${pem}`));
    await requestCertificates(PLANNED, keep, { connector: hostsOf(ran, []), forks: 1, emit: () => undefined });
    expect(ran).toEqual([
      'a: make the request for server',
      'a: make the request for peer',
      'b: make the request for server',
      'c: make the request for client',
    ]);
    expect(kept).toEqual([
      'a server: request of a\n',
      'a peer: request of a\n',
      'b server: request of b\n',
      'c client: request of c\n',
    ]);
  });

  test('name every host that failed; those of the others are kept', async () => {
    const kept: string[] = [];
    const keep = ({ host }: PlannedCertificate): Promise<unknown> => Promise.resolve(kept.push(host));
    const world = { connector: hostsOf([], [], ['a', 'c']), forks: 5, emit: () => undefined };
    await expect(requestCertificates(PLANNED, keep, world)).rejects.toMatchObject({
      failures: [
        { host: 'a', error: { message: 'a is away' } },
        { host: 'c', error: { message: 'c is away' } },
      ],
    });
    expect(kept).toEqual(['b']);
  });

  test('use the key that the host has where it is kept, and a new one else, and its own path', async () => {
    const scripts: string[] = [];
    const bundle: PlannedCertificate = {
      ...leaf('a', 'haproxy'),
      action: { ...leaf('a', 'haproxy').action, destination: { layout: 'bundle', path: '/etc/bundle.pem' } },
    };
    const world = { connector: hostsOf([], scripts), forks: 1, emit: () => undefined };
    await requestCertificates([leaf('a', 'same'), leaf('a', 'same', 'AAAA'), bundle], () => Promise.resolve(), world);
    const [fresh = '', held = '', joined = ''] = scripts;
    expect(fresh).not.toBe(held);
    expect(fresh).toContain('genpkey');
    expect(held).not.toContain('genpkey');
    expect(fresh).toContain('/etc/same.key');
    expect(joined).toContain('/etc/bundle.pem');
    expect(joined).not.toContain('/etc/haproxy.key');
  });
});
