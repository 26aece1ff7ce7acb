import { beforeAll, expect, test } from '@jest/globals';
import { waitUntil } from '../../src/lab/process.js';
import { PREPARE_NODE, until } from '../support/kubernetes-cluster.js';
import { describeOnLab, type LabShape, type TestLab } from '../support/lab.js';
import { must } from '../support/main-job.js';

// One suite for the lab's stand-in and for the real kubelet, alone on a host: what is built on the one must hold on the other.

const MANIFESTS = '/etc/kubernetes/manifests';
/** The kubelet looks at the whole directory every 20 s (fileCheckFrequency); for a machine ten times slower than this one. */
const PATIENCE_MS = 120_000;

/** A real kubelet that nobody tells anything but its directory of manifests. */
const ALONE = `set -eu
mkdir -p /etc/systemd/system/kubelet.service.d /var/lib/kubelet
printf '[Service]\\nEnvironment="KUBELET_KUBECONFIG_ARGS="\\n' > /etc/systemd/system/kubelet.service.d/20-alone.conf
echo 'KUBELET_KUBEADM_ARGS="--container-runtime=remote --container-runtime-endpoint=unix:///run/containerd/containerd.sock"' > /var/lib/kubelet/kubeadm-flags.env
printf '%s\\n' 'apiVersion: kubelet.config.k8s.io/v1beta1' 'kind: KubeletConfiguration' 'authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}' \\
  'authorization: {mode: AlwaysAllow}' 'staticPodPath: ${MANIFESTS}' 'cgroupDriver: cgroupfs' > /var/lib/kubelet/config.yaml
systemctl daemon-reload
systemctl restart kubelet`;

interface Kind {
  readonly title: string;
  readonly suffix: string;
  readonly shape: LabShape;
  readonly setUp: (lab: TestLab) => Promise<unknown>;
  /** What becomes of its pods when it is started again. */
  readonly atRestart: 'are left alone' | 'end with it';
  /** The first time that a process crashes: the stand-in pauses as the kubelet does after the second. */
  readonly firstCrash: 'at once' | 'after a pause';
  /** Of two files that say the same pod: which one the kubelet takes is not said anywhere. */
  readonly sameName: 'one runs' | 'both run';
}

const KINDS: readonly Kind[] = [
  {
    ...{ title: 'the stand-in for the kubelet', suffix: 'standin', atRestart: 'end with it' },
    ...{ firstCrash: 'after a pause', sameName: 'both run' },
    shape: { controlPlanes: 1, crashPauses: 'kubelet' },
    // Its own pod needs an etcd.
    setUp: async (lab) => must(lab.ssh('cp-1', `rm ${MANIFESTS}/*`)),
  },
  {
    ...{ title: 'the kubelet', suffix: 'kubelet', atRestart: 'are left alone' },
    ...{ firstCrash: 'at once', sameName: 'one runs' },
    shape: { controlPlanes: 1, kubernetes: 'real' },
    setUp: async (lab) => must(lab.ssh('cp-1', `${PREPARE_NODE}\n${ALONE}`)),
  },
];

/** A pod of one process, which a search on the host finds by its number. */
interface Pod {
  readonly name: string;
  readonly seconds: number;
  readonly comment?: string;
  /** It does not end when it is told to. */
  readonly isStubborn?: true;
  readonly graceS?: number;
}

function manifestOf({ name, seconds, comment = 'first', isStubborn, graceS = 1 }: Pod): string {
  const command =
    isStubborn === undefined ? ['sleep', String(seconds)] : ['sh', '-c', `trap '' TERM; exec sleep ${seconds}`];
  return `# ${comment}
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: default}
spec:
  hostNetwork: true
  terminationGracePeriodSeconds: ${graceS}
  containers:
  - {name: main, image: 'lab.invalid/busybox:1', command: ${JSON.stringify(command)}}
`;
}

/** Notes how many of both run, the old and the new, until only the new one does. */
const SAMPLER = `rm -f /run/sampled; timeout 120 sh -c '
until [ "$now" = "0 1" ]; do now="$(pgrep -fxc "sleep 7011") $(pgrep -fxc "sleep 7012")"; echo "$now" >>/run/sampled; done'; sort -u /run/sampled`;

for (const { title, suffix, shape, setUp, atRestart, firstCrash, sameName } of KINDS)
  describeOnLab(title, suffix, shape, (lab) => {
    beforeAll(async () => setUp(lab));

    /** As this program writes manifests: from outside, by a rename. */
    async function write(file: string, text: string): Promise<void> {
      const script = `cat > /etc/kubernetes/new && mv /etc/kubernetes/new ${MANIFESTS}/${file}`;
      await must(lab.onControlSide(['ssh', '-F', lab.files.sshConfig, '-l', 'root', 'cp-1', script], text));
    }
    const remove = async (...files: readonly string[]): Promise<unknown> =>
      must(lab.ssh('cp-1', `cd ${MANIFESTS} && rm ${files.join(' ')}`));

    const processes = async (seconds: number): Promise<readonly string[]> =>
      (await lab.ssh('cp-1', `pgrep -fx 'sleep ${seconds}'`)).stdout.split('\n').filter((pid) => pid !== '');

    /** Waits until there are so many; what there is then. */
    async function become(seconds: number, count: number): Promise<readonly string[]> {
      const isSo = async (): Promise<boolean> => (await processes(seconds)).length === count;
      if (await waitUntil(isSo, PATIENCE_MS, 100)) return processes(seconds);
      throw new Error(`${(await processes(seconds)).length} processes, not ${count}: sleep ${seconds}`);
    }

    /** A pod of another file, which is seen in the same look at the directory as what was done before, or in a later one. */
    async function untilLooked(seconds: number): Promise<void> {
      await write('look.yaml', manifestOf({ name: 'look', seconds }));
      await become(seconds, 1);
      await remove('look.yaml');
      await become(seconds, 0);
    }

    test('a manifest that is there runs, replaced it is another process, removed it ends', async () => {
      await write('one.yaml', manifestOf({ name: 'one', seconds: 7001 }));
      await become(7001, 1);
      await write('one.yaml', manifestOf({ name: 'one', seconds: 7002 }));
      await become(7002, 1);
      await become(7001, 0);
      await remove('one.yaml');
      await become(7002, 0);
    });

    test('a pod that is replaced runs on beside the new one, while it ends', async () => {
      const old: Pod = { name: 'slow', seconds: 7011, isStubborn: true, graceS: 30 };
      await write('slow.yaml', manifestOf(old));
      await become(7011, 1);
      // On the host, for the two may be beside each other for a short time only.
      const seen = lab.ssh('cp-1', SAMPLER);
      await until(lab, 'cp-1', 'test -s /run/sampled');
      await write('slow.yaml', manifestOf({ ...old, seconds: 7012, graceS: 1 }));
      expect((await seen).stdout.split('\n')).toContain('1 1');
      expect([await processes(7011), await processes(7012)]).toEqual([[], [expect.any(String)]]);
      await remove('slow.yaml');
      await become(7012, 0);
    });

    test(`a comment, or a dot file, changes nothing; another pod beside it is a second one; of two that are the same ${sameName}`, async () => {
      await write('quiet.yaml', manifestOf({ name: 'quiet', seconds: 7021 }));
      const [first = ''] = await become(7021, 1);
      await write('quiet.yaml', manifestOf({ name: 'quiet', seconds: 7021, comment: 'second' }));
      await must(lab.ssh('cp-1', `cp ${MANIFESTS}/quiet.yaml ${MANIFESTS}/.quiet.yaml`));
      await untilLooked(7022);
      expect(await processes(7021)).toEqual([first]);
      await write('quiet.yaml.bak', manifestOf({ name: 'other', seconds: 7021 }));
      expect(await become(7021, 2)).toContain(first);
      await write('quiet.yaml.bak', manifestOf({ name: 'quiet', seconds: 7021 }));
      await untilLooked(7023);
      await become(7021, sameName === 'one runs' ? 1 : 2);
      await remove('quiet.yaml', 'quiet.yaml.bak', '.quiet.yaml');
      await become(7021, 0);
    });

    test('a broken manifest is a pod that is gone, at the next look at all of them; repaired it runs again', async () => {
      const whole = manifestOf({ name: 'broken', seconds: 7031 });
      await write('broken.yaml', whole);
      await become(7031, 1);
      await write('broken.yaml', whole.replace('spec:', '  - spec'));
      await become(7031, 0);
      await untilLooked(7032);
      await write('broken.yaml', whole);
      await become(7031, 1);
      await remove('broken.yaml');
      await become(7031, 0);
    });

    test(`what crashes is started again: ${firstCrash}, the second time after ten seconds at least`, async () => {
      await write('crash.yaml', manifestOf({ name: 'crash', seconds: 7041 }));
      const [first = ''] = await become(7041, 1);
      const again = async (old: string): Promise<readonly [pid: string, ms: number]> => {
        const begun = Date.now();
        await lab.ssh('cp-1', `kill -9 ${old}`);
        let [now = ''] = await processes(7041);
        const isNew = async (): Promise<boolean> => {
          [now = ''] = await processes(7041);
          return now !== '' && now !== old;
        };
        if (!(await waitUntil(isNew, PATIENCE_MS, 100))) throw new Error('it was not started again');
        return [now, Date.now() - begun];
      };
      const [second, firstMs] = await again(first);
      const [, secondMs] = await again(second);
      console.log(`${title}: started again after ${firstMs} ms, then after ${secondMs} ms`);
      expect([firstMs > 9_000, secondMs > 9_000]).toEqual([firstCrash === 'after a pause', true]);
      await remove('crash.yaml');
      await become(7041, 0);
    });

    test(`its pods ${atRestart} when it is started again, and run afterwards`, async () => {
      await write('stays.yaml', manifestOf({ name: 'stays', seconds: 7051 }));
      const [before = ''] = await become(7051, 1);
      await must(lab.ssh('cp-1', 'systemctl restart kubelet'));
      await untilLooked(7052);
      const [after = ''] = await become(7051, 1);
      expect(after === before).toBe(atRestart === 'are left alone');
      await remove('stays.yaml');
      await become(7051, 0);
    });
  });
