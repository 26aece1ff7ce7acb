import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestLab } from './lab.js';
import { must } from './main-job.js';

/** How a host of the lab packs what its packages brought as upstream releases it. */
const PACKED = {
  containerd: 'tar -C /usr -czf - bin/containerd bin/containerd-shim-runc-v2 bin/ctr',
  runc: 'cat /usr/sbin/runc',
  cni: 'cd /usr/lib/cni && tar -czf - ./*',
} as const;

/** Files beside the inventory as upstream would release them, and the variables that name them. */
export async function runtimeReleases(lab: TestLab, host: string): Promise<readonly string[]> {
  const place = dirname(lab.files.inventory);
  const named = Object.entries(PACKED).map(async ([product, command]) => {
    const file = join(place, `${product}.release`);
    await must(
      lab.onControlSide(['sh', '-c', `ssh -F '${lab.files.sshConfig}' -l root ${host} '${command}' > '${file}'`]),
    );
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
    return [`kube_cluster_${product}_release: ${file}`, `kube_cluster_${product}_sha256: ${sha256}`];
  });
  return (await Promise.all(named)).flat();
}
