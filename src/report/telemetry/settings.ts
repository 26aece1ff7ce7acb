/** What the environment says of telemetry, in OpenTelemetry's own variables. */
export interface TelemetrySettings {
  /** The collector of each signal that is sent: `collector.example:4318`. */
  readonly traces: string | undefined;
  readonly metrics: string | undefined;
  /** Why something that was asked for is not sent; it names variables, and shows no value of them. */
  readonly problems: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;
type Signal = 'TRACES' | 'METRICS';

/** What the exporters of this program speak, which is OpenTelemetry's default. */
const PROTOCOL = 'http/protobuf';

/** Which signals are sent. A variable that is empty counts as not set (OpenTelemetry, "Environment Variable Specification"). */
export function telemetrySettings(env: Environment): TelemetrySettings {
  if (env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true')
    return { traces: undefined, metrics: undefined, problems: [] };
  const [traces, metrics] = [collectorOf('TRACES', env), collectorOf('METRICS', env)];
  const problems = [traces, metrics].flatMap((asked) => (asked?.problem === undefined ? [] : [asked.problem]));
  return { traces: traces?.at, metrics: metrics?.at, problems: [...new Set(problems)] };
}

/** Where a signal goes, or why not; nothing where nobody asks for it. */
function collectorOf(
  signal: Signal,
  env: Environment,
): { readonly at?: string; readonly problem?: string } | undefined {
  const exporter = env[`OTEL_${signal}_EXPORTER`]?.trim() ?? '';
  const endpoint = valueOf(signal, 'ENDPOINT', env);
  if (exporter === 'none' || endpoint === undefined) return undefined;
  if (exporter !== '' && exporter !== 'otlp')
    return { problem: `OTEL_${signal}_EXPORTER names another exporter than otlp and none` };
  const protocol = valueOf(signal, 'PROTOCOL', env);
  if (protocol !== undefined && protocol.value !== PROTOCOL)
    return { problem: `${protocol.name} names another protocol than ${PROTOCOL}` };
  // The exporters would fall back to their default: to a collector that nobody named.
  if (!URL.canParse(endpoint.value) || !/^https?:$/.test(new URL(endpoint.value).protocol))
    return { problem: `${endpoint.name} is no URL that begins with http:// or https://` };
  return { at: new URL(endpoint.value).host };
}

/** The variable for one signal, else that for all. */
function valueOf(
  signal: Signal,
  what: string,
  env: Environment,
): { readonly name: string; readonly value: string } | undefined {
  for (const name of [`OTEL_EXPORTER_OTLP_${signal}_${what}`, `OTEL_EXPORTER_OTLP_${what}`]) {
    const value = env[name]?.trim() ?? '';
    if (value !== '') return { name, value };
  }
  return undefined;
}
