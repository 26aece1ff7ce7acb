// Templates that kubectl is given: Go refuses a bad one before it asks the API server, and nothing here runs Go.
import { describe, expect, test } from '@jest/globals';
import { clusterNodes } from '../../../src/facts/cluster-nodes.js';
import { nodeList } from '../../../src/facts/node-list.js';
import { drainNode, uncordonMarked } from '../../../src/shell/drain-node.js';
import { awaitSmokeTest, beginSmokeTest, startSmokeTest } from '../../../src/shell/smoke-test.js';
import { goTemplateFaults } from '../../support/go-template-faults.js';

const SCRIPTS: Readonly<Record<string, () => string>> = {
  drain: () => drainNode({ name: 'w-1', timeoutS: 20, cordon: 'marked' }).script,
  uncordon: () => uncordonMarked('w-1').script,
  nodes: () => clusterNodes.script(['10.0.0.1']),
  'list of nodes': () => nodeList.script(['https://10.0.0.1:6443']),
  'begin of a smoke test': () => beginSmokeTest().script,
  'start of a smoke test': () => startSmokeTest('0a', { image: 'i', command: [], count: 1, tolerated: [] }).script,
  'pods of a smoke test': () => awaitSmokeTest('0a').script,
};

test.each(Object.keys(SCRIPTS))('%s: blocks end, and variables are declared where they are read', (name) => {
  const templates = [...(SCRIPTS[name]?.() ?? '').matchAll(/go-template=([^']+)'/g)].map(([, text = '']) => text);
  expect(templates).not.toEqual([]);
  expect(templates.flatMap(goTemplateFaults)).toEqual([]);
});

describe('what Go refuses', () => {
  test.each([
    ['{{range .items}}x', ['a block without its end']],
    ['{{if .a}}{{with .b}}x{{end}}', ['a block without its end']],
    ['x{{end}}', ['an end of nothing']],
    ['{{$a}}', ['$a is not declared in {{$a}}']],
    ['{{$a = ""}}{{$a := ""}}', ['$a is not declared in {{$a = ""}}']],
    ['{{$a := $a}}', ['$a is not declared in {{$a := $a}}']],
    ['{{with .x}}{{$a := .}}{{end}}{{$a}}', ['$a is not declared in {{$a}}']],
    [
      '{{range $k, $v := .}}{{end}}{{if eq $k $v}}{{end}}',
      ['$k', '$v'].map((name) => `${name} is not declared in {{if eq $k $v}}`),
    ],
  ])('%s', (template, faults) => {
    expect(goTemplateFaults(template)).toEqual(faults);
  });

  test('and what it takes', () => {
    const taken =
      '{{$a := "$b"}}{{range $k, $v := .}}{{if and (eq $k "end") $v}}{{$a = $k}}{{else}}{{$.x}}{{end}}{{end}}{{$a}}';
    expect(goTemplateFaults(taken)).toEqual([]);
  });
});
