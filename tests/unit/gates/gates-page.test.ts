import { expect, test } from '@jest/globals';
import { gatesPage } from '../../support/gates-page.js';
import { expectGolden } from '../../support/golden.js';
import { SAMPLE_APISERVER, SAMPLE_CLUSTER, SAMPLE_SERVICE } from '../../support/sample-cluster.js';

test('the page of gates has every gate, with its own time', () => {
  const page = gatesPage({ ...SAMPLE_CLUSTER, services: [SAMPLE_SERVICE, SAMPLE_APISERVER] });
  expectGolden('docs/reference/gates.md', page);
  expect(page).toMatch(/`etcd-healthy` \| Every member is healthy.*after _/);
});
