import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { overlayChanges, overlayDifference, type OverlayChange } from '../../src/lab/overlay.js';
import { EXIT } from '../../src/model/errors.js';
import { createHandMadeCluster, type HandMadeCluster } from '../support/hand-made-cluster.js';
import { describeOnLab, run, type Ended, type TestLab } from '../support/lab.js';
import { endOf, plannedChanges, runVerb, type JsonRun } from '../support/main-job.js';
import { signAsPrinted } from '../support/sign-as-printed.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];

type Overlays = readonly (readonly OverlayChange[])[];

async function overlays(lab: TestLab): Promise<Overlays> {
  return Promise.all(MEMBERS.map(async (host) => overlayChanges(await lab.host(host))));
}

/** What was written between two looks, without the data that etcd itself goes on writing. */
function written(before: Overlays, after: Overlays): readonly string[] {
  return MEMBERS.flatMap((host, index) =>
    overlayDifference(before[index] ?? [], after[index] ?? [])
      .filter(({ path }) => !path.startsWith('/var/lib/etcd/'))
      .map(({ path }) => `${host} ${path}`),
  );
}

describeOnLab('adopting an etcd that was made by hand, each member in another way', 'adopt', { etcd: 3 }, (lab) => {
  const directory = dirname(lab.files.inventory);
  const file = (name: string): string => join(directory, name);
  let made: HandMadeCluster;
  let before: Overlays;
  let after: Overlays;
  let unasked: Ended;
  let wroteUnasked: boolean;
  let first: Ended;
  let second: Ended;
  let plan: JsonRun;

  beforeAll(async () => {
    made = await createHandMadeCluster(lab);
    before = await overlays(lab);
    unasked = await lab.provision('adopt', lab.files.inventory);
    wroteUnasked = ['group_vars', 'host_vars', 'pki'].some((name) => existsSync(file(name)));
    first = await lab.provision('adopt', lab.files.inventory, '--yes');
    if (first.status !== 0) throw new Error(endOf(first));
    // With sudo and its password: what only root may see is seen all the same.
    second = await lab.provision('adopt', lab.files.becomeInventory, '--yes');
    after = await overlays(lab);
    plan = await runVerb(lab, 'plan');
  });

  test('writes nothing unasked', () => {
    expect(unasked.status).toBe(1);
    expect(unasked.stdout).toContain('create ');
    expect(unasked.stderr).toContain('give --yes');
    expect(wroteUnasked).toBe(false);
  });

  test('says what it found of each member', () => {
    expect(first.stdout).toMatch(/✔ etcd-process +etcd-1 .*unit etcd, .*configured by \/etc\/default\/etcd/);
    expect(first.stdout).toMatch(/✔ etcd-process +etcd-2 .*unit etcd, .*configured by flags/);
    expect(first.stdout).toMatch(
      /✔ etcd-process +etcd-3 .*unit etcd-member, .*configured by \/etc\/etcd\/etcd.conf.yml/,
    );
    expect(first.stdout).toMatch(/one cluster of 3 members/);
    expect(first.stdout).toMatch(/provision ca import .* --key [\s\S]*provision plan /);
  });

  test('writes what runs, with the place of each value', async () => {
    const shared = await readFile(file('group_vars/etcd.yaml'), 'utf8');
    expect(shared).toContain('\netcd_managed: false\n');
    expect(shared).toContain('\netcd_trusted_ca_file: /etc/ssl/etcd/certificate/ca.crt\n');
    const third = await readFile(file('host_vars/etcd-3.yaml'), 'utf8');
    expect(third).toContain('\netcd_member_name: etcd-3-dev\n');
    expect(third).toContain('\netcd_unit: etcd-member\n');
    const ofSecond = await readFile(file('host_vars/etcd-2.yaml'), 'utf8');
    const [, path = '', line = ''] =
      /# --cert-file in (\S+):(\d+) on etcd-2\netcd_cert_file: \/etc\/ssl\/etcd\/certificate\/etcd-2-dev_cert\.pem\n/.exec(
        ofSecond,
      ) ?? [];
    expect(path).toBe(made.configurationOf('etcd-2'));
    const there = await lab.ssh('etcd-2', `sed -n ${line}p ${path}`);
    expect(there.stdout).toContain('--cert-file=/etc/ssl/etcd/certificate/etcd-2-dev_cert.pem');
  });

  test("brings the authority's certificate into the store, and no key", async () => {
    expect((await readFile(file('pki/ca.crt'), 'utf8')).trim()).toBe(
      (await readFile(made.caCertificate, 'utf8')).trim(),
    );
    expect(existsSync(file('pki/ca.key.age'))).toBe(false);
  });

  test('has nothing to write the second time', () => {
    expect(second.status).toBe(0);
    expect(second.stdout).toContain('Nothing to write');
  });

  test('writes nothing on the hosts', async () => {
    expect(written(before, after)).toEqual([]);
    // The check can fail.
    await lab.ssh('etcd-2', 'touch /etc/planted');
    expect(written(after, await overlays(lab))).toContain('etcd-2 /etc/planted');
    await lab.ssh('etcd-2', 'rm /etc/planted');
  });

  test('makes a plan of what the load balancer needs, and nothing else', () => {
    const planned = plannedChanges(plan);
    const ofEtcd = planned.filter((line) => line.startsWith('etcd members / '));
    // Each member's own certificate gets further names, and the member is restarted with it.
    expect(ofEtcd.map((line) => line.replace(/: .*$/, '')).sort()).toEqual(
      MEMBERS.flatMap((host) => [
        `etcd members / ${host} / certificate:/etc/ssl/etcd/certificate/${host}-dev_cert.pem`,
        `etcd members / ${host} / etcd-member:${host}-dev`,
      ]),
    );
    const rest = planned.filter((line) => !ofEtcd.includes(line)).map((line) => line.split(' / ')[2] ?? line);
    expect(rest).toContain('file:/etc/haproxy/haproxy.cfg: create /etc/haproxy/haproxy.cfg (root:root 0644)');
    expect(
      rest.filter((line) => !/haproxy|keepalived|nonlocal_bind|virtual-ip|\/usr\/local\/lib\/provision/i.test(line)),
    ).toEqual([]);
  });

  test('and what the load balancer needs can be signed by an external CA, for the keys that the members have', async () => {
    const requested = await lab.provision('ca', 'request', lab.files.inventory, '--yes');
    for (const host of MEMBERS)
      expect(requested.stdout).toContain(`${host}: etcd-server, for the key that the host has\n`);
    expect(await signAsPrinted(requested, file('pki'), made.caKey)).toMatchObject({ status: 0 });
    const signed = await lab.provision('ca', 'request', lab.files.inventory, '--yes');
    expect(endOf(signed)).toContain('All are signed. Next: provision apply');
    expect((await run(['grep', '-rl', 'PRIVATE', file('pki')])).stdout).toBe('');
  });

  describe('writes nothing', () => {
    test('over what the inventory says: it tells the place and both values', async () => {
      const path = file('host_vars/etcd-3.yaml');
      const text = await readFile(path, 'utf8');
      const wrong = text.replace('etcd_data_dir: /var/lib/etcd/data', 'etcd_data_dir: /srv/etcd');
      await writeFile(path, wrong);
      const ended = await lab.provision('adopt', lab.files.inventory, '--yes');
      expect(await readFile(path, 'utf8')).toBe(wrong);
      await writeFile(path, text);
      expect(ended.status).toBe(1);
      expect(ended.stderr).toMatch(
        /host_vars\/etcd-3\.yaml:\d+:1: etcd_data_dir: "\/srv\/etcd", but etcd-3 runs with "\/var\/lib\/etcd\/data"/,
      );
    });

    test('while a member is down', async () => {
      const path = file('group_vars/etcd.yaml');
      const text = await readFile(path, 'utf8');
      await rm(path);
      await lab.ssh('etcd-2', 'systemctl stop etcd');
      const ended = await lab.provision('adopt', lab.files.inventory, '--yes');
      await lab.ssh('etcd-2', 'systemctl start etcd');
      const isThere = existsSync(path);
      await writeFile(path, text);
      expect(ended.status).toBe(1);
      expect(ended.stdout).toMatch(/✖ etcd-process +etcd-2 +etcd is not running here/);
      expect(ended.stdout).toMatch(/✔ member +etcd-1/);
      expect(isThere).toBe(false);
    });

    test('that would hold for another cluster too, whose inventory is in the same directory', async () => {
      const path = file('group_vars/etcd.yaml');
      const text = await readFile(path, 'utf8');
      await rm(path);
      await writeFile(file('other.yaml'), 'etcd:\n  hosts:\n    etcd-1: { ansible_host: 192.0.2.1 }\n');
      const ended = await lab.provision('adopt', lab.files.inventory, '--yes');
      const isThere = existsSync(path);
      await rm(file('other.yaml'));
      await writeFile(path, text);
      expect(ended.status).toBe(EXIT.unsafe);
      expect(ended.stderr).toMatch(/inventory\.yaml and \S*other\.yaml describe different clusters/);
      expect(isThere).toBe(false);
    });

    test('where a member is in the cluster that the inventory leaves out', async () => {
      const inventory = (await readFile(lab.files.inventory, 'utf8')).replace(/ {8}etcd-3:\n.*\n/, '');
      await writeFile(file('two.yaml'), inventory);
      const ended = await lab.provision('adopt', file('two.yaml'), '--yes');
      expect(ended.status).toBe(1);
      expect(ended.stdout).toMatch(/✖ cluster +member etcd-3-dev \(\S+\) is in the cluster, and no host/);
    });
  });
});
