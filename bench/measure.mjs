// Measures on the lab's control side, and prints what it found as JSON. Called by bench.mjs.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ansible, parallelSsh, provision } from './contestants.mjs';
import { balancersOf, WRITTEN } from './hosts.mjs';
import { peakMemory, succeed, timed } from './process.mjs';

const [directory, balancerCount, rounds] = process.argv.slice(2);
const lab = join(directory, 'lab');
const passphrase = join(directory, 'passphrase');
const names = Array.from({ length: Number(balancerCount) }, (_, index) => `lb-${index + 1}`);
const balancers = balancersOf(names, join(lab, 'ssh_config'));
const inventories = { before: join(lab, 'inventory.yaml'), after: join(lab, 'changed.yaml') };
const files = { before: join(directory, 'before'), after: join(directory, 'after') };

/** The line that is changed, in the inventory and in what comes of it. */
const LINE = { variable: 'haproxy_timeout_connect', before: 'timeout connect 5s', after: 'timeout connect 6s' };

/** More hosts than this are counted for the shortest work alone: what a host costs is the same. */
const COUNTED_UP_TO = 10;

/** With more hosts than this, the shortest work alone is measured, on what provision set up: all of it would take hours. */
const ALL_WORK_UP_TO = 30;

const say = (text) => process.stderr.write(`${text}\n`);

async function prepare() {
  writeFileSync(passphrase, 'only for the bench\n', { mode: 0o600 });
  const text = readFileSync(inventories.before, 'utf8');
  writeFileSync(inventories.after, text.replace('  vars:\n', `  vars:\n    ${LINE.variable}: 6s\n`));
  await balancers.prepare(readFileSync(join(directory, 'packages.tar')));
  const apply = (playbook) =>
    succeed(process.execPath, [
      ...[
        'dist/main.js',
        'apply',
        inventories.before,
        '--playbook',
        playbook,
        '--yes',
        '--passphrase-file',
        passphrase,
      ],
    ]);
  await apply('etcd');
  await apply('etcd-lb');
  for (const version of ['before', 'after']) await balancers.fetchFiles(files[version]);
  for (const host of names) {
    const path = join(files.after, host, 'etc/haproxy/haproxy.cfg');
    writeFileSync(path, readFileSync(path, 'utf8').replace(LINE.before, LINE.after));
  }
}

/** The files of each host as a tar. */
async function pack(version) {
  const packed = names.map(async (host) => [
    host,
    await succeed('tar', ['-C', join(files[version], host), '-c', ...WRITTEN]),
  ]);
  return new Map(await Promise.all(packed));
}

/** Measures one kind of work, contestants in turn, and another one first in each round; then counts what each makes of the hosts. */
async function measureRow(title, contestants, work, before = () => undefined) {
  const row = { title, times: contestants.map(() => []), counts: [] };
  for (let round = 0; round < Number(rounds); round += 1)
    for (const place of contestants.keys()) {
      const index = (round + place) % contestants.length;
      const contestant = contestants[index];
      await before();
      const elapsed = await timed(() => work(contestant));
      row.times[index].push(elapsed);
      say(`${names.length} hosts, ${title}, ${contestant.name}: ${(elapsed / 1000).toFixed(2)} s`);
    }
  const counted = names.length <= COUNTED_UP_TO || title === 'no-op' ? contestants : [];
  for (const contestant of counted) {
    await before();
    let memory = 0;
    const figures = await balancers.count(async () => (memory = await peakMemory(() => work(contestant))));
    row.counts.push({ ...figures, memory });
  }
  return row;
}

await prepare();
mkdirSync(join(directory, 'ansible'));
const archives = { before: await pack('before'), after: await pack('after') };
const ours = provision({ inventories, passphrase });
const contestants = [
  ours,
  ansible('ansible-core', 'linear', { inventories, files, directory }),
  ansible('ansible-mitogen', 'mitogen_linear', { inventories, files, directory }),
  parallelSsh({ balancers, archives }),
];
const isWholeWork = names.length <= ALL_WORK_UP_TO;
// Each finds the same done, whoever did it: before anything is measured. The files are those of provision's own run.
for (const contestant of isWholeWork ? contestants : [ours]) {
  if (contestant === ours) {
    for (const { noOp } of contestants) await noOp('before');
  } else {
    await balancers.reset();
    await contestant.converge('before');
    await ours.noOp('before');
  }
}
say(`${names.length} hosts: what one does, the others find done`);

let version = 'before';
const other = () => (version = version === 'before' ? 'after' : 'before');
const rows = [await measureRow('no-op', contestants, ({ noOp }) => noOp(version))];
if (isWholeWork)
  rows.push(
    await measureRow('one changed line', contestants, ({ change }) => change(other())),
    await measureRow('first converge', contestants, ({ converge }) => converge('before'), balancers.reset),
  );
process.stdout.write(
  `${JSON.stringify({ hosts: names.length, contestants: contestants.map(({ name }) => name), rows })}\n`,
);
