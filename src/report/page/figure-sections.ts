import { describeGap, seconds } from '../drill-text.js';
import { barsSvg, type Bar } from './charts.js';
import { markup, type Markup } from './markup.js';
import type { RunReport } from './run-report.js';

/** How long what was gone at each fail-over: nothing where none was measured. */
export function drillSection({ drills }: RunReport): readonly Markup[] {
  if (drills.length === 0) return [];
  const bars = drills.flatMap(({ service, host, address, client }): Bar[] => [
    { label: `${service} on ${host}: address gone`, value: address.longestMs, text: describeGap(address) },
    { label: `${service} on ${host}: clients interrupted`, value: client.longestMs, text: describeGap(client) },
  ]);
  const rows = drills.map(
    ({ service, host, holder, observer, recoveredMs }) =>
      markup`<li>${service} on ${host} was stopped; the virtual IP is now on ${holder ?? 'no host'}; recovered in ${recoveredMs === undefined ? 'not yet' : seconds(recoveredMs)}; measured on ${observer}.</li>`,
  );
  return [chartSection('Fail-over', bars, markup`<ul>${rows}</ul>`)];
}

/** How fast etcd answers by each way: nothing where it was not measured. */
export function latencySection({ latency }: RunReport): readonly Markup[] {
  if (latency === undefined) return [];
  const bars = latency.ways.flatMap(({ way, reads, connections }) =>
    [
      { label: `${way}: read`, figures: reads },
      { label: `${way}: new connection`, figures: connections },
    ].flatMap(({ label, figures }): Bar[] =>
      figures === undefined
        ? []
        : [
            { label: `${label} p50`, value: figures.p50Ms, text: `${figures.p50Ms.toFixed(2)} ms` },
            { label: `${label} p99`, value: figures.p99Ms, text: `${figures.p99Ms.toFixed(2)} ms` },
          ],
    ),
  );
  const problems = latency.ways.flatMap(({ way, problem }) =>
    problem === undefined ? [] : [markup`<li class="watch">${way}: ${problem}</li>`],
  );
  return [chartSection('Latency', bars, markup`<p>Measured on ${latency.host}.</p><ul>${problems}</ul>`)];
}

function chartSection(title: string, bars: readonly Bar[], below: Markup): Markup {
  return markup`<section><h2>${title}</h2><div class="wide" tabindex="0" role="region" aria-label="${title}">${barsSvg(bars, title)}</div>${below}</section>
`;
}
