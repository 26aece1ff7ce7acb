import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { describeOnLab } from '../support/lab.js';
import { endOf, performedChanges, runVerb } from '../support/main-job.js';

/** What each test finds: files, links, a directory and a unit that another tool made. */
const PREPARE = `set -e
systemctl disable --now demo 2>/dev/null || :
rm -rf /etc/real.conf /etc/linked.conf /etc/dangling.conf /etc/demo-dir
printf 'real\\n' >/etc/real.conf; chmod 640 /etc/real.conf;
ln -s real.conf /etc/linked.conf; ln -s nowhere /etc/dangling.conf
mkdir -m 755 /etc/demo-dir
printf '[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/demo.service
systemctl daemon-reload
`;

/** All that a person would compare: every name, kind, owner, mode, link and content in /etc, the unit, the kernel. */
const LOOK = `cd /etc
find . -printf '%p %y %U:%G %m %l\\n' | sort
find . -type f -print0 | sort -z | xargs -0 sha256sum
systemctl is-enabled demo; systemctl is-active demo
sysctl -n net.ipv4.ip_default_ttl
`;

const THROUGH_LINKS = [
  'copy: { dest: /etc/linked.conf, content: "new\\n" }',
  'copy: { dest: /etc/dangling.conf, content: "new\\n" }',
  'sysctl: { name: net.ipv4.ip_default_ttl, value: "99" }',
  'systemd: { name: demo, state: started }',
  'file: { path: /etc/demo-dir, state: directory, owner: daemon, group: daemon, mode: "0700" }',
];

const REMOVED_AND_NEW = [
  'file: { path: /etc/linked.conf, state: absent }',
  'file: { path: /etc/dangling.conf, state: absent }',
  'copy: { dest: /etc/real.conf, content: "new\\n", owner: root, mode: "0600" }',
  'file: { path: /etc/demo-new/below, state: directory, mode: "0700" }',
  'copy: { dest: /etc/demo-new/below/file, content: x }',
  'copy: { dest: /etc/systemd/system/demo.service, content: "[Service]\\nExecStart=/bin/sleep 1000\\n" }',
  'systemd: { name: demo, state: restarted }',
];

describeOnLab('a run that fails at its last task leaves a host as it was:', 'rollback', { hosts: 1 }, (lab) => {
  const onHost = async (script: string): Promise<string> => {
    const { status, stdout, stderr } = await lab.ssh('host-1', script);
    if (status !== 0) throw new Error(stderr);
    return stdout;
  };

  test.each<[string, string, readonly string[]]>([
    ['links, a unit that is off, the kernel, a directory', '', THROUGH_LINKS],
    ['links that went, new directories, a unit that is on', 'systemctl enable --now demo', REMOVED_AND_NEW],
  ])('%s', async (_, prepare, tasks) => {
    await onHost(PREPARE + prepare);
    const before = await onHost(LOOK);
    const file = join(lab.files.inventory, '..', 'gaps.yaml');
    const all = [...tasks, 'shell: { cmd: "exit 1", creates: /nonexistent/x }'];
    await writeFile(file, `- name: gaps\n  hosts: host-1\n  tasks:\n${all.map((task) => `    - ${task}\n`).join('')}`);
    const failed = await runVerb(lab, 'apply', '-p', file);
    expect(endOf(failed)).toMatch(/^status 1/);
    // All but the last one was really done, and so there was something to roll back.
    expect(performedChanges(failed)).toHaveLength(tasks.length);
    expect(await onHost(LOOK)).toBe(before);
    const told = failed.events.flatMap((event) => (event.type === 'notice' ? [event.message] : []));
    expect(told).toContainEqual(expect.stringMatching(/^rolled back, except: .*what a command did stays$/));
  });

  test('and a host that is not as it was would be seen', async () => {
    await onHost(PREPARE);
    const before = (await onHost(LOOK)).split('\n');
    await onHost(
      'systemctl enable --now demo; sysctl -w net.ipv4.ip_default_ttl=98; ln -sfn other /etc/dangling.conf; chmod 700 /etc/demo-dir',
    );
    const after = (await onHost(LOOK)).split('\n').filter((line) => !before.includes(line));
    await onHost('sysctl -w net.ipv4.ip_default_ttl=64');
    expect(after).toEqual([
      './dangling.conf l 0:0 777 other',
      './demo-dir d 0:0 700 ',
      expect.stringContaining('./systemd/system/multi-user.target.wants/demo.service l'),
      'enabled',
      'active',
      '98',
    ]);
  });
});
