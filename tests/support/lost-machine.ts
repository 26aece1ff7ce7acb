import { powerCut, replaceMachine } from '../../src/lab/faults.js';
import { waitUntil } from '../../src/lab/process.js';
import type { TestLab } from './lab.js';
import { etcdctl, vipOf } from './main-job.js';

/**
 * The machine of a member is lost, and a bare one is put in its place; waits until the others serve at the virtual IP.
 * @param asker the host of another member
 * @returns the old one's files
 */
export async function loseMachine(lab: TestLab, name: string, asker = 'etcd-1'): Promise<string> {
  const host = await lab.host(name);
  await powerCut(host);
  const old = await replaceMachine(host);
  await othersServe(lab, name, asker);
  return old;
}

/** The machine of a member is lost; waits until the others serve at the virtual IP. */
export async function losePower(lab: TestLab, name: string, asker = 'etcd-1'): Promise<void> {
  await powerCut(await lab.host(name));
  await othersServe(lab, name, asker);
}

async function othersServe(lab: TestLab, name: string, asker: string): Promise<void> {
  const health = etcdctl(`https://${await vipOf(lab)}:2379`, 'endpoint health');
  const serve = await waitUntil(async () => (await lab.ssh(asker, health)).status === 0, 180_000, 300);
  if (!serve) throw new Error(`${name} is lost, and the others do not serve at the virtual IP within three minutes`);
}
