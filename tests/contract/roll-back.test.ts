import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { applyPlan } from '../../src/engine/applier.js';
import { planPlays } from '../../src/engine/planner.js';
import { createLook, type Look } from '../../src/facts/batched-probe.js';
import type { Resource } from '../../src/model/change.js';
import { plainContent } from '../../src/model/content.js';
import type { Event } from '../../src/model/events.js';
import { group, user } from '../../src/resources/accounts.js';
import { absent } from '../../src/resources/absent.js';
import { command } from '../../src/resources/command.js';
import { directory } from '../../src/resources/directory.js';
import { file } from '../../src/resources/file.js';
import { service } from '../../src/resources/service.js';
import { sysctl } from '../../src/resources/sysctl.js';
import { BACKUP_ROOT } from '../../src/shell/kept-copy.js';
import { quote } from '../../src/shell/quote.js';
import { fakeHosts, fakeWorld, inventoryOrder, playOf } from '../support/fake-world.js';
import { createLocalTransport } from '../support/local-transport.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const canUnshare =
  userInfo().uid === 0 &&
  (await createLocalTransport('here').run({ summary: 'try', script: 'unshare -mn true' })).status === 0;
if (!canUnshare) console.warn('skipped: roll-backs on a real shell, because they need root and network namespaces');

const ROOTS = { owner: 'root', group: 'root', mode: '0644' };
const SETTING = 'net.ipv4.ip_default_ttl';

let root: string;
let etc: string;

beforeEach(async () => {
  root = temporaryDirectory('roll-back');
  etc = join(root, 'etc');
  await mkdir(etc);
  await mkdir(join(etc, 'units'));
  await writeFile(join(etc, 'real.conf'), 'real\n', { mode: 0o640 });
  await symlink('real.conf', join(etc, 'linked.conf'));
  await symlink('nowhere', join(etc, 'dangling.conf'));
  await mkdir(join(etc, 'demo-dir'), { mode: 0o755 });
  await mkdir(join(root, 'bin'));
  await writeFile(join(root, 'bin', 'systemctl'), SYSTEMCTL(join(etc, 'units')), { mode: 0o755 });
});

/** A stand-in for systemd's command: a unit's states are files. */
const SYSTEMCTL = (units: string): string => `#!/bin/sh
cd ${quote(units)} || exit 1
verb=$1
for name; do :; done
is() { [ -e "$name.$1" ]; }
case $verb in
show) echo "Id=\${name%.service}.service"; echo LoadState=loaded
  if is active; then echo ActiveState=active; echo "ExecMainStartTimestamp=Sat 2026-11-21 01:20:30 UTC"; else echo ActiveState=inactive; fi
  if is enabled; then echo UnitFileState=enabled; else echo UnitFileState=disabled; fi ;;
enable) : >"$name.enabled" ;;
disable) rm -f "$name.enabled" ;;
start | restart) : >"$name.active" ;;
stop) rm -f "$name.active" ;;
esac
exit 0
`;

/** Runs scripts as root of a host whose kernel settings of the network, and whose units, are the test's own. */
const transport = {
  ...createLocalTransport('here'),
  run: (given: Parameters<ReturnType<typeof createLocalTransport>['run']>[0]) => {
    const own = [
      // Accounts are the test's own: its copy of /etc stands in for the machine's, where a test made one.
      `[ ! -d ${root}/accounts ] || mount --bind ${root}/accounts /etc || exit 1`,
      `PATH=${join(root, 'bin')}:/usr/sbin:/sbin:$PATH`,
      given.script.replaceAll(BACKUP_ROOT, join(root, 'backups')),
    ];
    return createLocalTransport('here').run({ ...given, script: `unshare -mn sh -c ${quote(own.join('\n'))}` });
  },
};

function newLook(): Look {
  const send = (_: string, script: string) => transport.run({ summary: 'look', script });
  return createLook({ send, token: () => 'a1b2c3d4e5f6' });
}

/** All that a person would compare: names, kinds, owners, modes, contents and links. */
async function stateOfHost(): Promise<string> {
  const script = [
    `cd ${quote(etc)} && find . -printf '%p %y %u:%g %m %l\\n' | sort`,
    'find . -type f | sort | xargs sha256sum',
  ].join('\n');
  return (await transport.run({ summary: 'look', script })).stdout;
}

const failing = command({ name: 'fails', script: 'exit 1', creates: '/nonexistent/x' });

async function applyAndFail(resources: readonly Resource[]): Promise<readonly string[]> {
  const events: Event[] = [];
  const world = fakeWorld(fakeHosts(['here']), {
    connector: { connect: () => Promise.resolve(transport), close: () => Promise.resolve() },
    newLook,
    emit: (event) => events.push(event),
  });
  const plays = [playOf(['here'], [...resources, failing])];
  const orders = new Map([['inventory', inventoryOrder]]);
  const request = {
    plays,
    orders,
    tool: '',
    inventoryDigest: 'd',
    playbook: 'p',
    playbookDigest: '',
    limit: undefined,
    without: () => '',
  };
  const { plan } = await planPlays(request, newLook());
  await expect(applyPlan(plan, plays, world)).rejects.toThrow();
  return events.flatMap((event) => (event.type === 'notice' ? [event.message] : []));
}

const AS_BEFORE = 'rolled back, except: run fails: what a command did stays';

(canUnshare ? describe : describe.skip)('a run that fails is rolled back', () => {
  const at = (name: string): string => join(etc, name);
  const content = plainContent('new\n');

  test.each<[string, () => readonly Resource[]]>([
    ['a new file', () => [file({ path: at('new.conf'), content, ...ROOTS })]],
    ['a changed file, its owner and mode', () => [file({ path: at('real.conf'), content, ...ROOTS, owner: 'daemon' })]],
    ['owner and mode of a file', () => [file({ path: at('real.conf'), content: plainContent('real\n'), ...ROOTS })]],
    ['a link', () => [file({ path: at('linked.conf'), content, ...ROOTS })]],
    ['a dangling link', () => [file({ path: at('dangling.conf'), content, ...ROOTS })]],
    ['a file that was removed', () => [absent({ path: at('real.conf') })]],
    ['links that were removed', () => [absent({ path: at('linked.conf') }), absent({ path: at('dangling.conf') })]],
    ['a new directory with its parents', () => [directory({ path: at('a/b/c'), ...ROOTS, mode: '0700' })]],
    [
      'a new directory with a file',
      () => [directory({ path: at('a'), ...ROOTS, mode: '0755' }), file({ path: at('a/b.conf'), content, ...ROOTS })],
    ],
    [
      'owner and mode of a directory',
      () => [directory({ path: at('demo-dir'), ...ROOTS, owner: 'daemon', mode: '0700' })],
    ],
    ['a unit that was enabled and started', () => [service({ unit: 'demo', runsWith: [], onChange: 'restart' })]],
  ])('%s', async (_, resources) => {
    const before = await stateOfHost();
    const told = await applyAndFail(resources());
    expect(await stateOfHost()).toBe(before);
    expect(told.at(-1)).toBe(AS_BEFORE);
  });

  test('settings of the kernel', async () => {
    const before = await transport.run({ summary: 'look', script: `cat /proc/sys/${SETTING.replaceAll('.', '/')}` });
    const outcome = await sysctl({ key: SETTING, value: '99', file: at('x.conf') }).plan(newLook().probe('here'));
    const [, action] = outcome.kind === 'change' ? outcome.change.actions : [];
    if (action?.kind !== 'run' || typeof action.undo !== 'object' || 'lasting' in action.undo)
      throw new Error('no undo');
    const script = [action.command.script, action.undo.script, `cat /proc/sys/${SETTING.replaceAll('.', '/')}`].join(
      '\n',
    );
    expect(await transport.run({ summary: 'set, and back', script })).toEqual(before);
  });

  describe('accounts', () => {
    const FILES = ['passwd', 'group', 'shadow', 'gshadow'];
    const accounts = async (): Promise<string> => {
      const script = `cd /etc && sha256sum ${FILES.join(' ')}`;
      return (await transport.run({ summary: 'look', script })).stdout;
    };
    const newUser = user({ name: 'demo-user', system: true, shell: '/bin/sh', groups: ['daemon'] });

    beforeEach(async () => {
      await createLocalTransport('here').run({
        summary: 'copy',
        script: `cp -a /etc ${quote(join(root, 'accounts'))}`,
      });
    });

    test.each<[string, () => readonly Resource[]]>([
      ['new ones', () => [group({ name: 'demo-group', system: true }), newUser]],
      ['a changed one', () => [user({ name: 'games', system: true, shell: '/bin/sh', groups: ['daemon'] })]],
    ])('%s', async (_, resources) => {
      const before = await accounts();
      const told = await applyAndFail(resources());
      expect(await accounts()).toBe(before);
      expect(told.at(-1)).toBe(AS_BEFORE);
    });

    test('and one that stays is named, and no more is promised', async () => {
      await writeFile(join(root, 'bin', 'userdel'), '#!/bin/sh\necho used by process 4711 >&2\nexit 8\n', {
        mode: 0o755,
      });
      const before = await accounts();
      const told = await applyAndFail([newUser]);
      expect(await accounts()).not.toBe(before);
      expect(told.join('\n')).toMatch(/could not roll back: create user demo-user: .*ended with status 8/);
      expect(told.at(-1)).toMatch(/^only partly rolled back/);
    });
  });

  test('and what it can not roll back is said, and no more is promised', async () => {
    const told = await applyAndFail([directory({ path: at('used'), ...ROOTS, mode: '0755' }), keepsBusy(at('used'))]);
    expect(told.join('\n')).toMatch(/could not remove directory .*used/);
    expect(told.at(-1)).toMatch(/^only partly rolled back/);
  });
});

/** Something that a directory is used for, and that nothing takes away. */
function keepsBusy(path: string): Resource {
  return command({ name: 'use it', script: `echo data >${quote(`${path}/data`)}`, creates: `${path}/data` });
}
