import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { certificateFilesKey } from '../../../src/facts/certificate-files.js';
import type { Outcome } from '../../../src/model/change.js';
import { RemoteError } from '../../../src/model/errors.js';
import type { Probe } from '../../../src/model/remote.js';
import { copiedTrust } from '../../../src/resources/copied-trust.js';
import { fakeProbe, type FakeAnswers } from '../../support/fake-probe.js';
import { authorityFrom, TODAY } from '../../support/test-authority.js';

const PATH = '/etc/haproxy/kube-apiserver-ca.crt';
const CA = '/etc/kubernetes/pki/ca.crt';
const FROM = ['cp-1', 'cp-2'].map((host) => ({ host, path: CA }));

let own: string;
let other: string;

beforeAll(async () => {
  own = `${(await authorityFrom(TODAY)).certificatePem.trim()}\n`;
  other = (await authorityFrom(TODAY)).certificatePem;
});

/** No API server has been set up there yet. */
const NO_FILE = 'no file';

const holding = (pem: string): FakeAnswers => ({
  'certificate-files': {
    [certificateFilesKey(CA)]: {
      certificate: pem === NO_FILE ? undefined : { owner: 'root', group: 'root', mode: '0644' },
      key: undefined,
      pem: pem === NO_FILE ? '' : pem,
      publicKey: { kind: 'unchecked' },
    },
  },
});
const AWAY = 'away';

/** @param second what the second control plane holds */
async function decide(first: string, second: string, before: string | undefined): Promise<Outcome> {
  const sha256 = createHash('sha256')
    .update(before ?? '')
    .digest('hex');
  const there = { kind: 'file', owner: 'root', group: 'root', mode: '0644', sha256 };
  const balancer = fakeProbe(
    {
      'file-states': { [PATH]: before === undefined ? { kind: 'absent' } : there },
      'file-contents': { [PATH]: before },
    },
    { 'cp-1': holding(first), 'cp-2': holding(second) },
  );
  const probe: Probe = {
    ...balancer,
    on: (host) => {
      if (host !== 'cp-2' || second !== AWAY) return balancer.on(host);
      const lost = new RemoteError({ code: 'unreachable', host, message: `${host} is away` });
      return { host, ask: () => Promise.reject(lost), on: balancer.on.bind(balancer) };
    },
  };
  return copiedTrust({ path: PATH, from: FROM }).plan(probe);
}

describe('copiedTrust', () => {
  test('what all hold is written, however they space it', async () => {
    const outcome = await decide(own, `# ours\n\n${own}\n${own}`, undefined);
    expect(outcome).toMatchObject({ kind: 'change', change: { summary: expect.stringContaining(PATH) as unknown } });
    const [action] = outcome.kind === 'change' ? outcome.change.actions : [];
    expect(action).toMatchObject({ kind: 'write-file', path: PATH, mode: '0644' });
    expect(action?.kind === 'write-file' ? action.content.reveal() : '').toBe(own);
  });

  test('and is left alone while it is there, although one of them is away', async () => {
    expect(await decide(own, own, own)).toEqual({ kind: 'unchanged' });
    expect(await decide(own, AWAY, own)).toEqual({ kind: 'unchanged' });
  });

  test('nobody alone decides what is trusted', async () => {
    await expect(decide(other, AWAY, own)).rejects.toMatchObject({ code: 'unreachable', host: 'cp-2' });
    await expect(decide(own, AWAY, undefined)).rejects.toMatchObject({ code: 'unreachable', host: 'cp-2' });
    await expect(decide(own, other, own)).rejects.toMatchObject({
      code: 'authorities-differ',
      message: expect.stringMatching(/on cp-1 and .* on cp-2 hold different authorities/) as unknown,
    });
  });

  test('a control plane that is not set up yet says nothing; where none is, kubeadm comes first', async () => {
    expect(await decide(own, NO_FILE, own)).toEqual({ kind: 'unchanged' });
    expect(await decide(own, NO_FILE, undefined)).toMatchObject({ kind: 'change' });
    expect(await decide(NO_FILE, NO_FILE, undefined)).toEqual({
      kind: 'unknown',
      because: `no host has ${CA} yet, which kubeadm makes`,
    });
  });

  test.each([
    ['one of them', () => decide(own, '', own)],
    ['all of them', () => decide('', '', own)],
  ])('a host without an authority is named: %s', async (_, decided) => {
    await expect(decided()).rejects.toMatchObject({ code: 'authority-missing' });
  });
});
