import { expect, test } from '@jest/globals';
import type { Answer, AnswerKey } from '../../../src/wizard/answers.js';
import { parseAnswers, renderAnswers } from '../../../src/wizard/answers-file.js';

const ALL: readonly (readonly [AnswerKey, Answer])[] = [
  ['hosts', ['etcd-[1:3]', 'no=10.0.0.4', '0x10=10.0.0.5']],
  ['user', 'yes'],
  ['privateKey', ''],
  ['etcd', ['etcd-1', 'no', '0x10']],
  ['controlPlanes', []],
  ['virtualIp', '10.0.0.100'],
  ['network', '10.0.0.0/24'],
  ['dnsName', '1e3'],
  ['port', '2379'],
  ['balancers', ['etcd-1']],
];

test('what is written is read again, whatever YAML would take it for', () => {
  expect([...parseAnswers('answers.yaml', renderAnswers(new Map(ALL))).answers]).toEqual(ALL);
});

test('each answer has its place', () => {
  const { placeOf } = parseAnswers('answers.yaml', 'user: root\nport:   2379\n');
  expect(placeOf('port')).toEqual({ file: 'answers.yaml', line: 2, column: 9 });
});

test.each([
  ['port: http', 'answers.yaml:1:7: port: "http" is not a port; expected a number from 1 to 65535'],
  ['port: 65536', 'answers.yaml:1:7: port: 65536 is not a port; expected a number from 1 to 65535'],
  ['user: root\nport: "2379"', 'answers.yaml:2:7: port: "2379" is not a port; expected a number from 1 to 65535'],
  ['user: no', 'answers.yaml:1:7: user: false is not a text'],
  ['etcd: etcd-1', 'answers.yaml:1:7: etcd: "etcd-1" is not a list; expected names, as [etcd-1, etcd-2]'],
  ['etcd:\n  - a\n  - 7', 'answers.yaml:3:5: etcd: 7 is not a text'],
  ['virtualIP: 10.0.0.1', 'answers.yaml:1:1: virtualIP: is not known here; did you mean virtualIp?'],
  ['- a', 'answers.yaml:1:1: answers.yaml: expected answers, as `user: root`'],
  ['port: [', 'answers.yaml:1:'],
])('%j is refused with its place, its value and what was expected', (text, problem) => {
  expect(() => parseAnswers('answers.yaml', text)).toThrow(problem);
});

test('an empty file has no answer', () => {
  expect(parseAnswers('answers.yaml', '').answers.size).toBe(0);
});
