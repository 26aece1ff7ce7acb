// `npm run bench:fleet`: what 40 clusters cost this machine, and many hosts of one cluster. Two labs, and a page of results. See README.md.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measuredOn, ratio, seconds, table } from './page.mjs';
import { median, peakMemory, succeed, timed } from './process.mjs';

const LAB = 'bench-fleet';
const PAGE = 'docs/bench-fleet.md';

/** Fleets of clusters of three members, each with a virtual IP; the first one is what the others are told by. */
const FLEETS = [
  { clusters: 40, jobs: 1 },
  { clusters: 40, jobs: 8 },
  { clusters: 40, jobs: 40 },
  { clusters: 10, jobs: 8 },
  { clusters: 20, jobs: 8 },
];
/** Hosts of one inventory, for a playbook of six tasks. */
const SIZES = [5, 30, 200];
/** Of one whole cluster: three members and two load balancers. */
const CLUSTER_HOSTS = ['etcd-1', 'etcd-2', 'etcd-3', 'lb-1', 'lb-2'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' }, page: { type: 'string', default: PAGE } },
});
const [inside, directory = mkdtempSync(join(tmpdir(), 'provision-bench-fleet-'))] = positionals;

const cli = (...args) => succeed(process.execPath, ['dist/main.js', ...args]);
// With --detailed-exitcode a plan that finds something to do would end with 2.
const noOp = (...args) => cli(...args, '--detailed-exitcode');
const inventoryIn = (lab) => join(directory, lab, 'inventory.yaml');

if (inside === undefined) await outside();
else await { fleets: measureFleets, hosts: measureHosts }[inside]();

/** Brings a lab up, has it set up, and runs a part of this file where its hosts can be reached. @returns what that found */
async function onLab(part, sizes, prepare) {
  const inLab = (...args) => cli('lab', 'run', '--name', LAB, '--', process.execPath, ...args);
  try {
    await cli('lab', 'up', '--name', LAB, ...sizes, '--control-planes', '0', '--dir', join(directory, part));
    const hosts = readFileSync(inventoryIn(part), 'utf8').match(/(?:etcd|lb)-\d(?=:)/g);
    // Each sshd meets the connections of many hosts, and not of its own alone.
    const busy = 'echo MaxStartups 300:30:400 >/etc/ssh/sshd_config.d/fleet.conf && systemctl reload ssh';
    for (const host of hosts) await cli('lab', 'ssh', '--name', LAB, host, busy);
    const passphrase = join(directory, 'passphrase');
    writeFileSync(passphrase, 'bench-fleet\n', { mode: 0o600 });
    await inLab('dist/main.js', 'apply', inventoryIn(part), '--yes', '--passphrase-file', passphrase);
    prepare();
    return JSON.parse(await inLab('bench/fleet.mjs', part, directory, '--rounds', values.rounds));
  } finally {
    await cli('lab', 'down', '--name', LAB);
  }
}

async function outside() {
  const commit = (await succeed('git', ['describe', '--always', '--dirty'])).toString().trim();
  // The page that is kept is of a commit that can be measured again.
  if (commit.endsWith('-dirty') && values.page === PAGE) {
    console.error(`${commit}: commit first, or write the results elsewhere: npm run bench:fleet -- --page FILE`);
    process.exit(1);
  }
  try {
    const before = loadavg()[0];
    const fleets = await onLab('fleets', ['--etcd', '3', '--lb', '0'], writeFleets);
    const hosts = await onLab('hosts', ['--etcd', '3', '--lb', '2'], writeInventories);
    writeFileSync(values.page, page({ fleets, hosts }, { commit, loads: [before, loadavg()[0]] }));
    await succeed('npx', ['prettier', '--write', values.page]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Clusters that are all the same hosts, each with an inventory and an authority of its own. */
function writeFleets() {
  for (const { clusters } of FLEETS)
    for (let number = 1; number <= clusters; number += 1) {
      const cluster = join(directory, `fleet-${clusters}`, `c${String(number).padStart(2, '0')}`);
      mkdirSync(cluster, { recursive: true });
      for (const name of ['inventory.yaml', 'pki'])
        cpSync(join(directory, 'fleets', name), join(cluster, name), { recursive: true });
    }
}

/** Hosts that are all the same five, under as many names. */
function writeInventories() {
  const text = readFileSync(inventoryIn('hosts'), 'utf8');
  const addresses = [...text.matchAll(/ansible_host: (\S+)/g)].map(([, address]) => address);
  const vars = text.match(/^ {4}ansible_.*\n/gm).join('');
  for (const size of SIZES) {
    const names = Array.from(
      { length: size },
      (_, index) => `    h${index}: { ansible_host: ${addresses[index % addresses.length]} }\n`,
    );
    writeFileSync(join(directory, `hosts-${size}.yaml`), `all:\n  vars:\n${vars}  hosts:\n${names.join('')}`);
  }
  const tasks = [
    'file: { path: /etc/bench, state: directory }',
    'copy: { dest: /etc/bench/a.conf, content: a }',
    'copy: { dest: /etc/bench/b.conf, content: b }',
    'apt: { name: openssh-server }',
    'systemd: { name: ssh, state: started, enabled: true }',
    'user: { name: bench }',
  ];
  const play = `- hosts: all\n  tasks:\n${tasks.map((task) => `    - ${task}\n`).join('')}`;
  writeFileSync(join(directory, 'work.yaml'), play);
}

/** Times of all in turn, another one first in each round; then the memory, in a run of its own, for to look takes time, too. */
async function measure(rows, work) {
  const measured = rows.map((row) => ({ ...row, times: [] }));
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const first = round % measured.length;
    for (const row of [...measured.slice(first), ...measured.slice(0, first)])
      row.times.push(await timed(() => work(row)));
  }
  for (const row of measured) row.memory = await peakMemory(() => work(row));
  process.stdout.write(`${JSON.stringify(measured)}\n`);
}

async function measureFleets() {
  const plan = ({ clusters, jobs }) =>
    noOp('fleet', 'plan', join(directory, `fleet-${clusters}`), '--jobs', String(jobs));
  await plan(FLEETS[1]);
  await measure(FLEETS, plan);
}

async function measureHosts() {
  const work = ['--playbook', join(directory, 'work.yaml')];
  const plan = ({ cluster, size }) =>
    cluster ? noOp('plan', inventoryIn('hosts')) : noOp('plan', join(directory, `hosts-${size}.yaml`), ...work);
  await cli('apply', join(directory, `hosts-${CLUSTER_HOSTS.length}.yaml`), ...work, '--yes');
  await plan({ cluster: true });
  await measure(
    [{ cluster: true, size: CLUSTER_HOSTS.length }, ...SIZES.map((size) => ({ cluster: false, size }))],
    plan,
  );
}

function page({ fleets, hosts }, { commit, loads }) {
  const mib = (figure) => `${figure.toFixed(0)} MiB`;
  const perCluster = (index) => fleets[index].times.map((time) => time / fleets[index].clusters);
  const fleetRows = fleets.map(({ clusters, jobs, times, memory }, index) => [
    ...[clusters, jobs, seconds(median(times)), seconds(median(times) / clusters)],
    index === 0 ? '' : ratio(perCluster(index), perCluster(0)),
    mib(memory),
  ]);
  const hostRows = hosts.map(({ cluster, size, times, memory }) => [
    cluster ? 'a whole cluster' : 'six tasks',
    ...[size, seconds(median(times)), `${(median(times) / size).toFixed(0)} ms`, mib(memory)],
  ]);
  const fleetHead = [
    'clusters',
    '`--jobs`',
    'time',
    'for each cluster',
    'for each ÷ that of the first row',
    'memory of all processes',
  ];
  return `# What do a fleet, and many hosts, cost?

Written by \`npm run bench:fleet\`; [how it measures](../bench/README.md#a-fleet-and-many-hosts).

${measuredOn(commit)}. Nothing to do; ${values.rounds === '1' ? 'one round' : `medians of ${values.rounds} rounds`}. The hosts run on the same processors.

## \`fleet plan\`, clusters of three members with their virtual IP

${table(fleetHead, fleetRows)}

## \`plan\` of one inventory

${table(['', 'hosts', 'time', 'for each host', 'memory'], hostRows)}

Load of the machine before the labs were up: ${loads[0].toFixed(1)}; at the end: ${loads[1].toFixed(1)}.
`;
}
