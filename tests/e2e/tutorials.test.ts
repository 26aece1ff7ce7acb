import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createHandMadeCluster } from '../support/hand-made-cluster.js';
import { describeOnLab } from '../support/lab.js';
import { placeOnLab, workThroughPage } from '../support/lab-page.js';
import { loseMachine } from '../support/lost-machine.js';
import { ETCD_PEERS, vipOf } from '../support/main-job.js';

// What the tutorials say is what happens: their files are written, and their commands typed, from their text.

describeOnLab('the tutorials', 'tutorials', { etcd: 3, controlPlanes: 1 }, (lab) => {
  // One after the other: each takes the cluster that the one before has left.
  test('do what they say, and their reports show the cluster', async () => {
    const at = await placeOnLab(lab, { 'replace the machine of etcd-3': () => loseMachine(lab, 'etcd-3') });
    for (const page of ['tutorials/first-cluster', 'tutorials/ci-with-saved-plans', 'tutorials/replace-a-member'])
      await workThroughPage(page, at);
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

describeOnLab('the tutorial for a live cluster', 'movelive', { etcd: 3, controlPlanes: 1 }, (lab) => {
  test('moves a cluster that was made by hand, and its report shows it before and after', async () => {
    const made = await createHandMadeCluster(lab);
    const at = await placeOnLab(lab, {
      'bring the key of the authority as ca.key': () => {
        copyFileSync(made.caKey, join(at.work, 'ca.key'));
      },
    });
    await workThroughPage('tutorials/move-a-live-cluster', at);
    const vip = await vipOf(lab);
    expect((await lab.ssh('cp-1', ETCD_PEERS)).stdout).toBe(`${vip}:2379\n`);
    const moved = readFileSync(join(at.work, 'moved.html'), 'utf8');
    const [, before = '', after = ''] =
      /The cluster before<\/h2>(.*?)The cluster after<\/h2>(.*?)<h2>/s.exec(moved) ?? [];
    expect(before).toContain('held by nobody');
    expect(after).toContain(`cp-1: ${vip}:2379`);
  });
});
