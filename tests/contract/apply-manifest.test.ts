// What kubectl is given to apply, and to compare, in a real shell: it is a stand-in that writes down how it is called.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { manifestDiff } from '../../src/facts/manifest-diff.js';
import { applyManifest, keepAppliedObjects } from '../../src/shell/apply-manifest.js';
import { scriptHost, type ScriptHost } from '../support/script-host.js';

const MANIFEST = "kind: Pool\nname: it's %s \\n é\n";
const KUBECTL = 'kubectl --kubeconfig /etc/kubernetes/admin.conf --cache-dir /dev/null/none';
const MANAGER = '--server-side --field-manager=provision';

let host: ScriptHost;

beforeEach(() => {
  host = scriptHost('apply-manifest');
  host.program('sleep');
});

/** kubectl keeps what it reads, and then does this. */
function kubectl(lines: string): void {
  host.program(
    'kubectl',
    `cat >'${host.at('read')}'; printf '%s %s' "$TMPDIR" "$KUBECTL_EXTERNAL_DIFF" >'${host.at('env')}'\n${lines}`,
  );
}

describe('a manifest is applied', () => {
  const { script } = applyManifest('network.yaml', MANIFEST);
  const APPLY = `${KUBECTL} apply ${MANAGER} -f -`;
  const apply = () => host.run(script, MANIFEST);

  test('as this program, by the API server, and what kubectl prints then is nothing', () => {
    kubectl('echo pool/a serverside-applied');
    expect(apply()).toEqual({ status: 0, stdout: '', stderr: '', calls: [APPLY] });
    expect(host.text('read')).toBe(MANIFEST);
  });

  test('again, until a kind is known that it defines itself', () => {
    const tries = `echo x >>'${host.at('tries')}'; [ "$(grep -c x '${host.at('tries')}')" -ge 3 ]`;
    kubectl(`${tries} || { echo 'error: no matches for kind "Pool"' >&2; exit 1; }`);
    expect(apply()).toMatchObject({ status: 0, stderr: '', calls: [APPLY, 'sleep 1', APPLY, 'sleep 1', APPLY] });
  });

  test('not for ever, and then it says what was said last', () => {
    kubectl(`echo 'no matches for kind "Pool"'; exit 1`);
    const { status, stderr, calls } = apply();
    expect([status, stderr]).toEqual([1, 'no matches for kind "Pool"\n']);
    expect(calls.filter((call) => call === APPLY)).toHaveLength(30);
  });

  test('once, where it is refused: the reason is shown, without what was applied', () => {
    kubectl(`echo 'pool/a serverside-applied'; echo 'Apply failed with 1 conflict'; exit 1`);
    expect(apply()).toEqual({ status: 1, stdout: '', stderr: 'Apply failed with 1 conflict\n', calls: [APPLY] });
  });
});

test('what was applied is noted in the cluster, a line an object, whoever had set the list', () => {
  kubectl('echo noise');
  const { script, stdin } = keepAppliedObjects(['v1 ConfigMap a b', 'net/v1 Pool  c']);
  const text = typeof stdin === 'string' ? stdin : '';
  const ended = host.run(script, text);
  const words = `${KUBECTL} --request-timeout=30s apply ${MANAGER} --force-conflicts -f -`;
  expect(ended).toEqual({ status: 0, stdout: '', stderr: '', calls: [words] });
  expect(JSON.parse(host.text('read') ?? '')).toEqual({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'kube-system', name: 'provision-network' },
    data: { objects: 'v1 ConfigMap a b\nnet/v1 Pool  c' },
  });
  kubectl('exit 1');
  expect(host.run(script, text).status).toBe(1);
});

describe('what an apply would come to', () => {
  /** What each of two manifests would come to. */
  function diff(lines: string) {
    kubectl(lines);
    const keys = [MANIFEST, 'kind: Other\n'];
    const ended = host.run(manifestDiff.script(keys));
    const found = manifestDiff.parse(ended.stdout, keys);
    return { ...ended, found: keys.map((key) => found.get(key)) };
  }

  test('is asked for each, with all lines, and nothing of it lies where others can read it', () => {
    const { status, calls, found } = diff(
      `cp '${host.at('read')}' '${host.at('read-')}'"$(wc -c <'${host.at('read')}')"`,
    );
    expect(status).toBe(0);
    expect(calls).toEqual(Array(2).fill(`${KUBECTL} --request-timeout=30s diff ${MANAGER} -f -`));
    expect(host.text(`read-${Buffer.byteLength(MANIFEST)}`)).toBe(MANIFEST);
    expect(host.text('read')).toBe('kind: Other\n');
    expect(host.text('env')).toBe('/run diff -N -U999999');
    expect(found).toEqual(Array(2).fill({ kind: 'compared', objects: [] }));
  });

  test('is each its own answer: a difference, and a failure on stderr', () => {
    const { found } =
      diff(`if grep -q Pool '${host.at('read')}'; then printf 'diff -N -U999999 /run/LIVE-1/v1.Pool..a /run/MERGED-1/v1.Pool..a\\n--- /run/LIVE-1/x\\n+++ /run/MERGED-1/x\\n@@ -1 +1 @@\\n-a: 1\\n+a: 2\\n'; exit 1; fi
echo 'error: no route' >&2; exit 2`);
    expect(found).toEqual([
      { kind: 'compared', objects: [{ name: 'v1.Pool..a', before: 'a: 1\n', after: 'a: 2\n' }] },
      { kind: 'failed', reason: 'error: no route' },
    ]);
  });
});
