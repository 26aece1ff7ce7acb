import { expect, test } from '@jest/globals';
import { httpsKey, type HttpsAnswer } from '../../../../src/facts/https-answer.js';
import { nginx } from '../../../../src/proxies/nginx/nginx.js';
import { nginxAnswers } from '../../../../src/proxies/nginx/own-answer.js';
import { healthFiles } from '../../../../src/model/virtual-service.js';
import { fakeProbe } from '../../../support/fake-probe.js';
import { SAMPLE_SERVICE } from '../../../support/sample-cluster.js';

const GOOD: HttpsAnswer = { kind: 'answer', status: 200, body: '{"health":"true"}' };

async function viewOf(isAlive: boolean, third: HttpsAnswer): Promise<unknown> {
  const { path } = SAMPLE_SERVICE.health;
  const files = healthFiles(SAMPLE_SERVICE.health);
  const answers = [1, 2, 3].map((number) => [
    httpsKey({ url: `https://10.0.0.${number}:2379${path}`, ...files }),
    number === 3 ? third : GOOD,
  ]);
  const probe = fakeProbe({
    'nginx-answers': { 23790: isAlive },
    'https-answers': Object.fromEntries(answers) as Record<string, unknown>,
  });
  return nginx.view(SAMPLE_SERVICE, probe);
}

test('each backend is asked from the balancer, for nginx itself knows nothing of them', async () => {
  expect(await viewOf(true, GOOD)).toEqual({ kind: 'answers', problems: [] });
  expect(await viewOf(true, { kind: 'failure', reason: 'Connection refused' })).toEqual({
    kind: 'answers',
    problems: ['would find m3 down: Connection refused'],
  });
  // It hangs, or has lost its quorum: what a passive check never sees.
  expect(await viewOf(true, { kind: 'answer', status: 503, body: '' })).toMatchObject({
    problems: ['would find m3 not healthy: it answers 503'],
  });
});

test('a silent nginx serves nobody, whatever its backends say', async () => {
  expect(await viewOf(false, GOOD)).toEqual({ kind: 'silent' });
});

test('its own answer is read by the status line', () => {
  const read = (stdout: string) => nginxAnswers.parse(stdout, ['23790']).get('23790');
  expect(read('N\nHTTP/1.1 200 OK\r\n\n')).toBe(true);
  expect(read('N\nHTTP/1.1 500 Internal Server Error\r\n\n')).toBe(false);
  expect(read('N\n\n')).toBe(false);
});

test('its file is found in the title that a running nginx gives itself, and in its unit', () => {
  expect(nginx.reads(['nginx: master process /usr/sbin/nginx -g pid x; -c /etc/nginx/provision/etcd.cfg'])).toEqual([
    '/etc/nginx/provision/etcd.cfg',
  ]);
  expect(nginx.reads(['/usr/sbin/nginx', '-c', '/etc/a.conf'])).toEqual(['/etc/a.conf']);
  expect(nginx.reads(['/usr/sbin/nginx'])).toEqual([]);
});
