import { expect, test } from '@jest/globals';
import { typeWithout } from '../../../src/commands/type-again.js';

test.each([
  [['plan', 'inv.yaml'], undefined, "provision plan inv.yaml --limit 'all:!c'"],
  [['plan', 'my inventory', '-p', 'etcd-lb'], undefined, "provision plan 'my inventory' -p etcd-lb --limit 'all:!c'"],
  [['plan', '-l', 'etcd', 'i'], 'etcd', "provision plan i --limit 'etcd:!c'"],
  [['plan', '--limit=etcd', 'i'], 'etcd', "provision plan i --limit 'etcd:!c'"],
  [['plan', '-letcd', 'i'], 'etcd', "provision plan i --limit 'etcd:!c'"],
  [['apply', '-byl', 'a,b', 'i'], 'a,b', "provision apply -by i --limit 'a,b,!c'"],
  [['plan', '-u', 'l', 'i'], undefined, "provision plan -u l i --limit 'all:!c'"],
  [['apply', 'i', '--plan', 'saved', '-y'], undefined, "provision apply i -y --limit 'all:!c'"],
  [['plan', 'i', '-o', 'new.plan'], undefined, "provision plan i -o new.plan --limit 'all:!c'"],
  [['plan', '--', '-l'], undefined, "provision plan --limit 'all:!c' -- -l"],
  [['bypass', 'i', 'on'], undefined, "provision bypass i on --limit 'all:!c'"],
])('%j, typed again', (argv, limit, command) => {
  expect(typeWithout(argv, limit, ['c'])).toBe(command);
});
