// What `provision adopt` writes, the real Ansible reads as the text that was found.
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { appendVariables } from '../../../src/adopt/append-variables.js';
import { yamlText } from '../../../src/adopt/yaml-text.js';
import { NASTY_TEXTS } from '../../support/nasty-texts.js';
import { hasAnsible, renderWithAnsible } from '../../support/real-ansible.js';
import { writeFiles } from '../../support/write-inventory.js';

if (!hasAnsible) console.warn('skipped: reading what was written with the real Ansible: no ansible-core here');

(hasAnsible ? describe : describe.skip)('the real Ansible', () => {
  test('reads every text as it was', () => {
    const lines = NASTY_TEXTS.map((text, index) => `v${index}: ${yamlText(text)}\n`);
    const directory = writeFiles({ hosts: 'a\n', 'host_vars/a.yaml': `---\n${lines.join('')}` });
    const templates = NASTY_TEXTS.map((_, index) => `{{ v${index} }}`);
    expect(renderWithAnsible(join(directory, 'hosts'), 'a', templates)).toEqual(NASTY_TEXTS);
  }, 60_000);

  test('reads a name that is a template as a name', () => {
    const name = "{{lookup('pipe','id')}}";
    const found = ['--name in /etc/default/etcd\netcd_unit: planted:12'];
    const text = appendVariables('x: 1\n', [{ name: 'etcd_member_name', value: name, found }]);
    expect(text).not.toMatch(/^etcd_unit/m);
    const directory = writeFiles({ hosts: 'a\n', 'host_vars/a.yaml': text });
    const templates = ['{{ etcd_member_name }}', '{{ etcd_unit is defined }}'];
    expect(renderWithAnsible(join(directory, 'hosts'), 'a', templates)).toEqual([name, 'False']);
  }, 60_000);
});
