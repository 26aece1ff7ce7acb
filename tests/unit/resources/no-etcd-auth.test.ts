import { expect, test } from '@jest/globals';
import { etcdAuthKey, type EtcdAuth } from '../../../src/facts/etcd-auth.js';
import { noEtcdAuth } from '../../../src/resources/no-etcd-auth.js';
import { fakeProbe, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { sampleMember, SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

const SILENT: EtcdAuth = { kind: 'silent', reason: 'refused' };

function planned(answers: readonly (EtcdAuth | 'away')[]) {
  const hosts = answers.map((answer, index): readonly [string, FakeAnswers] => [
    `etcd-${index + 1}`,
    answer === 'away' ? UNREACHABLE : { 'etcd-auth': { [etcdAuthKey(sampleMember(index + 1))]: answer } },
  ]);
  return noEtcdAuth(SAMPLE_CLUSTER.members).plan(fakeProbe({}, Object.fromEntries(hosts)));
}

test.each<[string, readonly (EtcdAuth | 'away')[]]>([
  ['no member asks who clients are', [{ kind: 'off' }, { kind: 'off' }, { kind: 'off' }]],
  ['nothing runs yet', [SILENT, SILENT, SILENT]],
  ['a member is away', [{ kind: 'off' }, 'away', { kind: 'off' }]],
])('a proxy may end TLS where %s', async (_, answers) => {
  expect(await planned(answers)).toEqual({ kind: 'unchanged' });
});

test.each<[string, readonly (EtcdAuth | 'away')[]]>([
  ['all of them ask', [{ kind: 'on' }, { kind: 'on' }, { kind: 'on' }]],
  ['the one that answers does', [SILENT, 'away', { kind: 'on' }]],
])('and may not where %s', async (_, answers) => {
  await expect(planned(answers)).rejects.toMatchObject({ code: 'etcd-auth-on' });
});
