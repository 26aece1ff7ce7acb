import { describe, expect, test } from '@jest/globals';
import { peerStreams, type PeerStream } from '../../../src/facts/peer-streams.js';
import { peersTakeWrites } from '../../../src/gates/peers-take-writes.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';

describe('peers-take-writes', () => {
  const IDLE: PeerStream = { peer: '203.0.113.12', queuedBytes: 0, roomBytes: 87_040 };
  const host = (before: readonly PeerStream[], after = before): FakeAnswers => ({
    'peer-streams': { 2380: { before, after } },
  });
  const check = (...second: Parameters<typeof host>) =>
    peersTakeWrites(SAMPLE_CLUSTER).check(
      gateInput(fakeProbes({ 'etcd-1': host([IDLE]), 'etcd-2': host(...second), 'etcd-3': UNREACHABLE })),
    );
  const lost = (queuedBytes: number): PeerStream => ({ ...IDLE, peer: '203.0.113.13', queuedBytes });

  test.each([
    ['no connection is left', []],
    ['nothing is queued', [lost(0)]],
    ['a queue is half full', [lost(43_520)]],
  ])('opens where %s, whoever is away', async (_, streams) => {
    expect(await check(streams)).toEqual({ open: true });
  });

  test.each([43_521, 87_040, 90_000])('does not open where one member queues %i bytes', async (queued) => {
    const shut = {
      open: false,
      reason: expect.stringContaining(
        `etcd-2 still sends to 203.0.113.13, which takes nothing: ${queued} of 87040 bytes are queued`,
      ),
      next: 'ssh etcd-2 ss -t -n -m dst 203.0.113.13',
      patienceMs: 960_000,
    };
    expect(await check([IDLE, lost(queued)])).toEqual(shut);
    expect(await check([IDLE, lost(0)], [IDLE, lost(queued)])).toEqual(shut);
    expect(await check([IDLE, lost(queued)], [IDLE])).toEqual(shut);
  });

  test('names the member that comes first in the inventory, and what fills its queue now', async () => {
    const cluster = {
      ...SAMPLE_CLUSTER,
      members: [sampleMember(3), sampleMember(1)],
      formerMembers: [sampleMember(2)],
    };
    const both = { ...host([lost(50_000)], [lost(60_000)]) };
    const probes = fakeProbes({ 'etcd-1': both, 'etcd-2': both, 'etcd-3': host([IDLE]) });
    expect(await peersTakeWrites(cluster).check(gateInput(probes))).toMatchObject({
      reason: expect.stringMatching(/^etcd-1 still sends to .*: 60000 of 87040 bytes are queued/) as unknown,
    });
  });

  test('does not open while connections end, or begin', async () => {
    expect(await check([IDLE, lost(9_000), lost(9)], [IDLE, lost(9_000)])).toMatchObject({
      open: false,
      reason: 'etcd-2 had 3 connections with other members, and 2 two seconds later',
    });
    expect(await check([], [IDLE])).toMatchObject({ open: false });
  });
});

describe('connections between members', () => {
  // iproute2 6.1, etcd 3.4.23 whose peer .13 lost its power; the first is a client's.
  const SEEN = `0      0           203.0.113.11:2379       203.0.113.60:49822
	 skmem:(r0,rb131072,t0,tb87040,f0,w0,o0,bl0,d0)
0      0           203.0.113.11:2380       203.0.113.12:38246
	 skmem:(r0,rb131072,t0,tb2626560,f4096,w0,o0,bl0,d0)
0      41480       203.0.113.11:2380       203.0.113.13:51650
	 skmem:(r0,rb131072,t0,tb87040,f1792,w88320,o0,bl0,d0)
0      96             [fd00::11]:41022        [fd00::12]:2381
	 skmem:(r0,rb131072,t0,tb46080,f3328,w768,o0,bl0,d4)
`;

  test('a word that a shell would run is no address, for a person types it', () => {
    const stdout = `${SEEN.replace('203.0.113.13:', '203.0.113.13;touch${IFS}/tmp/x;:')}-- later --\n${SEEN}`;
    const { before, after } = peerStreams.parse(stdout, ['2380']).get('2380') ?? { before: [], after: [] };
    expect(before.map(({ peer }) => peer)).toEqual(['203.0.113.12']);
    expect(after.map(({ peer }) => peer)).toEqual(['203.0.113.12', '203.0.113.13']);
  });

  test('are read for each port, at either end', () => {
    const four = [
      { peer: '203.0.113.12', queuedBytes: 0, roomBytes: 2_626_560 },
      { peer: '203.0.113.13', queuedBytes: 88_320, roomBytes: 87_040 },
    ];
    const later = SEEN.split('\n').slice(0, 4).join('\n');
    expect(Object.fromEntries(peerStreams.parse(`${SEEN}-- later --\n${later}\n`, ['2380', '2381', '7000']))).toEqual({
      2380: { before: four, after: four.slice(0, 1) },
      2381: { before: [{ peer: 'fd00::12', queuedBytes: 768, roomBytes: 46_080 }], after: [] },
      7000: { before: [], after: [] },
    });
  });
});
