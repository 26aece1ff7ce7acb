import { createHash } from 'node:crypto';
import { duration } from '../wording.js';
import { drawCluster } from './drawing.js';
import { drillSection, latencySection } from './figure-sections.js';
import { markup, type Markup } from './markup.js';
import { PAGE_SCRIPT } from './page-script.js';
import { PAGE_STYLE } from './page-style.js';
import { pictureSvg } from './picture-svg.js';
import {
  changesSection,
  checksSection,
  clustersSection,
  failuresSection,
  gatesSection,
  noticesSection,
  playsSection,
} from './page-sections.js';
import { REPORT_MARK } from './report-mark.js';
import type { RunReport } from './run-report.js';
import { timelineSvg } from './charts.js';

/** Nothing from anywhere, no form, no frame; the page's own style and script by their digests. */
const POLICY = [
  "default-src 'none'",
  `style-src ${digestOf(PAGE_STYLE)}`,
  `script-src ${digestOf(PAGE_SCRIPT)}`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

function digestOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** A report as one page that needs nothing else: to attach to a change request. @returns HTML */
export function renderHtml(report: RunReport): string {
  const { verdict, command, inventory } = report;
  const title = `provision ${command} ${inventory}`;
  return markup`<!doctype html>
<!-- ${{ markup: REPORT_MARK }} -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${{ markup: POLICY }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${{ markup: PAGE_STYLE }}</style>
</head>
<body>
<header>
<h1 class="${verdict.tone}">${verdict.text}</h1>
${verdict.detail === undefined ? undefined : markup`<p>${verdict.detail}</p>`}
${aboutList(report)}
</header>
<main>
${sectionsOf(report)}
</main>
<script>${{ markup: PAGE_SCRIPT }}</script>
</body>
</html>
`.markup;
}

function aboutList({ tool, command, inventory, by, begun, elapsedMs, plan }: RunReport): Markup {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['command', `provision ${command} ${inventory}`],
    ['by', by],
    ['begun', begun.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')],
    ['took', duration(elapsedMs)],
    ['playbook', plan?.playbook],
    ['limit', plan?.limit],
    ['provision', tool],
  ];
  const cells = rows.map(([name, value]) =>
    value === undefined ? undefined : markup`<dt>${name}</dt><dd>${value}</dd>`,
  );
  return markup`<dl>${cells}</dl>`;
}

function sectionsOf(report: RunReport): readonly Markup[] {
  return [
    failuresSection(report),
    playsSection(report),
    clustersSection(report),
    checksSection(report),
    ...pictureSection(report),
    ...drillSection(report),
    ...latencySection(report),
    changesSection(report),
    timelineSection(report),
    gatesSection(report),
    noticesSection(report),
  ];
}

function pictureSection({ before, after, command }: RunReport): readonly Markup[] {
  const afterTitle = command === 'plan' ? 'The cluster, as the inventory describes it' : 'The cluster after';
  const shown = [
    { title: after === undefined ? 'The cluster' : 'The cluster before', picture: before },
    { title: afterTitle, picture: after },
  ];
  return shown.map(({ title, picture }) =>
    picture === undefined
      ? markup``
      : markup`<section><h2>${title}</h2><div class="wide" tabindex="0" role="region" aria-label="${title}">${pictureSvg(drawCluster(picture), title)}</div></section>
`,
  );
}

function timelineSection(report: RunReport): Markup {
  if (report.hosts.length === 0) return markup``;
  const key = [
    ['look', 'look'],
    ['done', 'change'],
    ['failed', 'failed or interrupted'],
    ['undone', 'rolled back'],
    ['gate', 'wait at a gate'],
  ].map(([name, words]) => markup`<span class="key ${name}">${words}</span> `);
  return markup`<section><h2>Timeline</h2><p class="dim">${key}</p><div class="wide" tabindex="0" role="region" aria-label="timeline">${timelineSvg(report)}</div></section>
`;
}
