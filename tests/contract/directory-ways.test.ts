// A link among the directories above a path: the plan shows where it leads, and refuses what apply would refuse.
import { chmod, chown, lchown, mkdir, symlink } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { planPlays } from '../../src/engine/planner.js';
import { createLook } from '../../src/facts/batched-probe.js';
import type { Action } from '../../src/model/action.js';
import { changed, type Resource } from '../../src/model/change.js';
import { plainContent } from '../../src/model/content.js';
import type { Plan } from '../../src/model/plan.js';
import { directory } from '../../src/resources/directory.js';
import { file } from '../../src/resources/file.js';
import { writeFileScript } from '../../src/shell/write-file.js';
import { inventoryOrder, playOf } from '../support/fake-world.js';
import { createLocalTransport } from '../support/local-transport.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** `nobody` and `nogroup` in Debian's base-passwd. */
const APP = 65534;
const OWNED = { owner: 'root', group: 'root', mode: '0644' };

const isRoot = userInfo().uid === 0;
if (!isRoot) console.warn('skipped: links of other users, because they need root');

const transport = createLocalTransport('here');

let root: string;

beforeEach(async () => {
  root = temporaryDirectory('way');
  await chmod(root, 0o755);
  for (const name of ['app', 'data', 'data/conf']) await mkdir(join(root, name));
});

async function planOf(resource: Resource): Promise<Plan> {
  const send = (_: string, script: string) => transport.run({ summary: 'look', script });
  const names = {
    tool: '',
    inventoryDigest: '',
    playbook: '',
    playbookDigest: '',
    limit: undefined,
    without: () => '',
  };
  const plays = [playOf(['here'], [resource])];
  const { plan } = await planPlays(
    { plays, orders: new Map([['inventory', inventoryOrder]]), ...names },
    createLook({ send, token: () => 'T0ken' }),
  );
  return plan;
}

async function diffOf(resource: Resource): Promise<readonly string[]> {
  const [step] = (await planOf(resource)).plays[0]?.batches[0]?.hosts[0]?.steps ?? [];
  return step?.outcome.kind === 'change' ? step.outcome.change.diff : [];
}

const acting = (...actions: readonly Action[]): Resource => ({
  address: 'act',
  paths: [],
  plan: () => Promise.resolve(changed({ summary: 'act', diff: [], actions, effect: 'change', disruptive: false })),
});

/** A resource of each kind that writes at a path. */
const KINDS: readonly (readonly [string, (path: string) => Resource])[] = [
  ['a file', (path) => file({ path, content: plainContent('x\n'), ...OWNED })],
  ['a directory', (path) => directory({ path, ...OWNED, mode: '0755' })],
  ['a removal', (path) => acting({ kind: 'remove-file', path })],
  ['a bundle of certificates', (path) => acting({ kind: 'install-trust', path, ...OWNED })],
  [
    'the owner of a directory',
    (path) => acting({ kind: 'run', path, command: { summary: 'own', script: 'false' }, undo: 'nothing' }),
  ],
];

const REFUSED = { failures: [{ host: 'here', error: { code: 'foreign-link' } }] };

(isRoot ? describe : describe.skip)('a link of another user above', () => {
  beforeEach(async () => {
    await symlink(join(root, 'data'), join(root, 'app', 'current'));
    await lchown(join(root, 'app', 'current'), APP, APP);
    await chown(join(root, 'app'), APP, APP);
  });

  test.each(KINDS)('%s is refused by the plan, which says where it leads', async (_, resource) => {
    const planned = planOf(resource(join(root, 'app', 'current', 'x')));
    await expect(planned).rejects.toMatchObject(REFUSED);
    const says = `/app/current is a symbolic link to ${root}/data, and others than root could have put it there`;
    await expect(planned).rejects.toThrow(says);
  });

  test('further up, or behind a link of root, is refused as well', async () => {
    await expect(
      planOf(file({ path: join(root, 'app/current/conf/x'), content: plainContent('x'), ...OWNED })),
    ).rejects.toMatchObject(REFUSED);
    await symlink(join(root, 'app', 'current'), join(root, 'mine'));
    await expect(
      planOf(file({ path: join(root, 'mine/x'), content: plainContent('x'), ...OWNED })),
    ).rejects.toMatchObject(REFUSED);
  });
});

(isRoot ? describe : describe.skip)('a link of root above', () => {
  test.each(KINDS)('%s is planned, with a line that says where it leads', async (_, resource) => {
    await symlink(join(root, 'data'), join(root, 'current'));
    const lines = await diffOf(resource(join(root, 'current', 'conf', 'x')));
    expect(lines).toContain(`${root}/current/conf leads to ${root}/data/conf, by a symbolic link`);
  });

  test('a directory that is still to be made below it is no reason to refuse', async () => {
    await symlink('data', join(root, 'current'));
    const lines = await diffOf(directory({ path: join(root, 'current/new/deep'), ...OWNED, mode: '0755' }));
    expect(lines).toContain(`${root}/current/new leads to ${root}/data/new, by a symbolic link`);
  });

  test('what is planned is what apply does: both follow it, or both refuse', async () => {
    await symlink(join(root, 'data'), join(root, 'current'));
    const path = join(root, 'current', 'x');
    const write = () =>
      transport.run({ summary: 'write', script: writeFileScript({ path, ...OWNED }, 2, 'run0.0'), stdin: 'x\n' });
    expect((await write()).status).toBe(0);
    await lchown(join(root, 'current'), APP, APP);
    expect((await write()).status).not.toBe(0);
    await expect(planOf(acting({ kind: 'remove-file', path }))).rejects.toMatchObject(REFUSED);
  });
});

test('where there is no link, nothing is said', async () => {
  const lines = await diffOf(file({ path: join(root, 'data/x'), content: plainContent('x\n'), ...OWNED }));
  expect(lines.join('\n')).not.toContain('leads to');
});
