import { describe, expect, test } from '@jest/globals';
import { changed, UNCHANGED, type Outcome, type Resource } from '../../../src/model/change.js';
import { restartedApiserver } from '../../../src/resources/restarted-static-pod.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { fixture } from '../../support/fixture.js';
import { shownChange } from '../../support/shown-change.js';

const PATH = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const CA = '/etc/kubernetes/pki/etcd/ca.crt';
const KUBEADM = fixture('manifests/kube-apiserver.yaml');
const CHANGES = changed({ summary: 'x', diff: [], actions: [], effect: 'change', disruptive: false });

interface Found {
  /** When the file was changed, and when each process was started. Seconds. */
  readonly changedAt?: number;
  readonly starts?: readonly number[];
  readonly trust?: Outcome;
  readonly text?: string | undefined;
}

async function planned(found: Found): Promise<Outcome> {
  const { changedAt = 100, starts = [200], trust = UNCHANGED } = found;
  const text = 'text' in found ? found.text : KUBEADM;
  const owned = { kind: 'file', owner: 'root', group: 'root', mode: '0600' };
  const resource: Resource = { address: `trust:${CA}`, paths: [CA], plan: () => Promise.resolve(trust) };
  const probe = fakeProbe({
    'file-contents': { [PATH]: text },
    'file-states': {
      [PATH]: text === undefined ? { kind: 'absent' } : { ...owned, changedAt: 1 },
      [CA]: { ...owned, changedAt },
    },
    'program-starts': { 'kube-apiserver': starts.map((startedAt, index) => ({ pid: index + 1, startedAt })) },
  });
  return restartedApiserver({ manifest: PATH }, [resource]).plan(probe);
}

function summaryOf(outcome: Outcome): readonly string[] {
  return outcome.kind === 'change' ? [outcome.change.summary, ...outcome.change.diff.slice(0, 1)] : [outcome.kind];
}

const RESTART = `restart kube-apiserver, by an annotation of ${PATH}`;

describe('a kube-apiserver', () => {
  test.each([
    ['runs with the file', {}, ['unchanged']],
    ['is older than the file', { changedAt: 300 }, [RESTART, `because ${CA} is newer than the running process`]],
    [
      'of two the older one counts',
      { starts: [200, 50] },
      [RESTART, `because ${CA} is newer than the running process`],
    ],
    ['will be older than the file', { trust: CHANGES }, [RESTART, `because ${CA} changes`]],
    ['does not run, and reads the file when it starts', { starts: [], changedAt: 300 }, ['unchanged']],
    [
      'does not run, and may be started before the file changes',
      { starts: [], trust: CHANGES },
      [RESTART, `because ${CA} changes`],
    ],
    ['is not set up', { text: undefined, trust: CHANGES }, ['unchanged']],
  ] as const)('%s', async (_, found, lines) => {
    expect(summaryOf(await planned(found))).toEqual(lines);
  });

  test('is replaced by the kubelet, and waited for: the new one, not the old', async () => {
    const outcome = await planned({ trust: CHANGES });
    if (outcome.kind !== 'change') throw new Error('nothing would be done');
    const { actions } = outcome.change;
    expect(shownChange(outcome)).toEqual([
      RESTART,
      `because ${CA} changes`,
      ...outcome.change.diff.slice(1),
      `write ${PATH} root:root 0600`,
      `wait for apiserver-ready {"runsWith":["${CA}"]}`,
      'clients notice',
    ]);
    expect(actions).toMatchObject([
      { kind: 'write-file', path: PATH, owner: 'root', mode: '0600', stagingDirectory: '/etc/kubernetes' },
      { kind: 'await', gate: 'apiserver-ready', parameters: { runsWith: [CA] } },
    ]);
    const [write] = actions;
    const text = write?.kind === 'write-file' ? write.content.reveal() : '';
    expect(text).toContain('provision/restarts: "1"');
    // Each restart says something else than the one before.
    const again = await planned({ trust: CHANGES, text });
    expect(JSON.stringify(again)).toContain('+    provision/restarts: \\"2\\"');
    expect(JSON.stringify(await planned({ trust: CHANGES, text: text.replace('"1"', '"x"') }))).toContain(
      '+    provision/restarts: \\"1\\"',
    );
  });
});
