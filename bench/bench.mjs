// `npm run bench`: a lab of its own for each size, all contestants on it in turn, and the page of results. See README.md.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { page } from './page.mjs';
import { succeed } from './process.mjs';

/** What Ansible's module apt needs, and the lab's image lacks. */
const PACKAGES = ['python3-apt', 'python-apt-common', 'distro-info-data'];

const PAGE = 'docs/bench.md';

const { values } = parseArgs({
  options: {
    balancers: { type: 'string', default: '3,10' },
    rounds: { type: 'string', default: '3' },
    page: { type: 'string', default: PAGE },
  },
});

const LAB = 'bench';
const cli = (...args) => succeed(process.execPath, ['dist/main.js', ...args]);

async function measure(balancers, rounds) {
  const loads = [loadavg()[0]];
  const directory = mkdtempSync(join(tmpdir(), 'provision-bench-'));
  try {
    mkdirSync(join(directory, 'packages'));
    const sizes = ['--etcd', '3', '--lb', String(balancers), '--control-planes', '0'];
    await cli('lab', 'up', '--name', LAB, ...sizes, '--dir', join(directory, 'lab'));
    const download = `cd ${directory}/packages && apt-get -q download ${PACKAGES.join(' ')} && tar -cf ../packages.tar *.deb`;
    await succeed('sh', ['-c', download]);
    const args = ['bench/measure.mjs', directory, String(balancers), rounds];
    const inLab = ['dist/main.js', 'lab', 'run', '--name', LAB, '--', process.execPath, ...args];
    const found = await succeed(process.execPath, inLab, { stderr: 'inherit' });
    return { ...JSON.parse(found.toString()), loads: [...loads, loadavg()[0]] };
  } finally {
    await cli('lab', 'down', '--name', LAB);
    rmSync(directory, { recursive: true, force: true });
  }
}

const version = async (program, ...args) => (await succeed(program, args)).toString().split('\n')[0];
const commit = await version('git', 'describe', '--always', '--dirty');
// The page that is kept is of a commit that can be measured again.
if (commit.endsWith('-dirty') && values.page === PAGE) {
  console.error(`${commit}: commit first, or write the results elsewhere: npm run bench -- --page FILE`);
  process.exit(1);
}
const about = {
  commit,
  ansible: await version('ansible-playbook', '--version'),
  mitogen: await version('dpkg-query', '-W', '-f', '${Version}', 'ansible-mitogen'),
};
const rounds = values.rounds.split(',');
const results = [];
for (const [index, balancers] of values.balancers.split(',').entries()) {
  results.push(await measure(Number(balancers), rounds[index] ?? rounds.at(-1)));
  // After each size: the next one takes longer.
  const before = existsSync(values.page) ? readFileSync(values.page, 'utf8') : '';
  writeFileSync(values.page, page(results, about, before));
  await succeed('npx', ['prettier', '--write', values.page]);
}
