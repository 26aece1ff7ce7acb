import { describe, expect, test } from '@jest/globals';
import { drillGates, lookBefore } from '../../../src/drill/look-before.js';
import { runDrill } from '../../../src/drill/run-drill.js';
import type { World } from '../../../src/engine/world.js';
import { httpsKey } from '../../../src/facts/https-answer.js';
import { vipRequest } from '../../../src/gates/vip-answers.js';
import type { Event } from '../../../src/model/events.js';
import type { Gate, GateAnswer } from '../../../src/model/gate.js';
import { outputOf, type Output, type Probe } from '../../../src/model/remote.js';
import { healthFiles } from '../../../src/model/virtual-service.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { fakeHosts, fakeWorld } from '../../support/fake-world.js';
import { SAMPLE_SERVICE, withExternal, withService } from '../../support/sample-cluster.js';
import { noDownload } from '../../support/local-transport.js';

const observers = SAMPLE_SERVICE.observers.filter(({ host }) => host !== 'cp-1');
const CLUSTER = { ...withService({ observers }), controlPlanes: [] };
const { endpoint: ENDPOINT } = SAMPLE_SERVICE;
const HOSTS = ['etcd-1', 'etcd-2', 'etcd-3'];
const CHECK_UP = 'provision verify inventory.yaml';
const SUBJECT = { cluster: CLUSTER, service: 'etcd', checkUp: CHECK_UP } as const;
const FILES = healthFiles(SAMPLE_SERVICE.health);

/** A cluster that fails over as soon as something is stopped. */
interface Stage {
  holder: string;
  readonly ran: string[];
  readonly events: Event[];
  /** Summaries of commands that fail. */
  readonly failing?: RegExp;
  readonly neverMoves?: true;
  readonly shut?: Readonly<Record<string, string>>;
  readonly disabled?: string;
  readonly interruptedAt?: RegExp;
}

function stage(more: Partial<Stage> = {}): Stage {
  return { holder: 'etcd-1', ran: [], events: [], ...more };
}

function worldOf(on: Stage): World {
  const base = fakeWorld(fakeHosts(HOSTS));
  let endMeasurement: (output: Output) => void = () => undefined;
  const done = (stdout: string): Output => outputOf(0, stdout);
  function run(host: string, summary: string): Promise<Output> {
    on.ran.push(`${host}: ${summary}`);
    if (on.failing?.test(summary) === true) return Promise.resolve(outputOf(1, '', 'no space left'));
    if (summary.startsWith('measure'))
      return new Promise((resolve) => {
        endMeasurement = resolve;
      });
    if (summary.startsWith('end the'))
      endMeasurement(done('address 1.00 1.01 1\nclient 1.00 1.01 1\nclient 4.00 4.01 1\n'));
    if (summary.startsWith('stop') && on.neverMoves !== true) on.holder = host === 'etcd-1' ? 'etcd-2' : 'etcd-1';
    return Promise.resolve(done(''));
  }
  const gate = (name: string): Gate => ({
    name,
    deadlineMs: 1000,
    check: () => {
      const reason = on.shut?.[name];
      return Promise.resolve<GateAnswer>(reason === undefined ? { open: true } : { open: false, reason, next: '' });
    },
  });
  return {
    ...base,
    connector: {
      connect: (host) =>
        Promise.resolve({
          host,
          close: () => Promise.resolve(),
          run: ({ summary }) => run(host, summary),
          download: noDownload,
        }),
      close: () => Promise.resolve(),
    },
    newLook: () => ({ probe: (host) => probeOf(on, host), lost: () => new Map() }),
    gates: new Map(drillGates(SAMPLE_SERVICE).map((name) => [name, gate(name)])),
    emit: (event) => on.events.push(event),
    interrupted: () => on.interruptedAt !== undefined && on.ran.some((line) => on.interruptedAt?.test(line)),
  };
}

function probeOf(on: Stage, host: string): Probe {
  const addresses = [{ interface: 'eth0', address: on.holder === host ? ENDPOINT.ip : '10.0.0.9', prefixLength: 32 }];
  const unit = (name: string) => ({ active: true, enabled: on.disabled !== name });
  return fakeProbe({
    'host-addresses': { all: addresses },
    units: { haproxy: unit('haproxy'), keepalived: unit('keepalived') },
    'https-answers': { [httpsKey(vipRequest(SAMPLE_SERVICE, FILES))]: { kind: 'answer', status: 200, body: '' } },
  });
}

const drill = async (on: Stage): Promise<number> =>
  runDrill({ ...SUBJECT, restoreAfterS: 60, token: () => 'abc' }, worldOf(on));

const measured = ({ events }: Stage) => events.filter(({ type }) => type === 'drill-measured');

describe('a drill', () => {
  test('stops one service after the other where the address is, with a timer, and starts each again', async () => {
    const on = stage();
    expect(await drill(on)).toBe(2);
    const one = (host: string, observer: string, service: string): string[] => [
      `${observer}: measure how 10.0.0.100 answers`,
      `${observer}: wait until the measurement runs`,
      `${host}: stop ${service}, with a timer that starts it again in 60 s`,
      `${host}: start ${service} again`,
      `${observer}: end the measurement`,
    ];
    expect(on.ran).toEqual([...one('etcd-1', 'etcd-3', 'haproxy'), ...one('etcd-2', 'etcd-3', 'keepalived')]);
    expect(measured(on)).toMatchObject([
      { service: 'haproxy', host: 'etcd-1', holder: 'etcd-2', observer: 'etcd-3', client: { longestMs: 3000 } },
      { service: 'keepalived', host: 'etcd-2', holder: 'etcd-1' },
    ]);
  });

  test('that is not followed by a fail-over is put back, measured, and told', async () => {
    const on = stage({ neverMoves: true });
    await expect(drill(on)).rejects.toMatchObject({
      failures: [
        {
          host: 'etcd-1',
          error: { code: 'no-fail-over', message: expect.stringContaining('etcd-1 still holds') as unknown },
        },
      ],
    });
    expect(on.ran).toContain('etcd-1: start haproxy again');
    expect(on.ran.some((line) => line.includes('keepalived'))).toBe(false);
    expect(measured(on)).toHaveLength(1);
  });

  test('that can’t start the service says that the host will, and measures all the same', async () => {
    const on = stage({ failing: /^start haproxy/ });
    await expect(drill(on)).rejects.toMatchObject({ failures: [{ error: { code: 'command-failed' } }] });
    expect(on.events).toContainEqual({
      type: 'notice',
      host: 'etcd-1',
      message: 'haproxy was not started again from here: a timer of etcd-1 does so within 60 s',
    });
    expect(measured(on)).toHaveLength(1);
  });

  test('whose stop fails starts the service all the same', async () => {
    const on = stage({ failing: /^stop haproxy/ });
    await expect(drill(on)).rejects.toMatchObject({ code: 'run-failed' });
    expect(on.ran).toContain('etcd-1: start haproxy again');
  });

  test('that can’t measure stops nothing', async () => {
    const on = stage({ failing: /^wait until/ });
    await expect(drill(on)).rejects.toMatchObject({ code: 'run-failed' });
    expect(on.ran.some((line) => line.includes(': stop'))).toBe(false);
  });

  test('that is to stop puts back what is stopped, and stops nothing else', async () => {
    const on = stage({ neverMoves: true, interruptedAt: /: stop haproxy/ });
    await expect(drill(on)).rejects.toMatchObject({ failures: [{ error: { code: 'interrupted' } }] });
    expect(on.ran).toContain('etcd-1: start haproxy again');
    const late = stage({ interruptedAt: /: start haproxy/ });
    await expect(drill(late)).rejects.toMatchObject({
      code: 'interrupted',
      message: expect.stringContaining('keepalived') as unknown,
    });
    expect(late.ran.some((line) => line.includes(': stop keepalived'))).toBe(false);
  });
});

describe('a drill is refused, with every reason and before anything is touched,', () => {
  test.each([
    [
      'where gates are shut',
      stage({ shut: { 'etcd-healthy': 'etcd-2 is silent', 'vip-answers: etcd': 'no' } }),
      /etcd-2 is silent\n.*vip-answers: etcd did not open: no/,
    ],
    [
      'where nobody holds the address',
      stage({ holder: 'x', shut: { 'keepalived-one-holder: etcd': 'no balancer holds it' } }),
      /no balancer holds it/,
    ],
    [
      'where a service would not start at boot',
      stage({ disabled: 'keepalived' }),
      /keepalived would not start at boot on etcd-1/,
    ],
  ])('%s', async (_, on, message) => {
    await expect(lookBefore(SUBJECT, worldOf(on))).rejects.toMatchObject({
      code: 'drill-refused',
      message: expect.stringMatching(message) as unknown,
      hint: CHECK_UP,
    });
    expect(on.ran).toEqual([]);
  });

  test('where others run the balancer', async () => {
    await expect(lookBefore({ ...SUBJECT, cluster: withExternal() }, worldOf(stage()))).rejects.toMatchObject({
      code: 'drill-refused',
      message: expect.stringContaining('others run the load balancer of etcd (10.9.0.1)') as unknown,
    });
  });

  test('where there is one balancer', async () => {
    const one = withService({ balancers: SAMPLE_SERVICE.balancers.slice(0, 1) });
    await expect(lookBefore({ ...SUBJECT, cluster: one }, worldOf(stage()))).rejects.toMatchObject({
      code: 'drill-refused',
    });
  });

  test('where the service that is meant has no virtual IP', async () => {
    await expect(lookBefore({ ...SUBJECT, service: 'kube-apiserver' }, worldOf(stage()))).rejects.toMatchObject({
      code: 'drill-refused',
      hint: 'set kube_apiserver_lb_ip, and two hosts in kube_apiserver_lb',
    });
  });
});
