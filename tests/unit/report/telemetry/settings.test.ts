import { describe, expect, test } from '@jest/globals';
import { telemetrySettings } from '../../../../src/report/telemetry/settings.js';

const ALL = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const TRACES = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
const AT = 'http://collector.example:4318';
const nothing = { traces: undefined, metrics: undefined };

describe('what is sent, and where', () => {
  test.each([
    ['nothing is set', {}, nothing],
    ['one collector for all', { [ALL]: AT }, { traces: 'collector.example:4318', metrics: 'collector.example:4318' }],
    ['a collector of traces alone', { [TRACES]: 'https://t.example/v1/traces' }, { ...nothing, traces: 't.example' }],
    ['one of its own', { [ALL]: AT, [TRACES]: 'http://t' }, { traces: 't', metrics: 'collector.example:4318' }],
    ['an empty variable is not set', { [ALL]: ' ', [TRACES]: '' }, nothing],
    ['it is disabled', { [ALL]: AT, OTEL_SDK_DISABLED: 'TRUE' }, nothing],
    ['another word disables nothing', { [TRACES]: 'http://t', OTEL_SDK_DISABLED: '1' }, { ...nothing, traces: 't' }],
    [
      'no metrics are wanted',
      { [ALL]: AT, OTEL_METRICS_EXPORTER: 'none' },
      { ...nothing, traces: 'collector.example:4318' },
    ],
    [
      'the protocol is named',
      { [TRACES]: 'http://t', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' },
      { ...nothing, traces: 't' },
    ],
    [
      'a name and a password are not shown',
      { [TRACES]: 'http://me:secret@t:1/x?key=1' },
      { ...nothing, traces: 't:1' },
    ],
  ])('%s', (_, env, wanted) => {
    expect(telemetrySettings(env)).toEqual({ ...wanted, problems: [] });
  });

  test.each([
    ['gRPC', { [ALL]: AT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'OTEL_EXPORTER_OTLP_PROTOCOL names another protocol'],
    [
      'another exporter',
      { [TRACES]: AT, OTEL_TRACES_EXPORTER: 'console' },
      'OTEL_TRACES_EXPORTER names another exporter',
    ],
    ['no URL', { [ALL]: 'collector:4318' }, 'OTEL_EXPORTER_OTLP_ENDPOINT is no URL'],
    ['no URL at all', { [ALL]: 'secret' }, 'OTEL_EXPORTER_OTLP_ENDPOINT is no URL'],
  ])('%s is a problem, told once and without its value', (_, env, problem) => {
    const { problems, ...sent } = telemetrySettings(env);
    expect(sent).toEqual(nothing);
    expect(problems).toEqual([expect.stringContaining(problem)]);
    expect(problems.join()).not.toMatch(/grpc|console|collector|secret/);
  });

  test('a problem of one signal is none of the other', () => {
    const env = { [ALL]: AT, OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'grpc' };
    expect(telemetrySettings(env)).toMatchObject({ traces: 'collector.example:4318', metrics: undefined });
  });
});
