import { expect, test } from '@jest/globals';
import { essenceOf } from '../../../src/engine/drift.js';
import type { Outcome } from '../../../src/model/change.js';
import { UNCHANGED } from '../../../src/model/change.js';
import type { AuthorityView } from '../../../src/pki/authority.js';
import { withSignature } from '../../../src/resources/with-signature.js';
import { SERVER_PROFILE } from '../../support/test-authority.js';

const ISSUE: Outcome = {
  kind: 'change',
  change: {
    summary: 'issue the etcd-server certificate /pki/server.crt',
    diff: ['+ CN=etcd-1'],
    actions: [
      {
        kind: 'issue-certificate',
        certificate: 'etcd-server',
        profile: SERVER_PROFILE,
        destination: { layout: 'bundle', path: '/pki/server.pem' },
        ...{ owner: 'etcd', group: 'etcd', mode: '0600' },
      },
    ],
    effect: 'change',
    disruptive: false,
  },
};

function authority(isExternal: boolean, state = 'requested'): AuthorityView {
  return {
    certificate: () => undefined,
    trustBundle: () => undefined,
    isExternal: () => isExternal,
    describeSignature: ({ host, action }) => Promise.resolve(`${host} ${action.certificate} ${state}`),
  };
}

function diffOf(outcome: Outcome): readonly string[] {
  return outcome.kind === 'change' ? outcome.change.diff : [];
}

test('the diff says what became of the signature, and the plan stays the same one', async () => {
  const before = await withSignature(ISSUE, 'etcd-1', authority(true));
  const after = await withSignature(ISSUE, 'etcd-1', authority(true, 'signed'));
  expect(diffOf(before)).toEqual(['+ CN=etcd-1', '  etcd-1 etcd-server requested']);
  expect(diffOf(after)).toEqual(['+ CN=etcd-1', '  etcd-1 etcd-server signed']);
  const essences = [ISSUE, before, after].map((outcome) =>
    essenceOf(outcome.kind === 'unchanged' ? undefined : { address: 'certificate:/pki/server.pem', outcome }),
  );
  expect(new Set(essences).size).toBe(1);
  expect(essences[0]).not.toBe(essenceOf(undefined));
});

test('what is signed here, and what needs no signature, is as it was', async () => {
  expect(await withSignature(ISSUE, 'etcd-1', authority(false))).toBe(ISSUE);
  expect(await withSignature(UNCHANGED, 'etcd-1', authority(true))).toBe(UNCHANGED);
});
