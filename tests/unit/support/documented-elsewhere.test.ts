import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { readPage, readSteps } from '../../support/page.js';

// Commands of the pages that no test works through: a worked page has the same, or a test is named that runs it, or why none does.

const PAGES = ['README.md', 'deploy/README.md', ...readdirSync('docs').map((name) => `docs/${name}`)].filter((path) =>
  path.endsWith('.md'),
);

/** The tests that run a command, which have its words; below tests/. */
const RUN_BY: Readonly<Record<string, readonly string[]>> = {
  'npm ci && npm run build && npm link': ['contract/package'],
  'node dist/main.js lab ssh --name demo etcd-1': ['e2e/lab'],
  'node dist/main.js lab run --name demo -- provision plan lab-demo/inventory.yaml': ['e2e/lab'],
  'node dist/main.js lab down --name demo': ['e2e/lab'],
  'provision init': ['support/wizard-on-lab'],
  'provision fleet plan clusters -o plans': ['contract/fleet'],
  'provision fleet plan clusters -o plans --jobs 8': ['contract/fleet'],
  'provision fleet apply clusters --plans plans': ['contract/fleet'],
  'provision fleet verify clusters --format json': ['contract/fleet'],
  'provision fleet list clusters --changed-since origin/main --shard 1/4 --format github-matrix': ['contract/fleet'],
  'provision fleet list clusters --format kubernetes --plans plans': ['e2e/fleet-jobs', 'contract/fleet'],
  'provision fleet plan clusters --report fleet.md': ['contract/fleet'],
  'provision verify inventory.yaml --latency --report health.html': ['e2e/verify', 'contract/reports'],
  'provision verify inventory.yaml --report /srv/reports/prod.html': ['e2e/verify', 'contract/reports'],
  'provision apply inventory.yaml --yes --report apply.html': ['contract/reports'],
  'provision apply inventory.yaml --yes --passphrase-file /etc/provision/passphrase --report /srv/reports/apply.html': [
    'contract/reports',
    'e2e/away',
  ],
  'provision drill inventory.yaml --yes --report drill.html': ['e2e/drill', 'contract/reports'],
  'provision history inventory.yaml last --report last.html': ['contract/reports'],
};

/** Commands that no test types, with the reason. */
const BY_HAND: Readonly<Record<string, string>> = {
  'npm run demo': 'it installs and builds this very repository; what it does on its lab is e2e/main-job',
  'npm test': 'it is what runs the tests',
  'kubectl create secret generic provision-ssh --from-file=id_ed25519 --from-file=known_hosts':
    'e2e/fleet-jobs makes the same Secret as an object',
  'kubectl create secret generic provision --from-literal=ca-passphrase="$PASSPHRASE"':
    'e2e/fleet-jobs makes the same Secret as an object',
  'kubectl get jobs -l app.kubernetes.io/name=provision': 'it only shows; unit: kubernetes-jobs.test.ts has the label',
};

/** What is typed on a page: lines of blocks after `$ `, after `- run: `, and behind the times of a cron table. */
function typedOn(markdown: string): readonly string[] {
  const blocks = [...markdown.matchAll(/^ *```\w*[^\n]*\n([\s\S]*?)^ *```$/gm)].map(([, block = '']) => block);
  const lines = blocks.flatMap((block) => block.replaceAll(/\\\n\s*/g, '').split('\n'));
  const commands = lines.flatMap((line) => /^\s*(?:\$ |- run: |(?:[\d*]+ +){5}\w+ +)(.*)$/.exec(line)?.[1] ?? []);
  return commands.flatMap((command) => {
    const plain = command.replace(/\s+#.*$/, '').trim();
    // Of a line of cron, and of a pipe, each part that is a command of this program.
    const parts = plain.split(/ (?:&&|\|\||\|) /).filter((part) => part.startsWith('provision '));
    return parts.length === 0 ? [plain] : parts;
  });
}

/** Verbs and options: what a command is, whatever files and names it is given. */
function wordsOf(command: string): readonly string[] {
  const words =
    command
      .replace(/^(?:provision|node dist\/main\.js) /, '')
      .split(' -- ')[0]
      ?.split(' ') ?? [];
  const end = words.findIndex((word) => !/^[a-z]+$/.test(word));
  return [...words.slice(0, end < 0 ? undefined : end), ...words.filter((word) => /^--?[a-z]/.test(word))];
}

const WORKED = ['tutorials', 'runbooks']
  .flatMap((folder) => readdirSync(`docs/${folder}`).map((file) => `${folder}/${file.replace(/\.md$/, '')}`))
  .flatMap((page) => readSteps(readPage(page)))
  .flatMap((step) => (step.kind === 'command' && step.line.startsWith('provision ') ? [wordsOf(step.line)] : []));

function isWorked(command: string): boolean {
  const [verb, ...words] = wordsOf(command);
  return WORKED.some(([other, ...others]) => other === verb && words.every((word) => others.includes(word)));
}

/** What is wrong with a command of such a page. */
function problemOf(command: string): string | undefined {
  if (isWorked(command) || command in BY_HAND) return undefined;
  const tests = (RUN_BY[command] ?? []).map((name) => `tests/${name}${name.startsWith('support/') ? '' : '.test'}.ts`);
  if (tests.length === 0) return `${command}: no test runs it, and no reason is listed`;
  const sources = tests.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'));
  const missing = wordsOf(command).filter((word) => !sources.some((source) => source.includes(word)));
  return missing.length === 0 ? undefined : `${command}: ${tests.join(', ')} has no ${missing.join(', ')}`;
}

const TYPED = PAGES.flatMap((page) => typedOn(readFileSync(page, 'utf8')));

describe('a command of a page that no test works through', () => {
  test('is run by a test, or it is listed why not', () => {
    expect(TYPED.length).toBeGreaterThan(30);
    expect(TYPED.flatMap((command) => problemOf(command) ?? [])).toEqual([]);
  });

  test('is listed only while it is there, and runs nowhere else', () => {
    const listed = [...Object.keys(RUN_BY), ...Object.keys(BY_HAND)];
    expect(listed.filter((command) => !TYPED.includes(command) || isWorked(command))).toEqual([]);
  });

  test('that is planted is noticed', () => {
    const page =
      '```console\n$ provision plan a.yaml --forks 2   # why\n$ provision verify a.yaml\n```\n\n```yaml\n- run: provision fleet show x\n```\n\n```\n0 7 * * *  ops  cd /x && provision unlock x --yes || mail x\n```\n';
    expect(typedOn(page).flatMap((command) => problemOf(command) ?? [])).toEqual(
      ['provision plan a.yaml --forks 2', 'provision fleet show x', 'provision unlock x --yes'].map(
        (command) => `${command}: no test runs it, and no reason is listed`,
      ),
    );
  });
});
