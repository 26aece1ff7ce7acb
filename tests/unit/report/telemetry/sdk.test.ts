import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { startSdk } from '../../../../src/report/telemetry/sdk.js';

/** As the documentation says. */
const AT_MOST_MS = 3000;
const VARIABLE = 'OTEL_EXPORTER_OTLP_ENDPOINT';

const sockets: Socket[] = [];
const silent = createServer((socket) => sockets.push(socket));
let isConnected: Promise<unknown>;

beforeEach(async () => {
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  isConnected = new Promise((resolve) => silent.once('connection', resolve));
  process.env[VARIABLE] = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'hrtime', 'Date'] });
});
afterEach(async () => {
  jest.useRealTimers();
  Reflect.deleteProperty(process.env, VARIABLE);
  for (const socket of sockets.splice(0)) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
});

test('a collector that never answers is waited for for 3 s, and nothing else holds the process after that', async () => {
  const settings = { traces: 'collector', metrics: 'collector', problems: [] };
  const sdk = startSdk({ settings, env: process.env });
  sdk.tracer?.startSpan('a').end();
  sdk.meter?.createCounter('b').add(1);
  let problem: string | undefined;
  let isClosed = false;
  const closed = sdk.close().then((told) => {
    [problem, isClosed] = [told, true];
  });
  await isConnected;
  await jest.advanceTimersByTimeAsync(AT_MOST_MS - 1);
  expect(isClosed).toBe(false);
  await jest.advanceTimersByTimeAsync(1);
  await closed;
  expect(problem).toMatch(/^telemetry was not sent to collector: it did not take it within 3 s$/);
  expect(jest.getTimerCount()).toBe(0);
});
