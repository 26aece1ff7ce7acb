import { expect, test } from '@jest/globals';
import { findObserver, observerCandidates } from '../../../src/drill/observer.js';
import { httpsKey, type HttpsAnswer } from '../../../src/facts/https-answer.js';
import { vipQuestion } from '../../../src/gates/vip-answers.js';
import type { ClientFiles } from '../../../src/model/certificate.js';
import { fakeProbe, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_SERVICE, sampleBalancer } from '../../support/sample-cluster.js';

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const USUAL = {
  ca: '/etc/kubernetes/pki/etcd/ca.crt',
  certificate: '/etc/kubernetes/pki/apiserver-etcd-client.crt',
  key: '/etc/kubernetes/pki/apiserver-etcd-client.key',
};
const BUNDLE = {
  ca: '/etc/haproxy/etcd-ca.crt',
  certificate: '/etc/haproxy/etcd-client.pem',
  key: '/etc/haproxy/etcd-client.pem',
};

const hostsOf = (candidates: readonly { readonly host: string }[]): string[] => candidates.map(({ host }) => host);

test('clients measure before members, members before balancers, and never who holds the address', () => {
  expect(hostsOf(observerCandidates(SAMPLE_SERVICE, 'etcd-1'))).toEqual(['cp-1', 'etcd-3', 'etcd-2']);
  expect(hostsOf(observerCandidates(SAMPLE_SERVICE, 'etcd-3'))).toEqual(['cp-1', 'etcd-2', 'etcd-1']);
  const apart = { ...SAMPLE_SERVICE, balancers: [{ ...sampleBalancer(1), host: 'lb-1' }, sampleBalancer(2)] };
  expect(hostsOf(observerCandidates(apart, 'lb-1'))).toEqual(['cp-1', 'etcd-1', 'etcd-3', 'etcd-2']);
});

test('the first to whom etcd answers measures, with the files that it was asked with', async () => {
  const answers = (files: ClientFiles, answer: HttpsAnswer, more: FakeAnswers = {}): FakeAnswers => ({
    'https-answers': { [httpsKey(vipQuestion(SAMPLE_SERVICE, files))]: answer },
    ...more,
  });
  const ok: HttpsAnswer = { kind: 'answer', status: 200, body: '' };
  const find = async (controlPlane: HttpsAnswer) =>
    findObserver(observerCandidates(SAMPLE_SERVICE, 'etcd-1'), SAMPLE_SERVICE, (host) =>
      fakeProbe(
        host === 'cp-1'
          ? answers(USUAL, controlPlane, { 'file-contents': { [MANIFEST]: undefined } })
          : answers(BUNDLE, ok),
      ),
    );
  expect(await find(ok)).toEqual({ host: 'cp-1', files: USUAL });
  expect(await find({ kind: 'failure', reason: 'no such file' })).toEqual({ host: 'etcd-3', files: BUNDLE });
  expect(await find({ kind: 'answer', status: 503, body: '' })).toEqual({ host: 'etcd-3', files: BUNDLE });
});
