import { expect, test } from '@jest/globals';
import type { FileOrigin } from '../../../src/facts/file-origin.js';
import { plainContent } from '../../../src/model/content.js';
import { retiredUnit } from '../../../src/resources/retired-unit.js';
import { fakeProbe } from '../../support/fake-probe.js';

const SCRIPT = { path: '/usr/local/lib/provision/check-haproxy', content: plainContent('ask nginx\n') };

const MARKED = {
  unit: 'haproxy',
  mark: '/run/provision-down.haproxy',
  dropIn: '/etc/systemd/system/haproxy.service.d/60-provision-down.conf',
};

function plan(
  kind: FileOrigin['kind'],
  state: { active: boolean; starting?: boolean; enabled: boolean },
  dropIn: FileOrigin['kind'] = 'absent',
): Promise<unknown> {
  const origin = kind === 'foreign' ? { kind, lines: 1 } : { kind };
  const unit = { unit: 'haproxy', configFile: '/etc/haproxy/haproxy.cfg', successor: 'provision-etcd-nginx' };
  return retiredUnit({ ...unit, script: SCRIPT, marked: MARKED }).plan(
    fakeProbe({
      units: { haproxy: { starting: false, ...state } },
      'file-origins': { '/etc/haproxy/haproxy.cfg': origin, [MARKED.dropIn]: { kind: dropIn } },
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

test('and its drop-in goes before it is stopped: its end is no fault of the successor', async () => {
  expect(await plan('ours', { active: true, enabled: false }, 'ours')).toMatchObject({
    change: {
      actions: [
        { kind: 'write-file' },
        { kind: 'remove-file', path: MARKED.dropIn },
        { kind: 'run', command: { script: expect.stringContaining(`rm -f ${MARKED.mark}`) as unknown } },
        { kind: 'run', command: { summary: 'systemctl stop haproxy' } },
      ],
    },
  });
});

test.each([
  ['is enabled', true, ['systemctl disable haproxy', 'systemctl stop haproxy']],
  // A run ended between the two.
  ['is not enabled any more', false, ['systemctl stop haproxy']],
] as const)('one that crashes again and again, and %s, is stopped too', async (_, enabled, expected) => {
  const outcome = await plan('ours', { active: false, starting: true, enabled });
  const { actions } = (outcome as { change: { actions: readonly { command?: { summary: string }; undo?: unknown }[] } })
    .change;
  expect(actions.flatMap(({ command }) => command?.summary ?? [])).toEqual(expected);
  // Taken back, it is not waited for: it would not start.
  expect(actions.at(-1)?.undo).toBe('nothing');
});

test.each([
  ['foreign', { active: true, enabled: true }],
  ['package', { active: true, enabled: true }],
  ['absent', { active: false, enabled: false }],
  ['ours', { active: false, enabled: false }],
] as const)('what is %s and %j is left alone', async (kind, state) => {
  expect(await plan(kind, state)).toEqual({ kind: 'unchanged' });
});
