import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { buildProgram } from '../../build.mjs';
import { provision as thisProgram } from '../support/lab.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

// What users install: packed from a build in a directory of its own, installed by npm, and run from somewhere else.

// A build and an installation, on a machine that does other things.
jest.setTimeout(600_000);

const { bin, files, man, version } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly bin: { readonly provision: string };
  readonly files: readonly string[];
  /** npm links them only where they are a list. */
  readonly man: readonly string[];
  readonly version: string;
};

/** What the package may hold; anything else was not meant for users. */
const MEANT = [
  /^(?:LICENSE|README\.md|CHANGELOG\.md|package\.json)$/,
  /^dist\/(?:main\.js(?:\.map)?|parts\/[a-z-]+-[A-Z0-9]{8}\.js(?:\.map)?|provision\.1)$/,
  /^src\/lab\/assets\//,
  /^playbooks\/[a-z-]+\.yaml$/,
  /^playbooks\/terraform\/(?:aws|azure|gcp)\/(?:README\.md|[a-z]+\.tf)$/,
  /^playbooks\/templates\/[a-z-]+(?:\.[a-z]+)?\.j2$/,
  /^inventory\/(?:dedicated-balancers|ini|small)\/(?:group_vars\/)?[a-z_-]+\.(?:yaml|ini)$/,
];

let root: string;
let packed: readonly string[];
let installation: SpawnSyncReturns<string>;

beforeAll(async () => {
  root = temporaryDirectory('package');
  const source = join(root, 'source');
  mkdirSync(source);
  const there = ['package.json', ...files.filter((path) => path !== 'dist')];
  for (const path of there) cpSync(path, join(source, path), { recursive: true });
  // What whoever packs it may have lying about.
  for (const path of SECRETS) {
    mkdirSync(dirname(join(source, path)), { recursive: true });
    writeFileSync(join(source, path), 'secret\n');
  }
  await built(source);
  const out = run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', root], source).stdout;
  const [pack] = JSON.parse(out) as readonly { readonly files: readonly { readonly path: string }[] }[];
  packed = (pack?.files ?? []).map(({ path }) => path);
  const tarball = join(root, `provision-${version}.tgz`);
  // `npm run -s` asks all npms below it for silence.
  const quiet = [
    '--loglevel',
    'warn',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    '--fetch-retries',
    '0',
  ];
  installation = run('npm', ['i', '-g', '--ignore-scripts', '--prefix', join(root, 'prefix'), ...quiet, tarball], root);
  if (!hasNoRegistry(installation)) return;
  console.warn('not installed by npm, because no registry can be reached from here: laid out as npm would');
  layOut(source);
});

const SECRETS = [
  'inventory/small/pki/ca.key.age',
  'inventory/small/.provision/runs/last.ndjson',
  'inventory/production/hosts.yaml',
];

/** As `npm run build`, but into another directory: a checkout may be in use. */
async function built(source: string): Promise<void> {
  await buildProgram(join(source, 'dist'));
  // What it built has no dependencies beside it yet; the page is the same.
  const [node = '', main = ''] = thisProgram();
  writeFileSync(join(source, 'dist/provision.1'), run(node, [resolve(main), 'man'], '.').stdout);
}

/** npm asks the registry which versions there are, but for what its cache knows. */
function hasNoRegistry({ stderr }: SpawnSyncReturns<string>): boolean {
  return /\b(?:EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT)\b/.test(stderr);
}

/** Puts what was packed where npm would, with the dependencies of this checkout. */
function layOut(source: string): void {
  const installed = join(root, 'prefix/lib/node_modules/provision');
  for (const path of packed) cpSync(join(source, path), join(installed, path));
  symlinkSync(resolve('node_modules'), join(installed, 'node_modules'));
  mkdirSync(join(root, 'prefix/bin'), { recursive: true });
  const program = join(installed, bin.provision);
  chmodSync(program, 0o755);
  rmSync(join(root, 'prefix/bin/provision'), { force: true });
  symlinkSync(program, join(root, 'prefix/bin/provision'));
}

function run(command: string, words: readonly string[], cwd: string): SpawnSyncReturns<string> {
  return spawnSync(command, words, { cwd, encoding: 'utf8' });
}

/** The installed program, from a directory of no checkout, where nothing but Node is to be found. */
function provision(...words: readonly string[]): SpawnSyncReturns<string> {
  const elsewhere = join(root, 'elsewhere');
  mkdirSync(elsewhere, { recursive: true });
  writeFileSync(join(elsewhere, 'broken.yaml'), BROKEN);
  writeFileSync(join(elsewhere, 'hosts.yaml'), NOBODY_LISTENS);
  const PATH = [join(root, 'prefix/bin'), dirname(process.execPath)].join(delimiter);
  const options = { cwd: elsewhere, encoding: 'utf8', env: { PATH, HOME: elsewhere } } as const;
  return spawnSync(join(root, 'prefix/bin/provision'), words, options);
}

const BROKEN = 'all: { children: { etcd: { hosts: { etcd-1: { etcd_data_dir: [1] } } } } }\n';

const NOBODY_LISTENS = `all:
  vars: { etcd_lb_ip: 10.0.0.100, ansible_port: 1 }
  children: { etcd: { hosts: { etcd-1: { ansible_host: 127.0.0.1 } } } }
`;

describe('the package', () => {
  test('holds the program with its playbooks, templates and examples, and nothing else', () => {
    expect(packed.filter((path) => !MEANT.some((meant) => meant.test(path)))).toEqual([]);
    const shipped = ['playbooks', 'playbooks/templates', 'playbooks/terraform/aws', 'src/lab/assets'].flatMap(
      (directory) =>
        readdirSync(directory, { withFileTypes: true }).flatMap((entry) =>
          entry.isFile() ? [join(directory, entry.name)] : [],
        ),
    );
    expect(packed).toEqual(expect.arrayContaining(['dist/main.js', 'LICENSE', ...shipped]));
  });

  test('holds no inventory, store or journal of whoever packed it', () => {
    for (const path of SECRETS) expect(existsSync(join(root, 'source', path))).toBe(true);
    expect(packed.filter((path) => SECRETS.includes(path))).toEqual([]);
  });

  test('brings its manual page', () => {
    const [page = ''] = man;
    expect(readFileSync(join(root, 'source', page), 'utf8')).toMatch(/^\.TH PROVISION 1 /);
    expect(packed).toEqual(expect.arrayContaining([...man]));
    if (!hasNoRegistry(installation)) expect(existsSync(join(root, 'prefix/share/man/man1/provision.1'))).toBe(true);
  });

  test('installs without a warning', () => {
    if (hasNoRegistry(installation)) return;
    expect(installation).toMatchObject({ status: 0, stderr: '' });
    expect(installation.stdout).not.toMatch(/warn|deprecated/i);
  });

  test('runs from any directory, and says its version and its verbs', () => {
    expect(provision('--version')).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' });
    const { status, stdout, stderr } = provision('--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('Usage: provision');
  });

  test('plans with the playbooks and templates that it brings, up to hosts where nobody listens', () => {
    const { status, stdout, stderr } = provision('plan', 'hosts.yaml');
    // They can't be reached.
    expect(status).toBe(4);
    expect(stdout + stderr).toContain('nothing listens on port 1');
    expect(stdout + stderr).not.toMatch(/Warning|Error:/);
  });

  test('says what is wrong in an inventory, with its place', () => {
    const { status, stdout, stderr } = provision('plan', 'broken.yaml');
    expect(status).toBe(1);
    expect(stdout + stderr).toContain('broken.yaml:1');
    expect(stdout + stderr).not.toMatch(/Warning|Error:/);
  });

  test('asks nobody where there is no terminal', () => {
    const { status, stderr } = provision('init');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: there is no terminal to ask on\n {2}→ /);
  });
});
