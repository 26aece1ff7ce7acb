import { expect, test } from '@jest/globals';
import { APISERVER, apiserverProcesses } from '../../../src/facts/apiserver-processes.js';
import { fixture } from '../../support/fixture.js';

test('reads the arguments and connections of a running kube-apiserver', () => {
  const [process, ...others] =
    apiserverProcesses.parse(fixture('facts/apiserver-processes.txt'), [APISERVER]).get(APISERVER) ?? [];
  expect(others).toEqual([]);
  expect(process?.argv).toContain('--etcd-servers=https://203.0.113.100:2379');
  expect(process?.connections).toContainEqual({ address: '203.0.113.100', port: 2379 });
});

test('none runs', () => {
  expect(apiserverProcesses.parse('', [APISERVER]).get(APISERVER)).toEqual([]);
});
