import { expect, test } from '@jest/globals';
import type { FileOrigin } from '../../../src/facts/file-origin.js';
import { plainContent } from '../../../src/model/content.js';
import { retiredUnit } from '../../../src/resources/retired-unit.js';
import { fakeProbe } from '../../support/fake-probe.js';

const SCRIPT = { path: '/usr/local/lib/provision/check-haproxy', content: plainContent('ask nginx\n') };

function plan(kind: FileOrigin['kind'], state: { active: boolean; enabled: boolean }): Promise<unknown> {
  const origin = kind === 'foreign' ? { kind, lines: 1 } : { kind };
  const unit = { unit: 'haproxy', configFile: '/etc/haproxy/haproxy.cfg', successor: 'provision-etcd-nginx' };
  return retiredUnit({ ...unit, script: SCRIPT }).plan(
    fakeProbe({
      units: { haproxy: state },
      'file-origins': { '/etc/haproxy/haproxy.cfg': origin },
      'file-states': { [SCRIPT.path]: { kind: 'file' } },
    }),
  );
}

test('what was ours is stopped, after the script that keepalived runs asks the successor', async () => {
  expect(await plan('ours', { active: true, enabled: true })).toMatchObject({
    change: {
      summary: 'stop and disable haproxy: provision-etcd-nginx takes its place',
      disruptive: true,
      actions: [
        { kind: 'write-file', path: SCRIPT.path },
        { kind: 'run', command: { summary: 'systemctl disable haproxy' } },
        { kind: 'run', command: { summary: 'systemctl stop haproxy' } },
      ],
    },
  });
});

test.each([
  ['foreign', { active: true, enabled: true }],
  ['package', { active: true, enabled: true }],
  ['absent', { active: false, enabled: false }],
  ['ours', { active: false, enabled: false }],
] as const)('what is %s and %j is left alone', async (kind, state) => {
  expect(await plan(kind, state)).toEqual({ kind: 'unchanged' });
});
