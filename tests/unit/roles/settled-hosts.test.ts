import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Plan } from '../../../src/model/plan.js';
import { bareHosts, planOnce, settle, type Placed } from '../../support/settled-cluster.js';

// Hosts as an earlier version has left them, recorded: every file with its mode, every certificate, and the packages,
// units and kernel settings that it asked for. This version must find nothing to do there, or say so on purpose.

const RECORD = 'fixtures/settled-hosts.json';

const HOW = `On every cluster that an earlier version has set up, the next plan would have these changes, with the restarts and reloads that they bring.
If that is meant: UPDATE_GOLDEN=1 npm run -s jest -- --selectProjects unit -- settled-hosts, and say in the commit and in CHANGELOG.md what it costs a live cluster.`;

/** What is kept of a host's file: its text by lines, for a diff that can be read; of a private key nothing. */
interface RecordedFile extends Omit<Placed, 'text'> {
  readonly lines: readonly string[];
}

interface SettledRecord {
  readonly authority: readonly string[];
  readonly asked: readonly string[];
  readonly hosts: Readonly<Record<string, Readonly<Record<string, RecordedFile>>>>;
}

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?-----END [A-Z ]*PRIVATE KEY-----\n?/g;
const linesOf = (text: string): readonly string[] => text.replaceAll(PRIVATE_KEY, '').split('\n');

/** Sets bare hosts up with this version, and records them. */
async function record(): Promise<void> {
  const hosts = await bareHosts();
  const { asked, placed } = await settle(hosts);
  const files = [...placed].map(([host, own]) => {
    const paths = [...own].toSorted(([one], [other]) => (one < other ? -1 : 1));
    const kept = paths.map(([path, { kind, owner, group, mode, text, publicKey }]) => {
      const lines = linesOf(text);
      return [path, { kind, owner, group, mode, lines, ...(publicKey !== undefined && { publicKey }) }] as const;
    });
    return [host, Object.fromEntries(kept)] as const;
  });
  const settled: SettledRecord = {
    authority: linesOf(hosts.authority.certificatePem),
    asked,
    hosts: Object.fromEntries(files),
  };
  writeFileSync(RECORD, `${JSON.stringify(settled, undefined, 1)}\n`);
}

/** The changes of a plan, a line each. */
function changesOf({ plays }: Plan): readonly string[] {
  return plays.flatMap((play) =>
    play.batches.flatMap(({ hosts }) =>
      hosts.flatMap(({ host, steps }) =>
        steps.map(({ address, outcome }) => {
          const what = outcome.kind === 'change' ? outcome.change.summary : outcome.because;
          return `${host} ${address}: ${what}`;
        }),
      ),
    ),
  );
}

describe('hosts that an earlier version has set up', () => {
  let settled: SettledRecord;
  let placed: Map<string, Map<string, Placed>>;

  beforeAll(async () => {
    if (process.env['UPDATE_GOLDEN']) await record();
    settled = JSON.parse(readFileSync(RECORD, 'utf8')) as SettledRecord;
    placed = new Map(
      Object.entries(settled.hosts).map(([host, files]) => [
        host,
        new Map(Object.entries(files).map(([path, file]) => [path, { ...file, text: file.lines.join('\n') }])),
      ]),
    );
  });

  const plan = (hosts: ReadonlyMap<string, ReadonlyMap<string, Placed>>) =>
    planOnce(settled.authority.join('\n'), hosts);

  test('have nothing to change, and need no other package, unit or kernel setting', async () => {
    const { plan: made, asked } = await plan(placed);
    const changes = changesOf(made);
    if (changes.length > 0) throw new Error(`${HOW}\n${changes.join('\n')}`);
    try {
      expect(asked).toEqual(settled.asked);
    } catch (error) {
      throw new Error(`${HOW}\n${String(error)}`);
    }
  });

  test('are recorded without a private key', () => {
    expect(readFileSync(RECORD, 'utf8')).not.toContain('PRIVATE');
    expect('-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n'.replaceAll(PRIVATE_KEY, '')).toBe('');
  });

  // What another version would want otherwise, from the other side.
  test.each<[string, string, (file: Placed) => Placed | undefined, RegExp]>([
    ['a line more', '/etc/haproxy/haproxy.cfg', (file) => ({ ...file, text: `${file.text}#\n` }), /haproxy\.cfg/],
    ['another mode', '/etc/keepalived/keepalived.conf', (file) => ({ ...file, mode: '0644' }), /keepalived\.conf/],
    ['another owner of a directory', '/var/lib/etcd/default', (file) => ({ ...file, owner: 'root' }), /default/],
    [
      'a setting less',
      '/etc/default/etcd',
      ({ text, ...file }) => ({ ...file, text: text.replace(/^ETCD_QUOTA.*\n/m, '') }),
      /etcd-1 file:\/etc\/default\/etcd[^]*etcd-member/,
    ],
    // And nothing else: no restart and no reload of the proxy comes with it.
    [
      'no drop-in',
      '/etc/systemd/system/haproxy.service.d/60-provision-down.conf',
      () => undefined,
      /^etcd-1 drop-in:.*$/,
    ],
    ['no certificate', '/etc/etcd/pki/peer.crt', () => undefined, /peer\.crt/],
  ])('the check finds %s', async (_, path, change, expected) => {
    const own = new Map(placed.get('etcd-1'));
    const before = own.get(path);
    if (before === undefined) throw new Error(`etcd-1 has no ${path}: ${[...own.keys()].join(' ')}`);
    const after = change(before);
    own.delete(path);
    if (after !== undefined) own.set(path, after);
    const { plan: made } = await plan(new Map([...placed, ['etcd-1', own]]));
    expect(changesOf(made).join('\n')).toMatch(expected);
  });
});
