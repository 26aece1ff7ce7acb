import { expect, test } from '@jest/globals';
import { checkFirewalls } from '../../../src/checks/firewall.js';
import type { FirewallTable } from '../../../src/facts/firewall-table.js';
import { contextOf, linesOf } from '../../support/check-context.js';
import { RUNNING } from '../../support/etcd-answers.js';
import type { FakeAnswers } from '../../support/fake-probe.js';
import { withFirewall } from '../../support/sample-cluster.js';

const KEPT: FirewallTable = { hasNft: true, loaded: 'a\n b\n c\n', kept: 'a\n b\n c\n', isOnTrial: false };

function host(table: Partial<FirewallTable> = {}, unit = RUNNING): FakeAnswers {
  return { 'firewall-tables': { ours: { ...KEPT, ...table } }, units: { 'provision-etcd-firewall': unit } };
}

test.each([
  ['as it should be', host(), 'ok firewall etcd-1: table inet provision_etcd is loaded as it is kept'],
  ['never set up', host({ kept: undefined, loaded: undefined }), 'fail firewall etcd-1: is missing'],
  [
    'flushed by someone',
    host({ loaded: undefined }),
    'fail firewall etcd-1: table inet provision_etcd is not loaded: nobody is kept out',
  ],
  [
    'changed by hand',
    host({ loaded: 'a\n b\n open to all\n' }),
    'fail firewall etcd-1: table inet provision_etcd was changed by hand: + open to all, - c',
  ],
  [
    'changed in as many lines as are named',
    host({ loaded: 'a\n b\n c\n d\n e\n f\n' }),
    'fail firewall etcd-1: table inet provision_etcd was changed by hand: + d, + e, + f',
  ],
  [
    'changed much by hand',
    host({ loaded: 'v\nw\nx\ny\n' }),
    'fail firewall etcd-1: table inet provision_etcd was changed by hand: + v, + w, + x, …',
  ],
  [
    'in another order',
    host({ loaded: 'a\n c\n b\n' }),
    'fail firewall etcd-1: table inet provision_etcd was changed by hand: the order of its lines',
  ],
  ['gone after a reboot', host({}, { ...RUNNING, enabled: false }), 'fail firewall etcd-1: is not loaded at boot'],
  ['on trial', host({ isOnTrial: true }), expect.stringMatching(/^warn firewall etcd-1: new rules are loaded/)],
])('a firewall that is %s', async (_, found, expected) => {
  const hosts = { 'etcd-1': found, 'etcd-2': host(), 'etcd-3': host() };
  const lines = await linesOf(checkFirewalls, contextOf(hosts, { cluster: withFirewall() }));
  expect(lines).toHaveLength(3);
  expect(lines[0]).toEqual(expected);
});

test('where the inventory wants none, nobody is asked', async () => {
  expect(await checkFirewalls(contextOf({}))).toEqual([]);
});
