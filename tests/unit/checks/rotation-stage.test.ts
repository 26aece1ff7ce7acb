import { describe, expect, test } from '@jest/globals';
import {
  decideRotation,
  describeRotation,
  type LeafSeen,
  type RotationDirection,
  type RotationSeen,
  type TrustSeen,
} from '../../../src/checks/rotation-stage.js';

const TRUST: TrustSeen = {
  ...{ host: 'etcd-1', path: '/etc/etcd/pki/ca.crt', reader: 'etcd' },
  ...{ old: true, new: true, strangers: 0, isRead: true },
};
const OLD_ONLY: TrustSeen = { ...TRUST, new: false };
const NEW_ONLY: TrustSeen = { ...TRUST, old: false };
const CLIENT: LeafSeen = {
  ...{ host: 'etcd-1', name: 'etcdctl-client', path: '/etc/etcd/pki/client.crt' },
  ...{ stage: 'clients', signer: 'old', isRead: true },
};
const MEMBER: LeafSeen = { ...CLIENT, name: 'etcd-peer', path: '/etc/etcd/pki/peer.crt', stage: 'members' };

function byNew(leaf: LeafSeen): LeafSeen {
  return { ...leaf, signer: 'new' };
}

const BOTH = { signing: 'old', trusted: 'both' } as const;
const SIGNS = { signing: 'new', trusted: 'both' } as const;
const DROPS = { signing: 'new', trusted: 'new' } as const;
const BACK = { signing: 'old', trusted: 'old' } as const;

function decide(
  store: RotationSeen['store'],
  trusts: readonly TrustSeen[],
  leaves: readonly LeafSeen[],
  direction: RotationDirection = 'forward',
): string | undefined {
  try {
    return decideRotation({ store, trusts, leaves }, direction);
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error);
  }
}

describe('the next stage', () => {
  // [title, the store, trusted, leaves, forward, back]
  test.each([
    ['not begun', undefined, [OLD_ONLY, OLD_ONLY], [CLIENT, MEMBER], 'bundle', undefined],
    ['killed before the first host', BOTH, [OLD_ONLY, OLD_ONLY], [CLIENT, MEMBER], 'bundle', 'bundle'],
    ['one host trusts both', BOTH, [TRUST, OLD_ONLY], [CLIENT, MEMBER], 'bundle', 'bundle'],
    [
      'a process is older than its file',
      BOTH,
      [TRUST, { ...TRUST, isRead: false }],
      [CLIENT, MEMBER],
      'bundle',
      'bundle',
    ],
    ['all trust both', BOTH, [TRUST, TRUST], [CLIENT, MEMBER], 'clients', 'bundle'],
    ['killed before the first client', SIGNS, [TRUST], [CLIENT, MEMBER], 'clients', 'clients'],
    ['one client of two', SIGNS, [TRUST], [byNew(CLIENT), CLIENT, MEMBER], 'clients', 'clients'],
    [
      'a balancer that has not loaded its own',
      SIGNS,
      [TRUST],
      [{ ...byNew(CLIENT), isRead: false }, MEMBER],
      'clients',
      'clients',
    ],
    ['all clients', SIGNS, [TRUST], [byNew(CLIENT), MEMBER], 'members', 'clients'],
    ['one member of two', SIGNS, [TRUST], [byNew(CLIENT), byNew(MEMBER), MEMBER], 'members', 'members'],
    ['a host came back from a backup', SIGNS, [TRUST, OLD_ONLY], [byNew(CLIENT), byNew(MEMBER)], 'bundle', 'members'],
    ['all members', SIGNS, [TRUST], [byNew(CLIENT), byNew(MEMBER)], 'drop', 'members'],
    [
      'one host trusts the new one alone',
      DROPS,
      [TRUST, NEW_ONLY],
      [byNew(CLIENT), byNew(MEMBER)],
      'drop',
      'rotation-not-reversible',
    ],
    [
      'all clients are of the new one, and the store signs by the old one',
      BOTH,
      [TRUST, TRUST],
      [byNew(CLIENT), MEMBER],
      'clients',
      'clients',
    ],
    [
      'the store has it, and no host',
      DROPS,
      [TRUST, TRUST],
      [byNew(CLIENT), byNew(MEMBER)],
      'drop',
      'rotation-not-reversible',
    ],
    ['all but the end', DROPS, [NEW_ONLY], [byNew(CLIENT), byNew(MEMBER)], 'drop', 'rotation-not-reversible'],
    [
      'a host that dropped it, whatever the store says',
      SIGNS,
      [TRUST, NEW_ONLY],
      [byNew(CLIENT), MEMBER],
      'drop',
      'rotation-not-reversible',
    ],
    ['the way back from the first stage was begun', BACK, [TRUST, OLD_ONLY], [CLIENT, MEMBER], 'bundle', 'bundle'],
  ] as const)('%s', (_, store, trusts, leaves, forward, back) => {
    expect([decide(store, trusts, leaves), decide(store, trusts, leaves, 'back')]).toEqual([forward, back]);
  });

  test.each([
    ['a file that trusts somebody else too', { ...TRUST, strangers: 1 }, CLIENT],
    ['a file that trusts neither', { ...TRUST, old: false, new: false }, CLIENT],
    ['a leaf of somebody else', TRUST, { ...CLIENT, signer: 'other' }],
    ['no leaf', TRUST, { ...CLIENT, signer: 'none' }],
  ] as const)('is of no cluster that is not settled: %s', (_, trust, leaf) => {
    for (const direction of ['forward', 'back'] as const)
      expect(decide(BOTH, [TRUST, trust], [CLIENT, leaf], direction)).toBe('rotation-not-settled');
  });
});

test('what is reported counts files and certificates', () => {
  const seen = {
    store: SIGNS,
    trusts: [TRUST, { ...TRUST, isRead: false }, NEW_ONLY],
    leaves: [byNew(CLIENT), MEMBER],
  };
  expect(describeRotation(seen)).toEqual([
    'of 3 files of trusted authorities 2 hold both (1 read by the process that runs), 1 the new one alone',
    'signed by the new one: 1 of 1 certificate of clients, 0 of 1 certificate of members',
  ]);
  expect(describeRotation({ ...seen, store: undefined })).toEqual([]);
});
