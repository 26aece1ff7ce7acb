import { expect, test } from '@jest/globals';
import { createLook } from '../../src/facts/batched-probe.js';
import { vrrpConflicts } from '../../src/facts/vrrp-conflicts.js';
import { quote } from '../../src/shell/quote.js';
import { createLocalTransport } from '../support/local-transport.js';

const transport = createLocalTransport('here');

/** Asks where the journal of each unit is this text; a unit without one has none that may be read. */
async function ask(journals: Readonly<Record<string, string>>, ...units: readonly string[]) {
  const cases = Object.entries(journals).map(([unit, text]) => `*" ${unit}.service") printf %s ${quote(text)} ;;`);
  const journalctl = `journalctl() { case " $*" in ${cases.join(' ')} *) return 1 ;; esac; }`;
  const send = (_: string, script: string) => transport.run({ summary: 'look', script: `${journalctl}\n${script}` });
  const probe = createLook({ send, token: () => 'a1b2c3d4e5f6' }).probe('here');
  return Promise.all(units.map((unit) => probe.ask(vrrpConflicts, unit)));
}

// Lines of keepalived 2.2.7 and 2.3 (vrrp.c).
const COMMON =
  '(etcd) Entering BACKUP STATE (init)\n(etcd) received lower priority (98) advert from 10.0.0.3 - discarding\n';

test.each([
  '(etcd) received an invalid passwd!',
  '(etcd) received a 0 auth, expecting 1!',
  '(etcd) ip address associated with VRID 100 not present in MASTER advert : 10.0.0.100',
  '(etcd) expected 1 VIPs but received 2',
  '(etcd) wrong version. Received 2 and expect 3',
  '(etcd): received an invalid ip number count 2, expected 1!',
])('a group of others is heard: %s', async (line) => {
  const journals = { keepalived: `${COMMON}${line}\nbogus VRRP packet received on eth0 !!!\n`, quiet: COMMON };
  expect(await ask(journals, 'quiet', 'keepalived', 'gone')).toEqual([
    { kind: 'nothing' },
    { kind: 'stranger', line },
    { kind: 'unknown' },
  ]);
});

test('what is in the journal is data: neither words of a shell nor another answer', async () => {
  const line = `(etcd) received an invalid passwd! $(id)\`id\` %s \\n a1b2c3d4e5f6 0 'x' é\u001b[31m`;
  expect(await ask({ keepalived: `${line}\n`, other: '' }, 'keepalived', 'other')).toEqual([
    { kind: 'stranger', line },
    { kind: 'nothing' },
  ]);
});
