import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { renderPlan } from '../../../src/report/plan-text.js';
import { columnsOf } from '../../../src/report/terminal-text.js';
import { textOutput } from '../../../src/report/text-output.js';
import { wrapText } from '../../../src/report/wrap-text.js';
import { BARE_HOSTS, ROLLING_RESTART, SECRETS_AND_ESCAPES, THIRTY_HOSTS } from '../../support/sample-plans.js';

const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '');

describe('wrapText', () => {
  test.each([40, 80, 100])('breaks plans between words at %i columns, and loses none', (columns) => {
    for (const plan of [BARE_HOSTS, ROLLING_RESTART, SECRETS_AND_ESCAPES, THIRTY_HOSTS]) {
      const text = renderPlan(plan, { colour: true });
      const wrapped = wrapText(text, columns);
      expect(words(wrapped).join('')).toBe(words(text).join(''));
      const whole = words(text).filter((word) => columnsOf(word) <= columns / 2);
      expect(words(wrapped)).toEqual(expect.arrayContaining([...whole]));
      for (const line of wrapped.split('\n'))
        if (columnsOf(line) > columns)
          expect(words(stripVTControlCharacters(line)).some((word) => columnsOf(word) > columns / 2)).toBe(true);
    }
  });

  test('indents what follows below its beginning', () => {
    expect(wrapText('    ~ one two three four', 16)).toBe('    ~ one two\n      three four');
  });

  test('breaks a word of prose that fits on no line between the values of a list, and a path between its names', () => {
    const urls = 'https://10.0.0.11:2379,https://10.0.0.12:2379';
    expect(wrapText(`  uses --etcd-servers=${urls}`, 40)).toBe(
      '  uses --etcd-servers=\n    https://10.0.0.11:2379,\n    https://10.0.0.12:2379',
    );
    expect(wrapText('see /etc/kubernetes/pki/apiserver-kubelet-client.crt', 32)).toBe(
      'see /etc/kubernetes/pki/\n  apiserver-kubelet-client.crt',
    );
    expect(wrapText(`  → ${urls}`, 80)).toBe(`  → ${urls}`);
  });

  test.each([
    "  set provision_replace_files: ['/etc/kubernetes/pki/apiserver-etcd-client.crt']",
    '  set it: "/etc/kubernetes/pki/apiserver-etcd-client.crt,/etc/kubernetes/pki/etcd/ca.crt"',
    '  → curl --cacert /etc/kubernetes/pki/etcd/ca.crt https://10.0.0.11:2379/health,https://10.0.0.12',
    '        +    - --etcd-servers=https://10.0.0.11:2379,https://10.0.0.12:2379',
    '             - --etcd-servers=https://10.0.0.11:2379,https://10.0.0.12:2379',
    '        \u001B[31m-    - --etcd-servers=https://10.0.0.11:2379,https://10.0.0.12:2379',
    `  ${'a,'.repeat(3000)}`,
  ])('breaks nothing that may be pasted: %j', (text) => {
    const pasted = text.trim().split(' ').at(-1) ?? '';
    expect(wrapText(text, 40)).toContain(pasted);
  });

  test('leaves a mark with what it marks', () => {
    const command = 'provision apply inventory.yaml --playbook etcd';
    expect(wrapText(`  → ${command}`, 30)).toBe(`  → ${command}`);
  });

  test('leaves a command whole: it may be pasted', () => {
    const command = "provision apply inventory.yaml --playbook etcd --limit 'all:!etcd-2'";
    expect(wrapText(`  → to skip it: ${command}`, 40)).toBe(`  → to skip it:\n    ${command}`);
    expect(wrapText(command, 20)).toBe(command);
  });

  test.each(['', 'short', 'x'.repeat(200), '  '.repeat(60)])('leaves %j as it is', (text) => {
    expect(wrapText(text, 80).trimEnd()).toBe(text.trimEnd());
  });
});

test('only what a person reads on a terminal is wrapped', () => {
  const long = `${'word '.repeat(30).trimEnd()}\n`;
  const written = (isTTY: boolean, text: string): string => {
    let out = '';
    const stream = { isTTY, columns: 80, write: (piece: string) => ((out += piece), true) };
    textOutput(stream as unknown as NodeJS.WriteStream).write(text);
    return out;
  };
  expect(written(true, long).split('\n').length).toBe(3);
  expect(written(false, long)).toBe(long);
  expect(written(true, `{"a":"${long.trimEnd()}"}\n`)).toBe(`{"a":"${long.trimEnd()}"}\n`);
});
