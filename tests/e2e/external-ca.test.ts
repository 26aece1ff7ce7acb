import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { overlayChanges, overlayDifference, type OverlayChange } from '../../src/lab/overlay.js';
import { aSecond, authorityOf, expireCertificate } from '../support/expire-certificate.js';
import { describeOnLab, run, type Ended } from '../support/lab.js';
import {
  endOf,
  etcdctl,
  performedChanges,
  plannedChanges,
  runVerb,
  unhealthyThrough,
  vipOf,
  type JsonRun,
} from '../support/main-job.js';
import { signAsPrinted } from '../support/sign-as-printed.js';

const HOSTS = ['etcd-1', 'etcd-2', 'etcd-3'] as const;
const KEYS = ['server.key', 'peer.key', 'client.key'].map((name) => `/etc/etcd/pki/${name}`);

/** Makes a CA that knows nothing of this program. */
async function makeAuthority(directory: string, name: string): Promise<void> {
  const words = ['-days', '3650', '-subj', `/O=Example/CN=${name}`, '-addext', 'keyUsage=critical,keyCertSign'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${directory}/${name}.key`];
  expectDone(await run(['openssl', 'req', '-x509', ...key, ...words, '-out', `${directory}/${name}.crt`]));
}

function expectDone(ended: Ended): void {
  if (ended.status !== 0) throw new Error(endOf(ended));
}

describeOnLab('certificates signed by an external CA', 'signed', { etcd: 3 }, (lab) => {
  const directory = dirname(lab.files.inventory);
  const store = join(directory, 'pki');
  const authorities = `${directory}-authorities`;
  const savedPlan = join(directory, 'plan.json');
  let imported: Ended;
  let requested: Ended;
  let unrequested: JsonRun;
  let planned: JsonRun;
  let wronglySigned: JsonRun;
  let applied: JsonRun;
  let again: JsonRun;
  /** `host path` of what was written by each step. */
  let byRefusal: readonly string[];
  let byRequest: readonly string[];
  let byWrong: readonly string[];

  async function overlays(): Promise<readonly (readonly OverlayChange[])[]> {
    return Promise.all(HOSTS.map(async (host) => overlayChanges(await lab.host(host))));
  }

  async function writtenBy(step: () => Promise<void>): Promise<readonly string[]> {
    const before = await overlays();
    await step();
    const after = await overlays();
    return HOSTS.flatMap((host, index) =>
      overlayDifference(before[index] ?? [], after[index] ?? []).map(({ path }) => `${host} ${path}`),
    );
  }

  const companyKey = `${authorities}/company.key`;

  async function signWrongly(name: string, words: readonly string[]): Promise<void> {
    const path = join(store, 'requests', name);
    expectDone(await run(['openssl', 'x509', '-req', '-in', `${path}.csr`, ...words, '-out', `${path}.crt`]));
  }

  beforeAll(async () => {
    await mkdir(authorities);
    await Promise.all([makeAuthority(authorities, 'company'), makeAuthority(authorities, 'stranger')]);
    imported = await lab.provision('ca', 'import', store, '--certificate', `${authorities}/company.crt`);
    byRefusal = await writtenBy(async () => {
      unrequested = await runVerb(lab, 'apply');
    });
    byRequest = await writtenBy(async () => {
      requested = await lab.provision('ca', 'request', lab.files.inventory, '--yes');
    });
    planned = await runVerb(lab, 'plan', '-o', savedPlan);
    expectDone(await signAsPrinted(requested, store, companyKey));
    const authority = (name: string): string[] => [
      '-CA',
      `${authorities}/${name}.crt`,
      '-CAkey',
      `${authorities}/${name}.key`,
    ];
    await signWrongly('etcd-1/etcd-server', [...authority('stranger'), '-copy_extensions', 'copy']);
    await signWrongly('etcd-2/etcd-peer', [...authority('company'), '-days', '90']);
    byWrong = await writtenBy(async () => {
      wronglySigned = await runVerb(lab, 'apply', '--plan', savedPlan);
    });
    expectDone(await signAsPrinted(requested, store, companyKey));
    const begun = Date.now();
    applied = await runVerb(lab, 'apply', '--plan', savedPlan);
    console.log(`a cluster with certificates signed by an external CA: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
    if (applied.status !== 0) throw new Error(endOf(applied));
    again = await runVerb(lab, 'plan', '--detailed-exitcode');
  });

  afterAll(() => rm(authorities, { recursive: true, force: true }));

  test('the certificate of the authority comes without its key', async () => {
    expect(imported).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('its key stays with the external CA'),
    });
    const shown = await lab.provision('ca', 'show', store);
    expect(shown.stdout).toMatch(/^private key: +external/m);
    expect((await run(['ls', store])).stdout.split('\n')).not.toContain('ca.key.age');
  });

  test('without requests apply refuses, names each certificate and the command, and touches no host', () => {
    expect(unrequested.status).toBe(1);
    expect(unrequested.stdout).toContain('an external CA signs 12 certificates, of which 12 cannot be used');
    expect(unrequested.stdout).toContain('provision ca request INVENTORY');
    expect(byRefusal).toEqual([]);
  });

  test('the request makes keys that wait on their hosts, and changes nothing else', () => {
    expect(requested.status).toBe(0);
    const names = ['etcd-server', 'etcd-peer', 'etcdctl-client', 'haproxy-healthcheck-client'].sort();
    const paths = ['', '/requests', ...names.map((name) => `/requests/${name}.key`)];
    expect([...byRequest].filter((line) => !line.endsWith(' /var/lib')).sort()).toEqual(
      HOSTS.flatMap((host) => paths.map((path) => `${host} /var/lib/provision${path}`)),
    );
  });

  test('what was signed by a stranger, or without its names, is refused before any host is touched', () => {
    expect(wronglySigned.status).toBe(1);
    expect(wronglySigned.stdout).toContain('an external CA signs 12 certificates, of which 2 cannot be used');
    expect(wronglySigned.stdout).toMatch(/etcd-1, etcd-server: [^\n]*not signed by this cluster's authority/);
    expect(wronglySigned.stdout).toMatch(/etcd-2, etcd-peer: [^\n]*SAN DNS etcd-2 missing/);
    expect(byWrong).toEqual([]);
  });

  test('the plan that was saved before signing is applied after it, and nothing is left to do', async () => {
    expect(performedChanges(applied)).toHaveLength(plannedChanges(planned).length);
    expect(again).toMatchObject({ status: 0 });
    expect(plannedChanges(again)).toEqual([]);
    const health = etcdctl(`https://${await vipOf(lab)}:2379`, 'endpoint health --cluster');
    expect((await lab.ssh('etcd-1', health)).stderr.match(/is healthy/g)).toHaveLength(3);
    const issuers = await lab.ssh(
      'etcd-3',
      'openssl x509 -in /etc/etcd/pki/server.crt -noout -issuer -ext subjectAltName',
    );
    expect(issuers.stdout).toContain('CN = company');
    expect(issuers.stdout).toContain(await vipOf(lab));
    const waiting = await Promise.all(HOSTS.map(async (host) => lab.ssh(host, 'ls -A /var/lib/provision/requests')));
    expect(waiting.map(({ status, stdout }) => `${status}${stdout}`)).toEqual(['0', '0', '0']);
  });

  test('a further name is asked for with the key that the host has; the old certificate does not pass for it', async () => {
    const inventory = join(directory, 'wider.yaml');
    const text = await readFile(lab.files.inventory, 'utf8');
    await writeFile(inventory, text.replace('  vars:\n', '  vars:\n    etcd_cert_alt_names: [more.example.org]\n'));
    const stale = await runVerb(lab, 'apply', inventory);
    expect(stale.status).toBe(1);
    expect(stale.stdout).toContain('an external CA signs 3 certificates, of which 3 cannot be used');
    expect(stale.stdout).toContain('request it again');
    const before = await lab.ssh('etcd-1', 'sha256sum /etc/etcd/pki/server.key; ls -A /var/lib/provision/requests');
    const asked = await lab.provision('ca', 'request', inventory, '--yes');
    expect(asked.stdout).toContain('etcd-1: etcd-server, for the key that the host has');
    expectDone(await signAsPrinted(asked, store, companyKey));
    const widened = await runVerb(lab, 'apply', inventory);
    expect(endOf(widened)).toMatch(/^status 0/);
    const after = await lab.ssh('etcd-1', 'sha256sum /etc/etcd/pki/server.key; ls -A /var/lib/provision/requests');
    expect(after.stdout).toBe(before.stdout);
    const names = await lab.ssh('etcd-1', 'openssl x509 -in /etc/etcd/pki/server.crt -noout -ext subjectAltName');
    expect(names.stdout).toContain('more.example.org');
    // The name is taken away in the same way, so that the other tests find what the inventory wants.
    expectDone(
      await signAsPrinted(await lab.provision('ca', 'request', lab.files.inventory, '--yes'), store, companyKey),
    );
    expect(endOf(await runVerb(lab, 'apply'))).toMatch(/^status 0/);
    expect(plannedChanges(await runVerb(lab, 'plan'))).toEqual([]);
  });

  // No credential can be signed for the run, as the authority's key is elsewhere: the evidence on disk is all there is.
  test.each<[string, readonly (readonly [host: string, name: string])[], string]>([
    [
      'one of each kind',
      [
        ['etcd-1', 'server'],
        ['etcd-2', 'peer'],
        ['etcd-3', 'client'],
      ],
      'true',
    ],
    [
      'all on the same day, and etcd was restarted since',
      HOSTS.flatMap((host) => ['server', 'peer', 'client'].map((name) => [host, name] as const)),
      'systemctl restart --no-block etcd',
    ],
  ])('certificates that have expired, %s, are asked for, signed and replaced', async (_, places, since) => {
    const authority = await authorityOf(`${authorities}/company.crt`, companyKey);
    await Promise.all(
      places.map(async ([host, name]) => {
        await expireCertificate(lab, { host, path: `/etc/etcd/pki/${name}.crt` }, authority, aSecond());
        // What was signed last time has ended as well.
        const kept = join(store, 'requests', host, `${name === 'client' ? 'etcdctl' : 'etcd'}-${name}.crt`);
        await writeFile(kept, (await lab.ssh(host, `cat /etc/etcd/pki/${name}.crt`)).stdout);
      }),
    );
    await Promise.all(HOSTS.map(async (host) => lab.ssh(host, since)));
    const asked = await lab.provision('ca', 'request', lab.files.inventory, '--yes');
    expect(asked.stdout.match(/, for the key that the host has$/gm)).toHaveLength(places.length);
    expectDone(await signAsPrinted(asked, store, companyKey));
    const renewed = await runVerb(lab, 'apply', '--gate-timeout', '60');
    expect(endOf(renewed)).toMatch(/^status 0/);
    expect(performedChanges(renewed).filter((line) => / certificate:/.test(line))).toHaveLength(places.length);
    expect(plannedChanges(await runVerb(lab, 'plan'))).toEqual([]);
    expect(await unhealthyThrough(lab, await vipOf(lab))).toBe('');
  });

  test('no private key of a host ever came to the control side', async () => {
    const printed = [imported, requested, unrequested, planned, wronglySigned, applied].map(endOf).join('\n');
    const whole = [requested, planned, applied].map(({ stdout, stderr }) => stdout + stderr).join('\n');
    const shown = await Promise.all(HOSTS.map(async (host) => lab.ssh(host, `sed -n 2p ${KEYS.join(' ')} -s`)));
    const lines = shown.flatMap(({ stdout }) => stdout.trim().split('\n'));
    expect(lines).toHaveLength(9);
    const search = ['grep', '-rlF', ...lines.flatMap((line) => ['-e', line]), directory];
    expect(await run(search)).toMatchObject({ status: 1, stdout: '' });
    for (const line of lines) expect(printed + whole).not.toContain(line);
    // The same search finds a key that is there.
    const planted = join(directory, 'pki', 'planted');
    await writeFile(planted, `${lines[4] ?? ''}\n`);
    expect((await run(search)).stdout).toBe(`${planted}\n`);
    await rm(planted);
  });
});
