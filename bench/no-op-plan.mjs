// A no-op `provision plan` beside as many parallel `ssh` runs of one equivalent shell script. See README.md.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cli: { type: 'string', default: 'dist/main.js' }, rounds: { type: 'string', default: '7' } },
});
const [inventory, playbook] = positionals;
const rounds = Number(values.rounds);
if (inventory === undefined || playbook === undefined || !(rounds >= 1)) {
  console.error('usage: node bench/no-op-plan.mjs INVENTORY PLAYBOOK [--cli dist/main.js] [--rounds 7]');
  process.exit(1);
}

const SCRIPT = readFileSync(new URL('load-balancer-state.sh', import.meta.url), 'utf8');
// The process itself says how much memory it had at most, in KiB: the last line on stderr.
const TELL_MEMORY =
  'data:text/javascript,process.on("exit",()=>process.stderr.write("\\n"+process.resourceUsage().maxRSS))';

/** Runs a program to its end. */
function run(program, args, stdin = '') {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'pipe' });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (piece) => (stdout += piece));
    child.stderr.on('data', (piece) => (stderr += piece));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
    child.stdin.on('error', () => undefined); // the program ended without reading it; its status tells
    child.stdin.end(stdin);
  });
}

function fail(what, { status, stdout, stderr }) {
  console.error(`${what}: status ${status}\n${stderr}\n${stdout.slice(-2000)}`);
  process.exit(1);
}

/** The hosts that the playbook is about, with their variables, as the program itself reads them. */
async function readHosts() {
  const read = await run(process.execPath, [values.cli, 'inventory', inventory, '--format', 'json']);
  if (read.status !== 0) fail('provision inventory', read);
  const { hostvars } = JSON.parse(read.stdout)._meta;
  const planned = await run(process.execPath, [...planArguments(), '--format', 'json']);
  if (planned.status !== 0) fail(planned.status === 2 ? 'the plan is not empty: apply it first' : 'plan', planned);
  const events = planned.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { plan } = events.find(({ type }) => type === 'planned');
  const names = plan.plays.flatMap(({ batches }) => batches.flatMap(({ hosts }) => hosts.map(({ host }) => host)));
  return [...new Set(names)].map((name) => ({ name, variables: hostvars[name] }));
}

function planArguments() {
  return [values.cli, 'plan', inventory, '--playbook', playbook, '--detailed-exitcode', '--forks', '1000'];
}

function sshArguments({ name, variables }) {
  const { ansible_host, ansible_port, ansible_user, ansible_ssh_private_key_file, ansible_ssh_common_args } = variables;
  return [
    ...['-o', 'BatchMode=yes', '-o', 'ControlMaster=no', '-o', 'ControlPath=none', '-T'],
    ...(ansible_ssh_common_args === undefined ? [] : ansible_ssh_common_args.split(/\s+/).filter(Boolean)),
    ...(ansible_ssh_private_key_file === undefined ? [] : ['-i', ansible_ssh_private_key_file]),
    ...(ansible_port === undefined ? [] : ['-p', String(ansible_port)]),
    ...(ansible_user === undefined ? [] : ['-l', ansible_user]),
    ansible_host ?? name,
    variables.ansible_become === true ? 'sudo -n sh -s' : 'sh -s',
  ];
}

/** `ssh`, once for each host, all at once. @returns milliseconds */
async function timeSsh(hosts) {
  const begun = performance.now();
  const results = await Promise.all(hosts.map((host) => run('ssh', sshArguments(host), SCRIPT)));
  const elapsed = performance.now() - begun;
  results.forEach((result, index) => {
    if (result.status !== 0 || !result.stdout.endsWith('asked\n')) fail(`ssh ${hosts[index].name}`, result);
  });
  return elapsed;
}

/** @returns milliseconds, and the most memory that the process had, in MiB */
async function timePlan() {
  const begun = performance.now();
  const result = await run(process.execPath, ['--import', TELL_MEMORY, ...planArguments()]);
  const elapsed = performance.now() - begun;
  if (result.status !== 0) fail('plan', result);
  return { elapsed, memory: Number(result.stderr.trimEnd().split('\n').at(-1)) / 1024 };
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function spread(numbers) {
  const figures = [median(numbers), Math.min(...numbers), Math.max(...numbers)].map((ms) => (ms / 1000).toFixed(2));
  return `${figures[0]} s  (${figures[1]} … ${figures[2]} s)`;
}

const hosts = await readHosts();
console.log(`${hosts.length} hosts, ${rounds} rounds, in turn; Node ${process.version}`);
// Warms the hosts' page caches, for both sides.
await timePlan();
await timeSsh(hosts);
const plans = [];
const scripts = [];
const memories = [];
for (let round = 0; round < rounds; round += 1) {
  const { elapsed, memory } = await timePlan();
  plans.push(elapsed);
  memories.push(memory);
  scripts.push(await timeSsh(hosts));
}
const ratios = plans.map((plan, index) => plan / scripts[index]);
console.log(`provision plan     ${spread(plans)}   peak memory ${Math.max(...memories).toFixed(0)} MiB`);
console.log(`parallel ssh       ${spread(scripts)}`);
console.log(`plan / ssh         ${median(ratios).toFixed(2)}  (median of the rounds' ratios)`);
