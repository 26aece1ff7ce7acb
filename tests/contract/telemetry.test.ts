import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { waitUntil } from '../../src/lab/process.js';
import { EXIT } from '../../src/model/errors.js';
import { METRICS } from '../../src/report/telemetry/run-metrics.js';
import { startCollector, type Behaviour, type Collector, type ReceivedSpan } from '../support/collector.js';
import { provision } from '../support/lab.js';
import { ended, forgetRuns, startRealHosts, type RealHosts } from '../support/real-run.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

// Whole runs on real servers, and a receiver that decodes with OpenTelemetry's own definition of OTLP.

let hosts: RealHosts;
let collector: Collector;
let work: string;

beforeAll(async () => {
  [hosts, collector] = await Promise.all([startRealHosts('one', 'two'), startCollector()]);
});
afterAll(async () => {
  await Promise.all([hosts.remove(), collector.close()]);
});
beforeEach(() => {
  collector.behave('takes-it');
  collector.forget();
  forgetRuns(hosts);
  work = temporaryDirectory('telemetry');
  hosts.write([`copy: { dest: "${work}/{{ inventory_hostname }}.conf", content: new }`], ['  serial: 1']);
});

type Environment = Readonly<Record<string, string>>;

interface End {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(words: readonly string[], env: Environment = {}): Promise<End> {
  const variables = Object.entries({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env });
  return ended(hosts.start(['env', ...variables.map(([name, value]) => `${name}=${value}`), ...words]));
}

const apply = (...more: readonly string[]): readonly string[] => hosts.command('apply', '--yes', ...more);

/** `provision apply > play work > batch 1 > …`, in the order of their begin. */
function paths(spans: readonly ReceivedSpan[]): readonly string[] {
  const pathOf = (span: ReceivedSpan): string => {
    const above = spans.find(({ spanId }) => spanId === span.parentSpanId);
    return above === undefined ? span.name : `${pathOf(above)} > ${span.name}`;
  };
  return spans.map(pathOf).toSorted();
}

describe('a run with a collector', () => {
  test('is sent as spans: run, look, play, batch, host and change, each with the one above', async () => {
    expect(await run(apply())).toMatchObject({ status: EXIT.done, stderr: '' });
    const spans = collector.spans();
    expect(paths(spans)).toEqual([
      'provision apply',
      'provision apply > look',
      'provision apply > play work',
      'provision apply > play work > batch 1',
      'provision apply > play work > batch 1 > host one',
      'provision apply > play work > batch 1 > host one > change file',
      'provision apply > play work > batch 2',
      'provision apply > play work > batch 2 > host two',
      'provision apply > play work > batch 2 > host two > change file',
    ]);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    for (const span of spans) {
      const above = spans.find(({ spanId }) => spanId === span.parentSpanId) ?? span;
      expect([span.start >= above.start, span.end <= above.end, span.isError]).toEqual([true, true, false]);
    }
    const root = spans.find(({ name }) => name === 'provision apply');
    expect(root).toMatchObject({
      parentSpanId: '',
      attributes: {
        'provision.inventory': hosts.inventory,
        'provision.hosts': ['one', 'two'],
        'provision.changes.planned': 2,
        'provision.changes.performed': 2,
        'provision.outcome': 'done',
      },
      resource: { 'service.name': 'provision', 'telemetry.sdk.name': 'opentelemetry' },
    });
    // The run itself, and not only what it did to hosts.
    expect((root?.end ?? 0) - (root?.start ?? 0)).toBeGreaterThan(100);
  });

  test('is counted, with the names and units that are documented', async () => {
    await run(apply());
    const points = collector.points();
    for (const { name, unit, attributes } of points) {
      expect(METRICS).toHaveProperty([name], expect.objectContaining({ unit }));
      expect(attributes).toMatchObject({ 'provision.command': 'apply', 'provision.inventory': hosts.inventory });
    }
    const of = (name: string): unknown => points.find((point) => point.name === name);
    expect(of('provision.run.duration')).toMatchObject({ count: 1, attributes: { 'provision.outcome': 'done' } });
    expect(of('provision.run.hosts')).toMatchObject({ value: 2 });
    expect(of('provision.plan.changes')).toMatchObject({ value: 2 });
    expect(of('provision.changes')).toMatchObject({
      value: 2,
      attributes: { 'provision.resource.kind': 'file', 'provision.change.result': 'done' },
    });
  });

  test('is a part of the trace that started it, and named as the environment says', async () => {
    const [trace, parent] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
    await run(hosts.command('plan'), {
      TRACEPARENT: `00-${trace}-${parent}-01`,
      OTEL_SERVICE_NAME: 'clusters',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=staging,service.name=other',
    });
    const [root] = collector.spans().filter(({ name }) => name === 'provision plan');
    expect(root).toMatchObject({ traceId: trace, parentSpanId: parent });
    expect(root?.resource).toMatchObject({ 'service.name': 'clusters', 'deployment.environment.name': 'staging' });
    // Not sampled above: not sampled here.
    collector.forget();
    await run(hosts.command('plan'), { TRACEPARENT: `00-${trace}-${parent}-00` });
    expect([collector.spans(), collector.points().length > 0]).toEqual([[], true]);
  });

  test('that fails says where and with which code, and no word of what was printed', async () => {
    hosts.write(['shell: { cmd: "echo PRINTED; exit 3", creates: /nowhere/x }'], ['  serial: 1']);
    expect((await run(apply())).status).toBe(EXIT.failed);
    const root = collector.spans().find(({ name }) => name === 'provision apply');
    expect(root).toMatchObject({ isError: true, attributes: { 'provision.outcome': 'failed' } });
    expect(root?.events).toEqual([
      { name: 'failure', attributes: { 'provision.host': 'one', 'error.type': 'command-failed' } },
    ]);
    expect(
      collector
        .spans()
        .filter(({ isError }) => isError)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual([...['batch 1', 'change command', 'host one', 'play work', 'provision apply']]);
    expect(collector.points().find(({ name }) => name === 'provision.failures')).toMatchObject({ value: 1 });
    expect(collector.raw()).not.toMatch(/PRINTED|nowhere/);
  });

  test('that cannot read its inventory is sent, too', async () => {
    await run(provision('plan', '/nowhere.yaml'));
    const [root] = collector.spans();
    expect(root).toMatchObject({
      name: 'provision plan',
      isError: true,
      attributes: { 'provision.outcome': 'failed' },
    });
  });

  test('that is stopped in the middle of a change says so', async () => {
    const wait = `touch ${work}/began; until [ -e ${work}/go ]; do sleep 0.05; done`;
    hosts.write([`shell: { cmd: "${wait}", creates: "${work}/never" }`], ['  serial: 1']);
    const child = hosts.start(['env', `OTEL_EXPORTER_OTLP_ENDPOINT=${collector.url}`, ...apply('--limit', 'one')]);
    const end = ended(child);
    expect(await waitUntil(() => Promise.resolve(existsSync(join(work, 'began'))), 60_000, 20)).toBe(true);
    child.kill('SIGINT');
    child.kill('SIGTERM');
    writeFileSync(join(work, 'go'), '');
    await end;
    expect(collector.spans().find(({ name }) => name === 'provision apply')?.attributes).toMatchObject({
      'provision.outcome': 'stopped',
    });
  });
});

test('a run that is stopped before it has changed anything changes nothing while a collector hangs', async () => {
  collector.behave('hangs');
  // A run that was ended at once has left its lock.
  const locksThere = async (): Promise<string> => (await hosts.onHosts('ls -A /run/provision 2>/dev/null')).stdout;
  await hosts.onHosts('rm -rf /run/provision');
  const child = hosts.start(['env', `OTEL_EXPORTER_OTLP_ENDPOINT=${collector.url}`, ...apply('--format', 'json')]);
  child.stdout?.once('data', () => child.kill('SIGINT'));
  const { status, stdout } = await ended(child);
  expect(status).toBe(EXIT.stopped);
  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ type: 'run-failed', kind: 'stopped' });
  expect(existsSync(join(work, 'one.conf'))).toBe(false);
  expect(await locksThere()).toBe('');
});

describe('secrets', () => {
  const SECRET = 'planted-7Hq2';

  test('of inventories, of commands and of the environment are in nothing that is sent', async () => {
    const tasks = (word: string): readonly string[] => [
      `copy: { dest: "${work}/a.conf", content: "password {{ word }}" }`,
      `shell: { cmd: "echo ${word} >&2; echo {{ word }}; exit 1", creates: /nowhere/x }`,
    ];
    const playbook = (name: string): void => {
      hosts.write(tasks(SECRET), ['  serial: 1', `  vars: { word: ${SECRET} }`]);
      writeFileSync(hosts.playbook, readFileSync(hosts.playbook, 'utf8').replace('name: work', `name: ${name}`));
    };
    const env = { PROVISION_CA_PASSPHRASE: SECRET, PROVISION_SSH_KEY_PASSPHRASE: SECRET };
    playbook('work');
    expect((await run(apply(), env)).status).toBe(EXIT.failed);
    expect(collector.spans().length).toBeGreaterThan(3);
    expect(collector.raw()).not.toContain(SECRET);
    // A word that is sent is found: the name of a play is.
    playbook(SECRET);
    await run(apply(), env);
    expect(collector.raw()).toContain(SECRET);
  });

  test('that the collector wants go to it, and to nobody else, also where it repeats them', async () => {
    collector.behave('refuses');
    const { stdout, stderr, status } = await run(apply(), { OTEL_EXPORTER_OTLP_HEADERS: `authorization=${SECRET}` });
    expect(status).toBe(EXIT.done);
    expect(collector.raw()).toContain(SECRET);
    expect(`${stdout}${stderr}`).not.toContain(SECRET);
    expect(stderr).toBe(
      `warning: telemetry was not sent to 127.0.0.1:${collector.port}: it answered with status 500\n`,
    );
  });
});

describe('a collector that does not take it', () => {
  test.each<Behaviour>(['refuses', 'hangs', 'drips'])('%s: the run ends as it would, with a warning', async (how) => {
    collector.behave(how);
    const { status, stdout, stderr } = await run(apply('--format', 'json'));
    expect(status).toBe(EXIT.done);
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ type: 'run-finished' });
    expect(stderr).toMatch(/^warning: telemetry was not sent to 127\.0\.0\.1:\d+: .*\n$/);
  });

  test('is not there: the same; and where nothing is to be sent, it is not asked', async () => {
    const port = await unusedPort();
    const gone = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
    const { status, stderr } = await run(hosts.command('plan', '--detailed-exitcode'), gone);
    expect([status, stderr]).toEqual([
      EXIT.changesPending,
      `warning: telemetry was not sent to 127.0.0.1:${port}: ECONNREFUSED\n`,
    ]);
    for (const off of [{ OTEL_SDK_DISABLED: 'true' }, { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' }])
      expect((await run(hosts.command('plan'), { ...gone, ...off })).stderr).toBe('');
  });

  test('speaks another protocol: it is said, and nothing is sent', async () => {
    const { status, stderr } = await run(hosts.command('plan'), { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
    expect([status, collector.raw()]).toEqual([EXIT.done, '']);
    expect(stderr).toBe(
      'warning: no telemetry is sent: OTEL_EXPORTER_OTLP_PROTOCOL names another protocol than http/protobuf\n',
    );
  });
});

test('a fleet is one trace: the run of each cluster belongs to it, and how it ended is sent', async () => {
  const fleet = temporaryDirectory('telemetry-fleet');
  for (const name of ['a', 'b']) {
    mkdirSync(join(fleet, name));
    writeFileSync(join(fleet, name, 'inventory.yaml'), readFileSync(hosts.inventory, 'utf8'));
  }
  const words = provision('fleet', 'plan', fleet, '--playbook', hosts.playbook);
  const root = (): ReceivedSpan | undefined => collector.spans().find(({ name }) => name === 'provision fleet plan');
  const told = (): readonly string[] =>
    (root()?.events ?? []).map(({ attributes }) => Object.values(attributes).join(' ')).toSorted();
  expect(await run(words)).toMatchObject({ status: EXIT.done });
  expect(root()).toMatchObject({
    isError: false,
    attributes: { 'provision.clusters': 2, 'provision.outcome': 'done' },
  });
  expect(told()).toEqual(['a ok', 'b ok']);
  const runs = collector.spans().filter(({ name }) => name === 'provision plan');
  expect(runs.map(({ traceId, parentSpanId }) => [traceId, parentSpanId])).toEqual([
    [root()?.traceId, root()?.spanId],
    [root()?.traceId, root()?.spanId],
  ]);
  collector.forget();
  writeFileSync(join(fleet, 'b', 'inventory.yaml'), 'all:\n  hosts: [one]\n');
  expect(await run(words)).toMatchObject({ status: EXIT.failed });
  expect(root()).toMatchObject({ isError: true, attributes: { 'provision.outcome': 'failed' } });
  expect(told()).toEqual(['a ok', 'b failed']);
});

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('costs no module where no collector is named', () => {
  // The program as it is: what a plan loads is in fixtures/budget/modules.txt.
  expect(readFileSync('fixtures/budget/modules.txt', 'utf8')).not.toMatch(/opentelemetry|report\/telemetry/);
});
