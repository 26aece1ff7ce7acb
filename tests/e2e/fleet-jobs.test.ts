import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { podRange } from '../../src/lab/kubernetes-host.js';
import { EXIT } from '../../src/model/errors.js';
import { VERSION } from '../../src/model/version.js';
import { eventSchema, type EventJson } from '../../src/report/event-schema.js';
import { asOperator } from '../support/control-machine.js';
import { createHandMadeCluster } from '../support/hand-made-cluster.js';
import { freeApt, holdApt } from '../support/held-apt.js';
import { createKubernetes, kubectl, until } from '../support/kubernetes-cluster.js';
import { describeOnLab, type Ended } from '../support/lab.js';
import { must, PASSPHRASE } from '../support/main-job.js';
import { makePodImage } from '../support/pod-image.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

// Two control machines. One has an operator's key, and plans. The other is a pod: it has its own file system, network, user and key, and of the
// first one only what a pipeline hands on: the repository and the saved plans.

describeOnLab('Jobs of a fleet', 'jobs', { etcd: 1, controlPlanes: 1, hosts: 1, kubernetes: 'real' }, (lab) => {
  /** The first control machine's checkout. */
  let checkout: string;
  /** How each Job's pods ended. */
  let codes: Readonly<Record<string, string>>;
  let told: Readonly<Record<'first' | 'second', readonly EventJson[]>>;
  let again: Ended;
  let parts: readonly string[];

  const ssh = (script: string): readonly string[] => ['ssh', '-F', lab.files.sshConfig, 'cp-1', script];

  const operator = async (...words: readonly string[]): Promise<string> =>
    must(lab.onControlSide(asOperator(lab.files, checkout, [process.execPath, resolve('dist/main.js'), ...words])));

  const inKubernetes = async (words: string, input?: string): Promise<string> =>
    must(lab.onControlSide(ssh(kubectl(words)), input));

  const create = async (jobs: string): Promise<string> => inKubernetes('create -f -', jobs);

  /** Hands the repository and the plans on. */
  async function handOn(): Promise<void> {
    const unpack =
      'rm -rf /srv/fleet && mkdir -p /srv/fleet && tar -C /srv/fleet -x && chown -R 10001:10001 /srv/fleet';
    const script = `tar -C '${checkout}' -c . | ssh -F '${lab.files.sshConfig}' cp-1 '${unpack}'`;
    await must(lab.onControlSide(['sh', '-c', script]));
  }

  async function preparePods(): Promise<void> {
    const image = makePodImage(temporaryDirectory('image'), `docker.io/library/provision:${VERSION}`);
    const load = `ssh -F '${lab.files.sshConfig}' cp-1 'ctr -n k8s.io images import -' < '${image}'`;
    await must(lab.onControlSide(['sh', '-c', load]));
    await inKubernetes('taint nodes --all node-role.kubernetes.io/master-');
    const node = (await lab.host('cp-1')).host;
    // Whoever asks must be answered: the lab's other hosts know no pods.
    await must(lab.ssh('host-1', `ip route add ${podRange(node)} via ${node.address}`));
    const key = join(temporaryDirectory('key'), 'id_ed25519');
    await must(lab.onControlSide(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key]));
    const authorize = ['ssh', '-F', lab.files.sshConfig, 'host-1', 'cat >> /root/.ssh/authorized_keys'];
    await must(lab.onControlSide(authorize, await readFile(`${key}.pub`, 'utf8')));
    const data = { id_ed25519: await readFile(key, 'utf8'), known_hosts: await readFile(lab.files.knownHosts, 'utf8') };
    const secret = (name: string, stringData: Readonly<Record<string, string>>): unknown => ({
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData },
    });
    const items = [secret('provision-ssh', data), secret('provision', { 'ca-passphrase': PASSPHRASE }), ...CLAIM];
    await inKubernetes('create -f -', JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  }

  /** The Jobs as they are printed, but for the word that this API server, of 1.20, does not know yet. */
  async function printedJobs(): Promise<string> {
    const printed = await operator('fleet', 'list', 'clusters', '--format', 'kubernetes');
    const known = printed.replace(/^ {2}podFailurePolicy:\n(?: {4,}.*\n)+/m, '');
    expect(known).not.toBe(printed);
    return known;
  }

  const ended = async (job: string): Promise<unknown> =>
    until(lab, 'cp-1', `${kubectl(`get job ${job} -o "jsonpath={.status.conditions[*].type}"`)} | grep .`);

  async function codesOf(job: string): Promise<string> {
    const path = '{.items[*].status.containerStatuses[0].state.terminated.exitCode}';
    return inKubernetes(`get pods -l job-name=${job} -o "jsonpath=${path}"`);
  }

  async function eventsOf(job: string): Promise<readonly EventJson[]> {
    const lines = (await inKubernetes(`logs job/${job}`)).split('\n').filter((line) => line.startsWith('{'));
    return lines.map((line) => eventSchema.parse(JSON.parse(line)));
  }

  /** The same Job under another name, which is not tried again. */
  const renamed = (jobs: string, name: string): string =>
    jobs.replace('name: provision-eu\n', `name: ${name}\n`).replace(/backoffLimit: \d+/, 'backoffLimit: 0');

  /** One engine starts a cluster, and another one the same cluster while the first is in the middle of it. */
  async function startTwice(jobs: string): Promise<void> {
    await holdApt(lab, 'host-1');
    await create(jobs);
    await until(lab, 'cp-1', `${kubectl('logs job/provision-eu')} | grep -q gate-waiting`);
    again = await lab.onControlSide(ssh(kubectl('create -f -')), jobs);
    await create(renamed(jobs, 'other-engine'));
    await ended('other-engine');
    await freeApt(lab, 'host-1');
    await ended('provision-eu');
    told = { first: await eventsOf('provision-eu'), second: await eventsOf('other-engine') };
  }

  /** The authority was made by the pod: the first machine's checkout gets it from the volume, as a pipeline commits it. */
  async function keepAuthority(): Promise<void> {
    const [, ...words] = ssh('tar -C /srv/fleet -c clusters');
    const script = `ssh ${words.map((word) => `'${word}'`).join(' ')} | tar -C '${checkout}' -x`;
    await must(lab.onControlSide(['sh', '-c', script]));
  }

  /** Parts are numbered by Kubernetes from 1.21 on; here by hand. */
  async function applyInParts(): Promise<readonly string[]> {
    await operator('fleet', 'plan', 'clusters', '-o', 'plans');
    await handOn();
    const indexed = parse(await readFile('deploy/kubernetes/indexed-job.yaml', 'utf8')) as IndexedJob;
    const items = PARTS.map((index) => partOf(indexed, index));
    await create(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    for (const index of PARTS) await ended(`part-${index}`);
    return Promise.all(PARTS.map(async (index) => inKubernetes(`logs job/part-${index}`)));
  }

  beforeAll(async () => {
    await createKubernetes(lab, await createHandMadeCluster(lab, { members: ['package'] }));
    await preparePods();
    checkout = temporaryDirectory('checkout');
    const { address } = (await lab.host('host-1')).host;
    // A member with a virtual IP of its own, which no host of the lab has.
    const vip = address.replace(/\d+$/, '251');
    await mkdir(join(checkout, 'clusters/eu'), { recursive: true });
    await writeFile(
      join(checkout, 'clusters/eu/inventory.yaml'),
      `all:\n  vars: { ansible_user: root, etcd_lb_ip: ${vip} }\n  children: { etcd: { hosts: { host-1: { ansible_host: ${address} } } } }\n`,
    );
    await operator('fleet', 'plan', 'clusters', '-o', 'plans');
    await handOn();
    const jobs = await printedJobs();
    await startTwice(jobs);
    await create(renamed(jobs, 'stale'));
    await ended('stale');
    await keepAuthority();
    parts = await applyInParts();
    const names = ['provision-eu', 'other-engine', 'stale', ...PARTS.map((index) => `part-${index}`)];
    codes = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await codesOf(name)] as const)));
  });

  test('apply on one control machine exactly what another one has planned', async () => {
    expect(codes['provision-eu']).toBe(`${EXIT.done}`);
    expect(told.first.at(-1)).toMatchObject({ type: 'run-finished', result: { failed: 0 } });
    expect((await lab.ssh('host-1', 'systemctl is-active etcd')).stdout).toBe('active\n');
  });

  test('that are started twice at once: the name is refused, and under another name the lock of the cluster refuses', () => {
    expect(again).toMatchObject({ status: 1, stderr: expect.stringContaining('AlreadyExists') as unknown });
    expect(codes['other-engine']).toBe(`${EXIT.locked}`);
    expect(told.second.at(-1)).toMatchObject({ type: 'run-failed', kind: 'locked' });
    expect(told.second.filter(({ type }) => type === 'change-started')).toEqual([]);
  });

  test('of a plan that is stale change nothing, and say so to whom tries again', () => {
    expect(codes['stale']).toBe(`${EXIT.stale}`);
  });

  test('in parts take each cluster once, and where there is no more, none', () => {
    expect(PARTS.map((index) => codes[`part-${index}`])).toEqual(PARTS.map(() => `${EXIT.done}`));
    expect(parts.filter((text) => text.includes('"cluster": "eu"'))).toHaveLength(1);
  });

  test('in parts are taken by the API server as they are written, but for the words that it is too old for', async () => {
    const text = await readFile('deploy/kubernetes/indexed-job.yaml', 'utf8');
    const dryRun = ssh(kubectl('create --dry-run=server -f - 2>&1'));
    const refused = await lab.onControlSide(dryRun, text);
    expect(refused).toMatchObject({ status: 1, stdout: expect.stringContaining('completionMode') as unknown });
    const known = text.replace(/^ {2}(?:completionMode|backoffLimitPerIndex|maxFailedIndexes): .*\n/gm, '');
    expect((await lab.onControlSide(dryRun, known)).stdout).toBe(
      'job.batch/provision-fleet created (server dry run)\n',
    );
  });
});

/** The four parts of deploy/kubernetes/indexed-job.yaml. */
const PARTS = [0, 1, 2, 3];

interface IndexedJob {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly env: readonly unknown[] }[] } };
  };
}

/** One part of a Job in parts, as a Job of its own: with the number that Kubernetes gives its pod. */
function partOf({ spec: { template } }: IndexedJob, index: number): unknown {
  const containers = template.spec.containers.map((container) => ({
    ...container,
    env: [...container.env, { name: 'JOB_COMPLETION_INDEX', value: `${index}` }],
  }));
  const spec = { backoffLimit: 0, template: { ...template, spec: { ...template.spec, containers } } };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: `part-${index}` }, spec };
}

/** The claim that the Jobs name, on a directory of the node. */
const CLAIM = [
  {
    ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'fleet' } },
    spec: {
      ...{ capacity: { storage: '1Gi' }, accessModes: ['ReadWriteMany'], hostPath: { path: '/srv/fleet' } },
      claimRef: { namespace: 'default', name: 'provision-fleet' },
    },
  },
  {
    ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'provision-fleet' } },
    spec: {
      ...{ accessModes: ['ReadWriteMany'], storageClassName: '', volumeName: 'fleet' },
      resources: { requests: { storage: '1Gi' } },
    },
  },
];
