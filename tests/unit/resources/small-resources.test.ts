import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { Outcome } from '../../../src/model/change.js';
import { absent } from '../../../src/resources/absent.js';
import { group, user } from '../../../src/resources/accounts.js';
import { command } from '../../../src/resources/command.js';
import { directory } from '../../../src/resources/directory.js';
import { hostsEntries } from '../../../src/resources/hosts-entries.js';
import { sysctl } from '../../../src/resources/sysctl.js';
import { changeDirectoryScript } from '../../../src/shell/change-ownership.js';
import { fakeProbe, type FakeAnswers } from '../../support/fake-probe.js';

function scripts(outcome: Outcome): readonly string[] | undefined {
  if (outcome.kind !== 'change') return undefined;
  return outcome.change.actions.map((action) => (action.kind === 'run' ? action.command.script : action.kind));
}

const KEY = 'net.ipv4.ip_nonlocal_bind';
const KEPT = `# Kept by provision.\n${KEY} = 1\n`;
const keptState = {
  kind: 'file',
  owner: 'root',
  group: 'root',
  mode: '0644',
  changedAt: 0,
  sha256: createHash('sha256').update(KEPT).digest('hex'),
};
const nonlocal = sysctl({ key: KEY, value: '1', file: '/etc/sysctl.d/x.conf' });
const account = user({ name: 'u', system: true, shell: '/bin/sh', groups: ['g'] });
const once = command({ name: 'c', script: 'touch /made', creates: '/made' });
const backOut = command({ name: 'c', script: 'rm /old', removes: '/old' });
const place = directory({ path: '/d', owner: 'root', group: 'root', mode: '0755' });
const ROOTS = { owner: 'root', group: 'root', mode: '0755' };
const placeState = { kind: 'directory', owner: 'root', group: 'root', mode: '0755', changedAt: 0 };

describe('decisions', () => {
  test.each<[string, { plan: typeof nonlocal.plan }, FakeAnswers, readonly string[] | undefined]>([
    [
      'sysctl now and after a reboot',
      nonlocal,
      { sysctls: { [KEY]: '1' }, 'file-states': { '/etc/sysctl.d/x.conf': keptState } },
      undefined,
    ],
    [
      'sysctl lost at the next reboot',
      nonlocal,
      { sysctls: { [KEY]: '1' }, 'file-states': { '/etc/sysctl.d/x.conf': { kind: 'absent' } } },
      ['write-file'],
    ],
    [
      'sysctl kept but not in force',
      nonlocal,
      { sysctls: { [KEY]: '0' }, 'file-states': { '/etc/sysctl.d/x.conf': keptState } },
      [`sysctl -q -w '${KEY}=1'`],
    ],
    ['user missing', account, { users: { u: undefined } }, ['useradd --system --shell /bin/sh --groups g u']],
    ['user as wanted', account, { users: { u: { home: '/', shell: '/bin/sh', groups: ['u', 'g'] } } }, undefined],
    [
      'user with another shell',
      account,
      { users: { u: { home: '/', shell: '/bin/false', groups: ['g'] } } },
      ['usermod --shell /bin/sh u'],
    ],
    [
      'user outside its group',
      account,
      { users: { u: { home: '/', shell: '/bin/sh', groups: ['u'] } } },
      ['usermod --append --groups g u'],
    ],
    ['group missing', group({ name: 'g', system: true }), { groups: { g: false } }, ['groupadd --system g']],
    ['group there', group({ name: 'g', system: true }), { groups: { g: true } }, undefined],
    ['command not run yet', once, { paths: { '/made': false } }, ['touch /made']],
    ['command run already', once, { paths: { '/made': true } }, undefined],
    ['removal to be run', backOut, { paths: { '/old': true } }, ['rm /old']],
    ['removal done', backOut, { paths: { '/old': false } }, undefined],
    ['file to be removed', absent({ path: '/f' }), { 'file-states': { '/f': keptState } }, ['remove-file']],
    ['file gone', absent({ path: '/f' }), { 'file-states': { '/f': { kind: 'absent' } } }, undefined],
    [
      'a link to nothing to be removed',
      absent({ path: '/f' }),
      { 'file-states': { '/f': { kind: 'absent', link: { owner: 'root', target: '/gone' } } } },
      ['remove-file'],
    ],
    ['directory missing', place, { 'file-states': { '/d': { kind: 'absent' } } }, ['make-directory']],
    ['directory there', place, { 'file-states': { '/d': placeState } }, undefined],
    [
      'directory too open',
      place,
      { 'file-states': { '/d': { ...placeState, mode: '0777' } } },
      [changeDirectoryScript('/d', ROOTS, { ...ROOTS, mode: '0777' })],
    ],
  ])('%s', async (_, resource, answers, expected) => {
    expect(scripts(await resource.plan(fakeProbe(answers)))).toEqual(expected);
  });
});

describe('/etc/hosts', () => {
  const entries = hostsEntries({ entries: [{ address: '192.0.2.1', names: ['a', 'b'] }] });

  async function written(before: string): Promise<string> {
    const state = { ...keptState, sha256: createHash('sha256').update(before).digest('hex') };
    const answers = { 'file-contents': { '/etc/hosts': before }, 'file-states': { '/etc/hosts': state } };
    const outcome = await entries.plan(fakeProbe(answers));
    if (outcome.kind !== 'change') return before;
    const [action] = outcome.change.actions;
    return action?.kind === 'write-file' ? action.content.reveal() : '';
  }

  const BLOCK = '# BEGIN provision\n192.0.2.1\ta b\n# END provision\n';

  test('keeps every other line, and settles', async () => {
    const first = await written('127.0.0.1 localhost\n');
    expect(first).toBe(`127.0.0.1 localhost\n${BLOCK}`);
    expect(await written(first)).toBe(first);
  });

  test('gets only its block replaced', async () => {
    const old = 'x\n# BEGIN provision\n192.0.2.9\told\n# END provision\ny\n';
    expect(await written(old)).toBe(`x\n${BLOCK}y\n`);
    // An editor that writes Windows line ends must not make it grow with each run.
    expect(await written(old.replaceAll('\n', '\r\n'))).toBe(`x\r\n${BLOCK}y\r\n`);
  });

  test.each([
    '# BEGIN provision\nx\n',
    'x\n# END provision\n',
    '# END provision\nx\n# BEGIN provision\n',
    `# BEGIN provision\nx\n${BLOCK}`,
    `${BLOCK}x\n${BLOCK}`,
  ])('is refused where its marks do not stand as they were written: %j', async (text) => {
    const marks = text.split('\n').filter((line) => line.startsWith('#'));
    await expect(written(text)).rejects.toMatchObject({
      code: 'hosts-block-unclear',
      message: expect.stringContaining(`has the lines ${marks.join(', ')}: one # BEGIN provision and one # END`),
    });
  });
});
