import { expect, test } from '@jest/globals';
import { appliedObjects, liveObject, NETWORK_OBJECTS, objectKey } from '../../src/facts/applied-objects.js';
import { askHere } from '../support/ask-here.js';

const POOL = { apiVersion: 'net.example/v1', kind: 'Pool', namespace: '', name: 'a' };
const AGENT = { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: 'net', name: 'agent' };

test('what kubectl warns of is no part of its answer', async () => {
  const kubectl = `echo 'Warning: provision/Apply' >&2
case "$*" in
*configmap*) echo 'apps/v1 DaemonSet net agent' ;;
*'DaemonSet.v1.apps agent -n net'*) printf 'kubelet/Update provision/Apply ' ;;
*) printf 'helm/Apply ' ;;
esac`;
  const here = { tools: { kubectl } };
  expect(await askHere(appliedObjects, [NETWORK_OBJECTS], here)).toEqual([[AGENT]]);
  expect(await askHere(liveObject, [AGENT, POOL].map(objectKey), here)).toEqual(['ours', 'others']);
});

test.each([
  ['its kind is gone', '', 'absent'],
  ['an API server cannot tell all kinds', `echo "couldn't get resource list for net.example/v1" >&2`, 'unknown'],
])('an object is so where %s', async (_, before, expected) => {
  const kubectl = `${before}\necho "error: the server doesn't have a resource type \\"Pool\\"" >&2; exit 1`;
  expect(await askHere(liveObject, [objectKey(POOL)], { tools: { kubectl } })).toEqual([expected]);
});
