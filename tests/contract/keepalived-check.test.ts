import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { roleTable } from '../../src/roles/table.js';
import { quote } from '../../src/shell/quote.js';
import { fakeProbe } from '../support/fake-probe.js';
import { createLocalTransport } from '../support/local-transport.js';
import { ROLE_TOOLS } from '../support/role-tools.js';
import { SAMPLE_CLUSTER } from '../support/sample-cluster.js';
import { namedHost, templateInventory } from '../support/template-inventory.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

// keepalived's own test of its file, in a real shell, with a stand-in that ends and says what the versions do.
let directory: string;

beforeEach(() => {
  directory = temporaryDirectory('keepalived-check');
  for (const name of ['bin', 'tmp']) mkdirSync(join(directory, name));
  writeFileSync(join(directory, 'good.conf'), 'vrrp_instance etcd { }\n');
});

async function checkOfRole(): Promise<string> {
  const path = '/etc/keepalived/keepalived.conf';
  const resources =
    roleTable(ROLE_TOOLS)
      .get('etcd-virtual-ip')
      ?.resources(namedHost('etcd-1'), templateInventory(['etcd-1']), SAMPLE_CLUSTER) ?? [];
  const outcome = await resources
    .find(({ address }) => address === `file:${path}`)
    ?.plan(
      fakeProbe({
        'file-states': { [path]: { kind: 'absent' } },
        'host-addresses': { all: [{ interface: 'eth0', address: '10.0.0.1', prefixLength: 24 }] },
      }),
    );
  const [action] = outcome?.kind === 'change' ? outcome.change.actions : [];
  if (action?.kind !== 'write-file' || action.validate === undefined) throw new Error('the file is not checked');
  return action.validate;
}

test.each([
  ['a good file, by 2.3', 0, '', 0],
  ['a good file, by 2.2.7, which ends by a signal', 143, '', 0],
  ['a bad file, by 2.3', 5, "(Line 1) Unknown keyword 'x'", 1],
  ['a bad file, by 2.2.7', 143, "(Line 1) Unknown keyword 'x'", 1],
  ['a file that it complains of, and takes all the same', 0, 'something is deprecated', 1],
  ['a keepalived that ends otherwise, and says nothing', 1, '', 1],
])('%s: ended with %i, said %j', async (_, status, said, expected) => {
  // It says what it was asked to look at, too, where that is not the staged file.
  const stub = `#!/bin/sh
for word; do case $word in --config-test=*) log=\${word#*=} ;; esac; file=$word; done
[ "$1 $2" = "--config-test=$log -f" ] && [ "$file" = ${quote(join(directory, 'good.conf'))} ] || echo "asked: $*" >"$log"
[ -z ${quote(said)} ] || printf '%s\\n' ${quote(said)} >"$log"
echo 'no matter'
exit ${status}
`;
  writeFileSync(join(directory, 'bin', 'keepalived'), stub, { mode: 0o755 });
  const env = { PATH: `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}`, TMPDIR: join(directory, 'tmp') };
  const script = `sh -c ${quote(await checkOfRole())} validate ${quote(join(directory, 'good.conf'))}`;
  const output = await createLocalTransport('here', env).run({ summary: 'check', script });
  expect([output.status === 0 ? 0 : 1, output.stderr.trim(), output.stdout]).toEqual([expected, said, '']);
  expect(readdirSync(join(directory, 'tmp'))).toEqual([]);
});
