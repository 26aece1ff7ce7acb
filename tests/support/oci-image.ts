import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { chosenMirror } from '../../src/lab/mirror.js';
import { LAB_PATHS, run } from './lab.js';

/** Why no image can be built here; absent: one can. */
export const noImages =
  spawnSync('buildah', ['--version']).status === 0
    ? undefined
    : 'skipped, no image can be built here: buildah (Debian package buildah) is missing';

/** What buildah keeps of one test, and nothing of this machine's own images. */
export interface ImageStore {
  /** Runs buildah in it. @throws Error where it fails */
  readonly buildah: (...words: readonly string[]) => Promise<string>;
  readonly remove: () => Promise<void>;
}

/** An empty one. @param directory for it alone */
export function createImageStore(directory: string): ImageStore {
  const places = [
    '--root',
    join(directory, 'root'),
    '--runroot',
    join(directory, 'run'),
    '--storage-driver',
    'overlay',
  ];
  const buildah: ImageStore['buildah'] = async (...words) => {
    const { status, stdout, stderr } = await run(['buildah', ...places, ...words]);
    if (status !== 0)
      throw new Error(`buildah ${words.join(' ')}: status ${status}\n${(stdout + stderr).slice(-4000)}`);
    return stdout.trim();
  };
  return {
    buildah,
    // Its working containers are mounted as long as they are there.
    remove: async () => {
      await buildah('rm', '--all');
      await buildah('rmi', '--all', '--force');
    },
  };
}

/**
 * What the recipe begins from, without a registry of images: the root that debootstrap made for the hosts of labs, with this machine's
 * Node and npm, and its ways to Debian's packages and to npm's.
 * @returns its name
 */
export async function makeBaseImage({ buildah }: ImageStore): Promise<string> {
  const container = await buildah('from', 'scratch');
  const root = await buildah('mount', container);
  const [base = ''] = readdirSync(LAB_PATHS.cache).filter((name) => /^bookworm-[0-9a-f]{12}$/.test(name));
  const without = LEFT_OUT.map((path) => `--exclude=./${path}`).join(' ');
  const copy = `tar -C '${join(LAB_PATHS.cache, base)}' ${without} -c . | tar -C '${root}' -x`;
  const copied = await run(['bash', '-o', 'pipefail', '-c', copy]);
  if (copied.status !== 0) throw new Error(copied.stderr);
  mkdirSync(join(root, 'var/cache/apt/archives/partial'), { recursive: true });
  cpSync(process.execPath, join(root, 'usr/bin/node'));
  const { stdout: modules } = await run(['npm', 'root', '--global']);
  cpSync(join(modules.trim(), 'npm'), join(root, 'usr/lib/node_modules/npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/bin/npm'));
  await bringWays(root);
  await buildah('commit', '--quiet', container, BASE);
  await buildah('rm', container);
  return BASE;
}

const BASE = 'localhost/node-on-debootstrap';

/** Packages that the lab's hosts install, and what is only read by people. */
const LEFT_OUT = ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale'];

/** Where this machine gets packages from, and whom it trusts for that. */
async function bringWays(root: string): Promise<void> {
  const options = await run(['apt-config', 'dump', 'Acquire']);
  writeFileSync(join(root, 'etc/apt/apt.conf.d/99this-machine'), options.stdout);
  const mirror = await chosenMirror(process.env);
  if (mirror === undefined) throw new Error('this machine has no mirror of Debian');
  const { main, security } = mirror;
  writeFileSync(
    join(root, 'etc/apt/sources.list'),
    `deb ${main} bookworm main\ndeb ${main} bookworm-updates main\ndeb ${security} bookworm-security main\n`,
  );
  const { stdout: registry } = await run(['npm', 'config', 'get', 'registry']);
  writeFileSync(join(root, 'etc/npmrc'), `registry=${registry.trim()}\nprefer-offline=true\n`);
  const trusted = 'etc/ssl/certs/ca-certificates.crt';
  mkdirSync(dirname(join(root, trusted)), { recursive: true });
  cpSync(join('/', trusted), join(root, trusted));
}
