// Every fact that asks a member shows it the files of that member, in their places: all ways of asking are stand-ins.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { etcdAuth, etcdAuthKey } from '../../src/facts/etcd-auth.js';
import { etcdCompacted, etcdCompactedKey } from '../../src/facts/etcd-compacted.js';
import { etcdCondition, etcdConditionKey } from '../../src/facts/etcd-condition.js';
import { etcdIdentity, etcdIdentityKey } from '../../src/facts/etcd-identity.js';
import { etcdQuota, etcdQuotaKey } from '../../src/facts/etcd-quota.js';
import { etcdRegistry, etcdRegistryKey } from '../../src/facts/etcd-registry.js';
import { etcdStatus, etcdStatusKey } from '../../src/facts/etcd-status.js';
import { httpsAnswer, httpsKey } from '../../src/facts/https-answer.js';
import { presentedCertificate, presentedKey } from '../../src/facts/presented-certificate.js';
import type { Fact } from '../../src/model/remote.js';
import { askHere } from '../support/ask-here.js';
import { sampleMember } from '../support/sample-cluster.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const URL_OF_MEMBER = 'https://10.0.0.1:2379';
const CLIENT = { ca: "/it's/ca", certificate: '/c/crt', key: '/c/key' };
const MEMBER = { ...sampleMember(1), clientUrl: URL_OF_MEMBER, client: CLIENT };
const REQUEST = { url: URL_OF_MEMBER, ...CLIENT };

test.each<[string, Fact<unknown>, string]>([
  ['its users', etcdAuth, etcdAuthKey(MEMBER)],
  ['what it has dropped', etcdCompacted, etcdCompactedKey(MEMBER, 7)],
  ['its condition', etcdCondition, etcdConditionKey(MEMBER, [])],
  ['who it is', etcdIdentity, etcdIdentityKey(REQUEST)],
  ['its quota', etcdQuota, etcdQuotaKey(MEMBER)],
  ['whether it holds a Kubernetes', etcdRegistry, etcdRegistryKey(MEMBER)],
  ['its status', etcdStatus, etcdStatusKey({ clientUrl: URL_OF_MEMBER, client: CLIENT })],
  ['over HTTPS', httpsAnswer, httpsKey(REQUEST)],
  ['what it shows', presentedCertificate, presentedKey(REQUEST)],
])('a question about %s', async (name, fact, key) => {
  const calls = join(temporaryDirectory('member-questions'), 'calls');
  writeFileSync(calls, '');
  const tool = `for word; do printf '%s\\n' "$word"; done >>'${calls}'; exit 1`;
  const tools = { etcdctl: tool, curl: tool, openssl: tool, bash: '', systemctl: 'exit 1', journalctl: 'exit 1' };
  await askHere(fact, [key], { tools });
  const words = readFileSync(calls, 'utf8').split('\n');
  /** What was given as one of these, alone or as the word after it. */
  const given = (...flags: readonly string[]): readonly string[] => [
    ...new Set(
      words.flatMap((word, index) =>
        flags.flatMap((flag) =>
          word === flag ? [words[index + 1] ?? ''] : word.startsWith(`${flag}=`) ? [word.slice(flag.length + 1)] : [],
        ),
      ),
    ),
  ];
  expect({
    certificate: given('--cert', '-cert'),
    key: given('--key', '-key'),
    ca: given('--cacert', '-CAfile'),
    asked: words.some((word) => word.includes('10.0.0.1:2379')),
  }).toEqual({
    certificate: [CLIENT.certificate],
    key: [CLIENT.key],
    ca: name === 'what it shows' ? [] : [CLIENT.ca],
    asked: true,
  });
});
