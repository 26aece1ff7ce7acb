import { describe, expect, test } from '@jest/globals';
import type { UnitState } from '../../../src/facts/unit-state.js';
import { plainContent } from '../../../src/model/content.js';
import { downMark } from '../../../src/resources/down-mark.js';
import { ownUnitRemoved } from '../../../src/resources/own-unit-removed.js';
import { retiredUnit } from '../../../src/resources/retired-unit.js';
import { service } from '../../../src/resources/service.js';
import { swapOff } from '../../../src/resources/swap-off.js';
import { NOT_INSTALLED, RUNNING, STOPPED } from '../../support/etcd-answers.js';
import { expectChange, fileOf, GONE, planned, ROOT, type ChangeCase } from '../../support/change-cases.js';
import { fakeProbe, type FakeAnswers } from '../../support/fake-probe.js';

// All that a change is: what a plan shows of it, what is done in which order, and how each of it is taken back.

describe('services', () => {
  const restarted = service({ unit: 'x', onChange: 'restart', runsWith: [planned('change')] });
  const idle = service({ unit: 'x', onChange: 'reload', runsWith: [planned('change')], enabled: false });
  const answers = (unit: Partial<UnitState>): FakeAnswers => ({
    units: { x: { ...RUNNING, ...unit } },
    'file-states': { '/c': fileOf('') },
  });

  test.each<ChangeCase>([
    [
      'one that was never there',
      restarted,
      answers(NOT_INSTALLED),
      [
        'enable and start x',
        ...['$ systemctl enable x', 'back: systemctl disable x', '$ systemctl restart x', 'back: systemctl stop x'],
      ],
    ],
    [
      'one that is stopped',
      restarted,
      answers(STOPPED),
      ['start x', '$ systemctl restart x', 'back: systemctl stop x'],
    ],
    [
      'one that was left masked, and must not start at boot',
      idle,
      answers({ maskedAtRuntime: true }),
      [
        ...['unmask and disable and reload x', 'because /c changes'],
        ...['$ systemctl unmask x', 'back: systemctl mask x', '$ systemctl disable x', 'back: systemctl enable x'],
        ...['$ systemctl reload x', 'back: systemctl reload x'],
      ],
    ],
    [
      'one that runs with an older file',
      restarted,
      answers({}),
      [...['restart x', 'because /c changes', '$ systemctl restart x', 'back: systemctl restart x'], 'clients notice'],
    ],
  ])('%s', async (...given) => expectChange(given));
});

describe('units that go', () => {
  const own = (kind: string): object => ({ kind });
  const timer = ownUnitRemoved({
    address: 'no-timer:t',
    what: 'the timer',
    paths: ['/t.timer', '/t.service'],
    stays: 'the rest stays',
    end: { kind: 'stop', unit: 't.timer', path: '/t.timer' },
  });
  const answers = (states: readonly [object, object], origins: readonly string[], unit: UnitState): FakeAnswers => ({
    'file-states': { '/t.timer': states[0], '/t.service': states[1] },
    'file-origins': { '/t.timer': own(origins[0] ?? ''), '/t.service': own(origins[1] ?? '') },
    units: { 't.timer': unit },
  });
  const here = fileOf('');
  const REMOVED = [
    'remove /t.timer',
    'remove /t.service',
    '$ systemctl daemon-reload',
    'back: systemctl daemon-reload',
  ];
  const retired = retiredUnit({
    ...{ unit: 'haproxy', configFile: '/h.cfg', successor: 'nginx' },
    script: { path: '/check', content: plainContent('#!/bin/sh\n') },
    marked: { unit: 'haproxy', mark: '/run/down', dropIn: '/d.conf' },
  });
  const balancer = (origin: string, dropIn: string, unit: UnitState, script: object): FakeAnswers => ({
    units: { haproxy: unit },
    'file-origins': { '/h.cfg': own(origin), '/d.conf': own(dropIn) },
    'file-states': { '/check': script },
  });

  test.each<ChangeCase>([
    [
      'a timer that runs',
      timer,
      answers([here, here], ['ours', 'ours'], RUNNING),
      [
        ...['remove the timer', 'disable and stop t.timer', '- /t.timer', '- /t.service', 'the rest stays'],
        ...['$ systemctl disable t.timer', 'back: systemctl enable t.timer'],
        ...['$ systemctl stop t.timer', 'back: systemctl start t.timer', ...REMOVED],
      ],
    ],
    [
      'a timer that runs, and is not enabled',
      timer,
      answers([here, here], ['ours', 'ours'], { ...RUNNING, enabled: false }),
      [
        ...['remove the timer', 'stop t.timer', '- /t.timer', '- /t.service', 'the rest stays'],
        ...['$ systemctl stop t.timer', 'back: systemctl start t.timer', ...REMOVED],
      ],
    ],
    [
      'a timer that does not run',
      timer,
      answers([here, here], ['ours', 'ours'], { ...STOPPED, enabled: false }),
      ['remove the timer', '- /t.timer', '- /t.service', 'the rest stays', ...REMOVED],
    ],
    [
      'a timer whose own file is gone',
      timer,
      answers([GONE, here], ['absent', 'ours'], RUNNING),
      [
        ...['remove the timer', 'stop t.timer', '- /t.service', 'the rest stays'],
        ...['$ systemctl stop t.timer', 'stays: t.timer stays stopped', ...REMOVED.slice(1)],
      ],
    ],
    [
      'a timer of others beside what is ours',
      timer,
      answers([here, here], ['foreign', 'ours'], RUNNING),
      ['remove the timer', '- /t.service', 'the rest stays', ...REMOVED.slice(1)],
    ],
    ['nothing of ours', timer, answers([here, GONE], ['foreign', 'absent'], RUNNING), []],
    [
      'a unit whose place another one takes',
      retired,
      balancer('ours', 'ours', RUNNING, here),
      [
        'stop and disable haproxy: nginx takes its place',
        'connections through haproxy end; new ones go through nginx',
        ...['write /check root:root 0755', 'remove /d.conf'],
        ...['$ systemctl daemon-reload && rm -f /run/down', 'back: systemctl daemon-reload'],
        ...['$ systemctl disable haproxy', 'back: systemctl enable haproxy'],
        ...['$ systemctl stop haproxy', 'back: systemctl start haproxy', 'clients notice'],
      ],
    ],
    [
      'a unit whose place another one takes, without what it had beside',
      retired,
      balancer('ours', 'absent', { ...STOPPED, enabled: true }, GONE),
      [
        'stop and disable haproxy: nginx takes its place',
        'connections through haproxy end; new ones go through nginx',
        ...['$ systemctl disable haproxy', 'back: systemctl enable haproxy'],
        ...['$ systemctl stop haproxy', 'back: nothing'],
      ],
    ],
    ['a unit that is none of ours', retired, balancer('foreign', 'ours', RUNNING, here), []],
    ['a unit that nobody starts', retired, balancer('ours', 'ours', { ...STOPPED, enabled: false }, here), []],
  ])('%s', async (...given) => expectChange(given));

  const marks = downMark({
    ...{ unit: 'x', mark: '/run/down', dropIn: '/d.conf' },
    file: { ...ROOT, content: plainContent('a\n'), mode: '0644' },
  });
  const marked = (dropIn: object, unit: Partial<UnitState>, mark: object): FakeAnswers => ({
    units: { x: { ...RUNNING, ...unit } },
    'file-states': { '/d.conf': dropIn, '/run/down': mark },
    'file-contents': { '/d.conf': 'b\n' },
  });
  const RELOADED = ['$ systemctl daemon-reload', 'back: systemctl daemon-reload'];
  const UNMARKED = ['$ ! systemctl is-active --quiet x.service || rm -f /run/down (at /run/down)', 'back: nothing'];

  test.each<ChangeCase>([
    ['a mark as it should be', marks, marked(fileOf('a\n'), {}, GONE), []],
    ['a mark of what is down', marks, marked(fileOf('a\n'), STOPPED, fileOf('')), []],
    [
      'a mark of what runs',
      marks,
      marked(fileOf('a\n'), {}, fileOf('')),
      ['remove /run/down', '- /run/down: x runs', ...UNMARKED],
    ],
    [
      'a drop-in that systemd has not read',
      marks,
      marked(fileOf('a\n'), { needsDaemonReload: true }, GONE),
      ['have systemd read /d.conf', ...RELOADED],
    ],
    [
      'another drop-in, and a mark of what runs',
      marks,
      marked(fileOf('b\n'), { needsDaemonReload: true }, fileOf('')),
      [
        'update /d.conf (root:root 0644), and remove /run/down',
        ...['--- /d.conf', '+++ /d.conf', '@@ -1 +1 @@', '-b', '+a', '- /run/down: x runs'],
        ...['write /d.conf root:root 0644', ...RELOADED, ...UNMARKED],
      ],
    ],
  ])('%s', async (...given) => expectChange(given));
});

describe('swap', () => {
  const answers = (fstab: string | undefined, active: readonly string[], units: readonly object[]): FakeAnswers => ({
    swaps: { all: { active, units } },
    'file-contents': { '/etc/fstab': fstab, '/var/lib/kubelet/config.yaml': undefined },
    'file-states': { '/etc/fstab': fstab === undefined ? GONE : fileOf('', { mode: '0600' }) },
  });
  const unit = { unit: 'a.swap', file: '/run/a.swap', source: '', state: 'generated' };

  test.each<ChangeCase>([
    [
      'what is on, in fstab and in a unit',
      swapOff(),
      answers('/a none swap\n', ['/a'], [unit]),
      [
        'turn swap off, now and after a reboot',
        ...['- swap on /a', '- a.swap (/run/a.swap): masked'],
        ...['--- /etc/fstab', '+++ /etc/fstab', '@@ -1 +1 @@', '-/a none swap'],
        ...['+# provision: no swap under Kubernetes: /a none swap', 'write /etc/fstab root:root 0600'],
        ...['$ systemctl daemon-reload', 'back: systemctl daemon-reload'],
        ...['$ systemctl --quiet mask -- a.swap', 'back: systemctl --quiet unmask -- a.swap'],
        ...['$ swapoff -- /a', 'back: swapon -- /a'],
      ],
    ],
    [
      'none that is on',
      swapOff(),
      answers(undefined, [], [{ ...unit, file: '/etc/systemd/system/a.swap', state: 'enabled-runtime' }]),
      [
        'turn swap off, now and after a reboot (none is on)',
        '- a.swap (/etc/systemd/system/a.swap): disabled',
        ...['$ systemctl --quiet disable -- a.swap', 'back: systemctl --quiet enable -- a.swap'],
      ],
    ],
    ['none at all', swapOff(), answers(undefined, [], []), []],
  ])('%s', async (...given) => expectChange(given));

  test('has the time to be read back from a disk', async () => {
    const outcome = await swapOff().plan(fakeProbe(answers(undefined, ['/a'], [])));
    const actions = outcome.kind === 'change' ? outcome.change.actions : [];
    expect(actions.at(-1)).toMatchObject({ command: { timeoutMs: 600_000 } });
  });
});
