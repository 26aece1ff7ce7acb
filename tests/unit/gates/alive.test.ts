import { describe, expect, test } from '@jest/globals';
import { httpsKey, type HttpsAnswer } from '../../../src/facts/https-answer.js';
import { exchangeProblem, vipAnswers, vipRequest } from '../../../src/gates/vip-answers.js';
import { fakeProbes } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import { SAMPLE_APISERVER, SAMPLE_CLUSTER, SAMPLE_SERVICE } from '../../support/sample-cluster.js';

function answer(status: number): HttpsAnswer {
  return { kind: 'answer', status, body: 'Unauthorized' };
}

// With --anonymous-auth=false, an API server answers 401 to who shows nothing.
describe('what a service says is alive', () => {
  test.each([
    [200, SAMPLE_APISERVER, undefined],
    [401, SAMPLE_APISERVER, undefined],
    [403, SAMPLE_APISERVER, 'answers 403: Unauthorized'],
    [500, SAMPLE_APISERVER, 'answers 500: Unauthorized'],
    [200, SAMPLE_SERVICE, undefined],
    [401, SAMPLE_SERVICE, 'answers 401: Unauthorized'],
  ])('%i', (status, { health }, problem) => {
    expect(exchangeProblem(answer(status), health.alive)).toBe(problem);
  });

  test('opens the gate of the virtual IP', async () => {
    const hosts = Object.fromEntries(
      SAMPLE_APISERVER.clients.map(({ host, files }) => [
        host,
        { 'https-answers': { [httpsKey(vipRequest(SAMPLE_APISERVER, files))]: answer(401) } },
      ]),
    );
    const input = gateInput(fakeProbes(hosts));
    expect(await vipAnswers(SAMPLE_APISERVER, SAMPLE_CLUSTER).check(input)).toEqual({ open: true });
  });
});
