import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { powerCut, replaceMachine } from '../../src/lab/faults.js';
import { waitUntil } from '../../src/lab/process.js';
import { describeOnLab } from '../support/lab.js';
import { etcdctl, vipOf } from '../support/main-job.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { readTutorial, workThrough, type TutorialPlace } from '../support/tutorial.js';

// What the tutorials say is what happens: their files are written, and their commands typed, from their text.

jest.setTimeout(1_800_000);

describeOnLab('the tutorials', 'tutorials', { etcd: 3, controlPlanes: 1 }, (lab) => {
  async function place(): Promise<TutorialPlace> {
    const { stdout } = await lab.provision('inventory', lab.files.inventory, '--format', 'json');
    const { hostvars } = (JSON.parse(stdout) as { _meta: { hostvars: Record<string, Record<string, string>> } })._meta;
    const addresses = Object.entries({ 'etcd-1': '11', 'etcd-2': '12', 'etcd-3': '13', 'cp-1': '21' }).map(
      ([host, last]) => [`10.0.1.${last}`, hostvars[host]?.['ansible_host'] ?? ''] as const,
    );
    const vip = await vipOf(lab);
    // The lab's hosts are reached with keys of their own.
    const user = [
      'ansible_user: deploy',
      `ansible_ssh_private_key_file: ${JSON.stringify(lab.files.privateKey)}`,
      `ansible_ssh_common_args: ${JSON.stringify(`-o UserKnownHostsFile=${lab.files.knownHosts}`)}`,
    ].join('\n    ');
    const words = [['ansible_user: ops', user], ['10.0.1.100', vip], ...addresses] as const;
    return {
      work: temporaryDirectory('tutorials'),
      run: (command) => lab.onControlSide(command),
      here: (text) => words.reduce((done, [word, own]) => done.replaceAll(new RegExp(`\\b${word}\\b`, 'g'), own), text),
      byHand: {
        'replace the machine of etcd-3': async () => {
          const host = await lab.host('etcd-3');
          await powerCut(host);
          await replaceMachine(host);
          const health = etcdctl(`https://${vip}:2379`, 'endpoint health');
          const isServing = async (): Promise<boolean> => (await lab.ssh('etcd-1', health)).status === 0;
          expect(await waitUntil(isServing, 180_000, 300)).toBe(true);
        },
      },
      sshConfig: lab.files.sshConfig,
    };
  }

  // One after the other: each takes the cluster that the one before has left.
  test('do what they say, and their reports show the cluster', async () => {
    const at = await place();
    for (const name of ['first-cluster', 'ci-with-saved-plans', 'replace-a-member']) {
      const begun = Date.now();
      await workThrough(readTutorial(readFileSync(`docs/tutorials/${name}.md`, 'utf8')), at);
      console.log(`${name}: ${((Date.now() - begun) / 1000).toFixed(0)} s`);
    }
    const report = (file: string): string => readFileSync(join(at.work, file), 'utf8');
    const vip = await vipOf(lab);
    const first = report('first.html');
    expect(first).toMatch(/<h1 class="good">apply: \d+ changes performed<\/h1>/);
    const [, before = '', after = ''] =
      /The cluster before<\/h2>(.*?)The cluster after<\/h2>(.*?)<h2>/s.exec(first) ?? [];
    expect(before).toContain('held by nobody');
    expect(after).toMatch(/held by etcd-\d/);
    expect(after.match(/(?:leader|follower), etcd 3/g)).toHaveLength(3 * 2);
    expect(after).toContain(`cp-1: ${vip}:2379`);
    expect(report('drill.html')).toMatch(/clients interrupted.*±/s);
    expect(report('plan.md')).toMatch(/^\+ +maxconn 8192$/m);
    expect(report('apply.xml')).toMatch(/<testsuite [^>]*name="etcd-1"[^>]*tests="2" failures="0"/);
    expect(report('replaced.html')).toContain('<h1 class="good">member replace');
    const all = ['first.html', 'drill.html', 'plan.md', 'plan.xml', 'apply.xml', 'replaced.html'].map(report).join('');
    expect(all).not.toMatch(/PRIVATE KEY|a long sentence/);
  });
});
