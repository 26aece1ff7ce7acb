import { beforeAll, expect, test } from '@jest/globals';
import { apiserverVip, BESIDE_ETCD, inventoryWithVip } from '../support/apiserver-vip.js';
import { powerCut, startHost } from '../../src/lab/faults.js';
import { waitUntil } from '../../src/lab/process.js';
import { kubectl, LAB_SETTINGS, until, WEB } from '../support/kubernetes-cluster.js';
import { describeOnLab } from '../support/lab.js';
import { endOf, holdersOf, runVerb, verifyUntil, vipOf } from '../support/main-job.js';
import { apiWay, longestGapMs, lostWrites, startWriters, type Writers, type Written } from '../support/writers.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const HOSTS = [...MEMBERS, 'cp-1', 'cp-2', 'worker-1'];

/** How long one power cut was felt through the virtual IP of the API. */
interface Cut {
  readonly host: string;
  /** What it held: virtual IPs, of etcd and of the API. */
  readonly held: readonly string[];
  readonly at: number;
  /** When all was healthy again, the host back. */
  readonly until: number;
}

/** Longer than any gap that clients would call one, on a busy machine. */
const GAP_MS = 60_000;
/** After a cut the API has to answer so often before the host gets its power back. */
const ANSWERS = 50;

describeOnLab(
  'a Kubernetes that loses one host after the other',
  'cuts',
  { etcd: 3, controlPlanes: 2, workers: 1, kubernetes: 'real' },
  (lab) => {
    let inventory = '';
    const vips: Record<string, string> = {};

    beforeAll(async () => {
      const vip = await apiserverVip(lab);
      Object.assign(vips, { etcd: await vipOf(lab), API: vip });
      inventory = await inventoryWithVip(lab, 'cuts', vip, { ...BESIDE_ETCD, variables: LAB_SETTINGS });
      const applied = await runVerb(lab, 'apply', inventory, '--playbook', 'kubernetes');
      if (applied.status !== 0) throw new Error(endOf(applied));
      await lab.onControlSide(['ssh', '-F', lab.files.sshConfig, 'cp-1', kubectl('apply -f -')], WEB);
      await until(lab, 'cp-1', kubectl('rollout status deployment web --timeout=1s'));
    });

    async function heldBy(host: string): Promise<readonly string[]> {
      const holders = await Promise.all(Object.values(vips).map(async (vip) => holdersOf(lab, MEMBERS, vip)));
      return Object.keys(vips).filter((_, index) => holders[index]?.includes(host));
    }

    /** The host is off until the API has answered again for a while; then all comes back by itself. */
    async function cut(host: string, writers: Writers): Promise<Cut> {
      const held = await heldBy(host);
      const handle = await lab.host(host);
      const at = Date.now();
      await powerCut(handle);
      const before = writers.count('vip');
      if (!(await waitUntil(async () => Promise.resolve(writers.count('vip') >= before + ANSWERS), 120_000, 100)))
        throw new Error(`without ${host} the API does not answer through its virtual IP`);
      await startHost(handle);
      await until(lab, 'cp-1', `test "$(${kubectl('get nodes --no-headers')} | grep -cw Ready)" = 3`);
      const verified = await verifyUntil(lab, inventory);
      if (verified.status !== 0) throw new Error(`after ${host} came back: ${endOf(verified)}`);
      return { host, held, at, until: Date.now() };
    }

    /** Through the cut and the return. */
    function gapMs(done: Written, { at, until: end }: Cut): number {
      const near = done.acknowledged.filter((each) => each.at > at - 2_000 && each.at <= end);
      return longestGapMs({ ...done, acknowledged: near });
    }

    test('each in turn: the API answers on through its virtual IP, nothing acknowledged is lost, all comes back', async () => {
      const way = {
        ...(await apiWay(lab, 'vip', ['cp-1', 'cp-2'])),
        endpoints: [`https://${vips['API'] ?? ''}:8443`],
      };
      const writers = await startWriters(lab, 'cuts', [way]);
      const cuts: Cut[] = [];
      let written: readonly Written[] = [];
      try {
        for (const host of HOSTS) cuts.push(await cut(host, writers));
      } finally {
        written = await writers.stop();
      }
      const [done] = written;
      if (done === undefined) throw new Error('nobody wrote');
      const gaps = cuts.map((each) => gapMs(done, each));
      const rows = cuts.map(({ host, held, at, until: end }, index) => {
        const what = held.length === 0 ? '–' : held.join(', ');
        return `| ${host} | ${what} | ${((gaps[index] ?? 0) / 1000).toFixed(1)} s | ${((end - at) / 1000).toFixed(0)} s |`;
      });
      console.log(
        ['| power cut of | it held | the API was away | all healthy again after |', '| - | - | - | - |', ...rows].join(
          '\n',
        ),
      );
      expect(gaps.filter((gap) => gap > GAP_MS)).toEqual([]);
      expect(await lostWrites(lab, 'cuts', [way], written)).toEqual([]);
      const ask = kubectl('exec deployment/web -- curl -sS -m 3 http://web.default.svc/');
      await until(lab, 'cp-1', ask);
    });
  },
);
