import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { UnitState } from '../../../src/facts/unit-state.js';
import { plainContent } from '../../../src/model/content.js';
import { downMark } from '../../../src/resources/down-mark.js';
import { NOT_INSTALLED, RUNNING, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbe } from '../../support/fake-probe.js';

const DROP_IN = '/etc/systemd/system/haproxy.service.d/60-provision-down.conf';
const MARK = '/run/provision-down.haproxy';
const TEXT = '# Written by provision\n[Service]\n';
const ROOT = { owner: 'root', group: 'root', mode: '0644' } as const;

interface Found {
  readonly unit?: UnitState;
  readonly dropIn?: 'there' | 'absent';
  readonly mark?: 'there' | 'absent';
}

/** What is done, in order: paths of files, and what commands say of themselves. */
async function done({ unit = RUNNING, dropIn = 'there', mark = 'absent' }: Found): Promise<readonly string[]> {
  const there = { kind: 'file', ...ROOT, changedAt: 0, sha256: createHash('sha256').update(TEXT).digest('hex') };
  const outcome = await downMark({
    unit: 'haproxy',
    mark: MARK,
    dropIn: DROP_IN,
    file: { content: plainContent(TEXT), ...ROOT },
  }).plan(
    fakeProbe({
      units: { haproxy: unit },
      'file-states': {
        [DROP_IN]: dropIn === 'there' ? there : { kind: 'absent' },
        [MARK]: mark === 'there' ? there : { kind: 'absent' },
      },
    }),
  );
  if (outcome.kind !== 'change') return [outcome.kind];
  expect(outcome.change.disruptive).toBe(false);
  return outcome.change.actions.map((action) =>
    action.kind === 'run' ? action.command.summary : `${action.kind} ${'path' in action ? action.path : ''}`,
  );
}

const WRITE = `write-file ${DROP_IN}`;
const READ = 'systemctl daemon-reload';

test.each([
  ['is there and known', {}, ['unchanged']],
  ['is missing', { dropIn: 'absent' }, [WRITE, READ]],
  ['is missing before the package is there', { dropIn: 'absent', unit: NOT_INSTALLED }, [WRITE, READ]],
  ['is there, and a run was killed before systemd read it', { unit: { ...RUNNING, needsDaemonReload: true } }, [READ]],
  ['is there, and the unit is down: its mark is true', { unit: STOPPED, mark: 'there' }, ['unchanged']],
  ['is there, and a unit that runs is marked', { mark: 'there' }, [`remove ${MARK}`]],
  ['was taken away while the unit was down', { dropIn: 'absent', mark: 'there' }, [WRITE, READ, `remove ${MARK}`]],
] satisfies [string, Found, readonly string[]][])('a drop-in that %s', async (_, found, actions) => {
  expect(await done(found)).toEqual(actions);
});
