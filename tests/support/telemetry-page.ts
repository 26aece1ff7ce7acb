import { ATTRIBUTE_NAMES, type AttributeName } from '../../src/report/telemetry/attributes.js';
import { METRICS } from '../../src/report/telemetry/run-metrics.js';

const MEANINGS: Readonly<Record<AttributeName, string>> = {
  'error.type': "A failure's [error code](errors.md); `_OTHER`: a bug, or no error.",
  'provision.batch': 'Number of the batch in its play, from 1.',
  'provision.change.result': '`done`, `failed`, or `not-ended`: the run ended first.',
  'provision.changes.disruptive': 'Planned changes that clients may feel.',
  'provision.changes.performed': 'Changes that were made.',
  'provision.changes.planned': 'Changes of the plan.',
  'provision.changes.unknown': 'Steps that are known after apply.',
  'provision.cluster': 'Name of a cluster of the fleet.',
  'provision.clusters': 'How many clusters the fleet has.',
  'provision.command': 'The verb: `apply`, `plan`, `fleet apply`, `drill` …',
  'provision.drill.address_gap': 'How long the virtual IP was gone from the network, in seconds.',
  'provision.drill.client_gap': 'How long the service did not answer through it, in seconds.',
  'provision.drill.recovered': 'From the start of the service until all gates were open, in seconds.',
  'provision.gate': 'Name of a [gate](gates.md).',
  'provision.gate.waited': 'How long it was waited for, in seconds.',
  'provision.host': "A host's inventory name.",
  'provision.hosts': 'Inventory names of the hosts concerned.',
  'provision.inventory': 'The inventory, as it was typed.',
  'provision.limit': '`--limit`, where it was given.',
  'provision.outcome':
    'How a run ended: `done`, or the [kind of its failure](errors.md). Of a cluster of a fleet: `ok`, `not-started`, or that kind.',
  'provision.play': 'Name of the play.',
  'provision.playbook': 'The playbook.',
  'provision.resource':
    'Address of the resource, as the plan has it. Of a command only `command`: its text may be its name.',
  'provision.resource.kind': '`file`, `service`, `packages` …',
  'provision.service': 'The service that a drill stopped.',
  'provision.unchanged': 'Resources that needed nothing.',
};

const SPANS = [
  ['`provision COMMAND`', 'the run', '`failure` for each failure; `drill measured`'],
  ['`look`', 'from the first question to the plan', '`looked` for each host that answered'],
  ['`play NAME`', 'a play that changes something', ''],
  [
    '`batch N`',
    'hosts that are worked on at once, with the gates before and after',
    '`gate waiting`, each time that the reason changes, and `gate opened`',
  ],
  ['`host NAME`', 'its first change of the batch to the end of its last', '`rolled back` for each step taken back'],
  ['`change KIND`', 'one change', ''],
  ['`provision fleet VERB`', 'a fleet; the runs of its clusters belong to it', '`cluster` as each ends'],
] as const;

const VARIABLES = [
  [
    '`OTEL_EXPORTER_OTLP_ENDPOINT`',
    'the collector: `http://collector:4318`. Also for one signal: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, `…_METRICS_ENDPOINT`, whole paths',
  ],
  [
    '`OTEL_EXPORTER_OTLP_HEADERS`, `…_CERTIFICATE`, `…_CLIENT_CERTIFICATE`, `…_CLIENT_KEY`, `…_COMPRESSION`',
    "as in OpenTelemetry's own specification, also for one signal",
  ],
  ['`OTEL_EXPORTER_OTLP_PROTOCOL`', '`http/protobuf`; with another one nothing is sent, and it is said'],
  ['`TRACEPARENT`, `TRACESTATE`', "the run belongs to this trace: the pipeline's"],
  ['`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`', 'who sends; `provision` where not set'],
  ['`OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG`', 'which traces are kept'],
  ['`OTEL_TRACES_EXPORTER`, `OTEL_METRICS_EXPORTER`', '`none`: not this signal'],
  ['`OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE`', '`delta` where counters of many short runs are added up'],
  ['`OTEL_SDK_DISABLED`', '`true`: nothing is sent'],
] as const;

/** docs/reference/telemetry.md: what is sent to a collector, and what decides that. */
export function telemetryPage(): string {
  const attributes = ATTRIBUTE_NAMES.toSorted().map((name) => [`\`${name}\``, MEANINGS[name]]);
  const metrics = Object.entries(METRICS).map(([name, { instrument, unit, description }]) => [
    ...[`\`${name}\``, instrument, `\`${unit}\``, description],
  ]);
  return `# Traces and metrics

Written from the lists in the code; a test keeps it current (\`UPDATE_GOLDEN=1 npm run -s jest -- telemetry-page\`).

Where the environment names a collector of OpenTelemetry, a run is sent to it over OTLP (HTTP, protobuf), and a fleet as one trace with the runs of its clusters:

\`\`\`console
$ export OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318
$ provision apply inventory.yaml --plan change.plan
\`\`\`

Names and figures are sent, and no text that a host, a command or an error has given: those are in the [journal](../operating.md) and in [reports](../reports.md). Where something
was not sent, a line on stderr says so. The run ends with the status that it would have had, 3 s later at most (a fleet once more 3 s); only a name server that does not answer holds
the end of a process as long as the system asks it.

${table(['variable', 'meaning'], VARIABLES)}

## Spans

Every verb that has [events](events.md) is a run. Times are those of the events.

${table(['span', 'what it is', 'events'], SPANS)}

## Metrics

Each has \`provision.command\` and, once it is known, \`provision.inventory\`. A run is a process of its own, so counters begin at 0 with each.

${table(['metric', 'kind', 'unit', 'meaning'], metrics)}

## Attributes

${table(['attribute', 'meaning'], attributes)}
`;
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n');
}
