import { beforeAll, expect, test } from '@jest/globals';
import { waitUntil } from '../../src/lab/process.js';
import { adopt, createHandMadeCluster, memberctl, type HandMadeCluster } from '../support/hand-made-cluster.js';
import { aSecond, authorityOf, expireCertificate } from '../support/expire-certificate.js';
import { describeOnLab } from '../support/lab.js';
import {
  endOf,
  inventoryWith,
  performedChanges,
  plannedChanges,
  runVerb,
  vipOf,
  type JsonRun,
} from '../support/main-job.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const certificateOf = (host: string): string => `/etc/ssl/etcd/certificate/${host}-dev_cert.pem`;

describeOnLab('what goes wrong while an existing cluster is moved', 'migfault', { etcd: 3 }, (lab) => {
  let vip: string;
  let made: HandMadeCluster;
  let onAllAddresses: JsonRun;

  async function onAll(script: (host: string) => string): Promise<readonly string[]> {
    const ended = await Promise.all(MEMBERS.map(async (host) => lab.ssh(host, script(host))));
    return ended.map(({ stdout }) => stdout.trim());
  }

  const isHealthy = async (): Promise<boolean> =>
    (await lab.ssh('etcd-1', memberctl('etcd-1', `--endpoints=${made.endpoints.join(',')} endpoint health`))).status ===
    0;

  const processes = async (): Promise<readonly string[]> =>
    onAll((host) => `systemctl show -P MainPID ${made.unitOf(host)}`);

  const certificates = async (): Promise<readonly string[]> => onAll((host) => `sha256sum ${certificateOf(host)}`);

  /** A change of every member's certificate, whatever has been done before. */
  const inventoryWithName = async (name: string): Promise<string> =>
    inventoryWith(lab, name, [`etcd_cert_alt_names: [${name}.example]`]);

  async function expectHealthy(): Promise<void> {
    expect(await waitUntil(isHealthy, 60_000, 500)).toBe(true);
  }

  async function expectFinishes(inventory: string): Promise<void> {
    expect(endOf(await runVerb(lab, 'apply', inventory))).toMatch(/^status 0/);
    expect(plannedChanges(await runVerb(lab, 'plan', inventory))).toEqual([]);
  }

  beforeAll(async () => {
    vip = await vipOf(lab);
    made = await createHandMadeCluster(lab, { listen: '0.0.0.0' });
    await adopt(lab, made);
    onAllAddresses = await runVerb(lab, 'plan');
    // What the message says is done by hand, as the cluster is not ours.
    await onAll(
      (host) => `sed -i 's,https://0.0.0.0:2379,https://${made.addressOf(host)}:2379,' ${made.configurationOf(host)}`,
    );
    await onAll((host) => `systemctl daemon-reload; systemctl restart ${made.unitOf(host)}`);
    await expectHealthy();
    await expectFinishes(lab.files.inventory);
  });

  test.each<[string, readonly string[], (unit: string) => string]>([
    ['of one member have expired', ['etcd-2'], () => 'true'],
    [
      'of all members have expired, and each was restarted since',
      MEMBERS,
      (unit) => `systemctl restart --no-block ${unit}`,
    ],
  ])('certificates %s: one apply renews them', async (_, hosts, since) => {
    const authority = await authorityOf(made.caCertificate, made.caKey);
    await Promise.all(
      hosts.map(async (host) => {
        await expireCertificate(lab, { host, path: certificateOf(host) }, authority, aSecond());
        await lab.ssh(host, since(made.unitOf(host)));
      }),
    );
    const renewed = await runVerb(lab, 'apply', '--gate-timeout', '60');
    expect(endOf(renewed)).toMatch(/^status 0/);
    const done = performedChanges(renewed).filter((line) => / certificate:/.test(line));
    expect(done.map((line) => line.split(' / ')[1]).sort()).toEqual(hosts);
    expect(plannedChanges(await runVerb(lab, 'plan'))).toEqual([]);
    await expectHealthy();
  });

  test('etcd that listens on all addresses of a balancer is refused while planning, with what to do', () => {
    expect(onAllAddresses.status).toBe(1);
    expect(onAllAddresses.events.at(-1)).toMatchObject({
      type: 'run-failed',
      message: 'planning failed: nothing was changed',
      failures: MEMBERS.map((host) => ({
        host,
        message: `haproxy cannot listen on ${vip}:2379: etcd on *:2379 listens there already`,
      })),
      hint: expect.stringContaining("listen on the node's own address only") as unknown,
    });
  });

  test('while a member is down no other one is touched', async () => {
    const inventory = await inventoryWithName('down');
    await lab.ssh('etcd-2', `systemctl stop ${made.unitOf('etcd-2')}`);
    const before = [await processes(), await certificates()];
    const refused = await runVerb(lab, 'apply', inventory, '--limit', 'etcd-3', '--gate-timeout', '3');
    expect(refused.status).toBe(1);
    expect(refused.stdout).toMatch(/gate etcd-can-spare-batch did not open within [3-9] s: .*etcd-2 does not answer/);
    expect(performedChanges(refused)).toEqual([]);
    expect([await processes(), await certificates()]).toEqual(before);
    // Without a limit the member that is down comes first: it is started, and then the others may go.
    await expectFinishes(inventory);
    await expectHealthy();
  });

  test('a member that does not start with its new certificate gets the old one back, and no other one is touched', async () => {
    const inventory = await inventoryWithName('pinned');
    // Units that start only with the certificates that their owners have pinned.
    await onAll((host) => {
      const dropIn = `/etc/systemd/system/${made.unitOf(host)}.service.d`;
      const check = '[Service]\\nExecStartPre=/usr/bin/sha256sum --check --quiet /etc/ssl/etcd/pinned\\n';
      return `sha256sum ${certificateOf(host)} > /etc/ssl/etcd/pinned; mkdir -p ${dropIn}; printf '${check}' > ${dropIn}/pinned.conf; systemctl daemon-reload`;
    });
    const [running, files] = [await processes(), await certificates()];
    const failed = await runVerb(lab, 'apply', inventory);
    expect(failed.status).toBe(1);
    expect(await certificates()).toEqual(files);
    await expectHealthy();
    const after = await processes();
    const touched = MEMBERS.filter((_, index) => running[index] !== after[index]);
    expect(touched).toHaveLength(1);
    const [host = ''] = touched;
    expect(failed.events.at(-1)).toMatchObject({
      type: 'run-failed',
      message: 'play etcd members stopped; no later host was touched',
      failures: [{ host, message: expect.stringContaining('1 computed checksum did NOT match') as unknown }],
      hint: expect.stringContaining('run the same command again') as unknown,
    });
    const undone = failed.events.flatMap((event) => (event.type === 'rolled-back' ? [event.summary] : []));
    expect(undone).toEqual(['put the old etcd-server certificate back', `systemctl restart ${made.unitOf(host)}`]);
    expect(failed.events).toContainEqual(
      expect.objectContaining({ type: 'notice', host, message: expect.stringContaining('rolled back') as unknown }),
    );
    await onAll((each) => `rm -r /etc/systemd/system/${made.unitOf(each)}.service.d; systemctl daemon-reload`);
    await expectFinishes(inventory);
  });
});
