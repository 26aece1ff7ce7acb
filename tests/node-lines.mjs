// The quick tests, and the way into a plan, on the other lines of Node that `engines` names: npm's own packages bring each.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The newest of each line that the registry had when this was written; the line that runs this is tested by itself. */
const VERSIONS = ['22.23.3', '24.9.0'];

/** A plan gets as far as the hosts, where nobody listens: port 1 is nobody's (RFC 1078, tcpmux). */
const NOBODY_LISTENS = `etcd:
  hosts: { etcd-1: { ansible_host: 127.0.0.1, ansible_port: 1 } }
all: { vars: { etcd_lb_ip: 10.0.0.100 } }
`;
/** EXIT.unreachable of src/model/errors.ts. */
const UNREACHABLE = 4;

function run(command, ...args) {
  return spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** @returns the path of a Node; it is kept for the next time */
function nodeOf(version) {
  const directory = resolve('node_modules/.cache', `node-${version}`);
  const name = `node-${process.platform}-${process.arch}`;
  const node = join(directory, 'node_modules', name, 'bin/node');
  if (existsSync(node)) return node;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{}');
  const { status } = run('npm', 'install', '--prefix', directory, '--no-audit', '--no-fund', `${name}@${version}`);
  if (status === 0 && existsSync(node)) return node;
  console.error(`Node ${version} could not be installed: the npm registry must have ${name}`);
  process.exit(1);
}

function tryOn(version) {
  const node = nodeOf(version);
  const tests = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  const { status, stdout, stderr } = run(node, ...tests, '--selectProjects', 'unit');
  const printed = `${stdout}${stderr}`;
  const tally = /^\d+ passed, \d+ failed.*$/m.exec(printed)?.[0];
  if (status !== 0 || tally === undefined) return `${tally ?? 'no test ran'}\n${printed}`;
  const inventory = join(mkdtempSync(join(tmpdir(), 'node-lines-')), 'hosts.yaml');
  writeFileSync(inventory, NOBODY_LISTENS);
  const plan = spawnSync(node, ['--import', 'tsx', 'src/main.ts', 'plan', inventory], { encoding: 'utf8' });
  const reached = plan.status === UNREACHABLE && plan.stdout.includes('nothing listens on port 1');
  console.log(`Node ${version}: ${tally}; a plan ${reached ? 'asks its hosts' : 'fails'}`);
  return reached ? undefined : `${plan.stdout}${plan.stderr}`;
}

const problems = VERSIONS.map((version) => [version, tryOn(version)]).filter(([, problem]) => problem !== undefined);
for (const [version, problem] of problems) console.error(`Node ${version} fails:\n${problem}`);
process.exit(problems.length === 0 ? 0 : 1);
