import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { chromium, type Browser, type Page } from 'playwright-core';
import { renderHtml } from '../../src/report/page/render-html.js';
import { reportOf, type RunRecord } from '../../src/report/page/run-report.js';
import { describeWith } from '../support/describe-with.js';
import { SECRETS_AND_ESCAPES, PLANTED } from '../support/sample-plans.js';
import {
  BEHIND_VIRTUAL_IP,
  checkUpRecord,
  DIRECT,
  HOSTILE,
  ITEMS,
  LATENCY,
  recordOf,
  recordWith,
} from '../support/sample-records.js';
import { DRILL_RUN, FAILING_RUN, manyHostsRun, PLANNING_RUN, ROLLING_RUN } from '../support/sample-runs.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const CHROMIUM = '/usr/bin/chromium';
const describeHere = describeWith(CHROMIUM);

let browser: Browser;
let directory: string;
beforeAll(async () => {
  directory = temporaryDirectory('report-page');
  // CI runs as root, where Chromium's own sandbox can't be made; it opens our own files only.
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
});
afterAll(async () => browser.close());

/** A page in a browser, with all that a reader must not meet. */
interface Opened {
  readonly page: Page;
  /** What the console says, what is asked for beside the file itself, and what the page's policy stops. */
  readonly troubles: string[];
}

async function open(html: string, width = 1280): Promise<Opened> {
  const file = join(directory, 'report.html');
  writeFileSync(file, html);
  const page = await browser.newPage({ viewport: { width, height: 800 } });
  const url = pathToFileURL(file).href;
  const troubles: string[] = [];
  page.on('console', (message) => troubles.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => troubles.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (request.url() !== url) troubles.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  return { page, troubles };
}

const RECORDS: readonly (readonly [string, RunRecord])[] = [
  ['a plan', recordOf('plan', PLANNING_RUN, { before: DIRECT, after: BEHIND_VIRTUAL_IP })],
  ['a run', recordOf('apply', ROLLING_RUN, { before: BEHIND_VIRTUAL_IP })],
  ['a run that failed', recordOf('apply', FAILING_RUN)],
  ['a run of 60 hosts', recordOf('apply', manyHostsRun(60))],
  ['a drill', recordOf('drill', DRILL_RUN)],
  ['a health check', checkUpRecord(ITEMS, { latency: LATENCY, before: BEHIND_VIRTUAL_IP })],
  ['a run of which a host says what it likes', recordWith(HOSTILE)],
  ['a run of which a host says one long word', recordWith('x'.repeat(900))],
];

const WIDTHS = [360, 800, 1600] as const;
const SCHEMES = ['light', 'dark'] as const;

describeHere.each(RECORDS)('the page of %s', (_, record) => {
  test('is quiet, and as wide as the window, at three widths, light and dark', async () => {
    const { page, troubles } = await open(renderHtml(reportOf(record)));
    const found = [];
    for (const width of WIDTHS) {
      for (const colorScheme of SCHEMES) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        await page.reload();
        const wide = await page.evaluate('document.documentElement.scrollWidth');
        const back = await page.evaluate('getComputedStyle(document.body).backgroundColor');
        found.push({ wide, back, troubles: troubles.splice(0) });
      }
    }
    await page.close();
    const expected = WIDTHS.flatMap((wide) => [
      { wide, back: 'rgb(255, 255, 255)', troubles: [] },
      { wide, back: 'rgb(20, 24, 29)', troubles: [] },
    ]);
    expect(found).toEqual(expected);
  });
});

describeHere('by the keyboard alone', () => {
  test('steps are found by a word of their diff, opened, and left', async () => {
    const { page, troubles } = await open(renderHtml(reportOf(recordOf('plan', PLANNING_RUN))));
    const shown =
      'Array.from(document.querySelectorAll(".step:not([hidden])")).map((step) => step.textContent.trim().split("\\n")[0])';
    const focused = async (): Promise<unknown> =>
      page.evaluate('`${document.activeElement.tagName} ${document.activeElement.textContent.slice(0, 20)}`');
    const tabTo = async (what: RegExp): Promise<void> => {
      for (let presses = 0; presses < 40 && !what.test(String(await focused())); presses += 1)
        await page.keyboard.press('Tab');
      expect(await focused()).toMatch(what);
    };
    await tabTo(/^INPUT/);
    await page.keyboard.type('SNAPSHOT_count');
    expect(await page.evaluate(shown)).toEqual([expect.stringContaining('create /etc/default/etcd')]);
    expect(await page.textContent('output')).toBe('1 of 5');
    await tabTo(/^SUMMARY/);
    await page.keyboard.press('Enter');
    expect(await page.isVisible('text=ETCD_SNAPSHOT_COUNT=100000 >> nth=0')).toBe(true);
    // A word of its host finds a step, too; and no word shows all again.
    await page.fill('input', 'cp-2');
    expect(await page.evaluate(shown)).toHaveLength(1);
    await page.fill('input', '');
    expect(await page.evaluate(shown)).toHaveLength(5);
    await page.focus('button >> nth=1');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.querySelectorAll("details[open]").length')).toBe(0);
    await page.focus('button >> nth=0');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.querySelectorAll("details[open]").length')).toBe(2);
    expect(troubles).toEqual([]);
    await page.close();
  });

  test('what scrolls sideways in itself can be reached', async () => {
    const { page } = await open(
      renderHtml(reportOf(recordOf('apply', ROLLING_RUN, { before: BEHIND_VIRTUAL_IP }))),
      360,
    );
    const scrolling =
      'Array.from(document.querySelectorAll("*")).filter((each) => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX === "auto")';
    expect(await page.evaluate(`${scrolling}.length`)).toBeGreaterThan(2);
    expect(
      await page.evaluate(
        `${scrolling}.filter((each) => each.tabIndex < 0).map((each) => each.outerHTML.slice(0, 80))`,
      ),
    ).toEqual([]);
    await page.close();
  });
});

describeHere('what a browser would do', () => {
  test('with a script, a style and a picture in a text is nothing; of a page that has them, it is seen', async () => {
    const bad = `<img src="http://192.0.2.1/x.png" onerror="alert(1)"><script>alert(2)</script><p style="color:red">x</p>`;
    const fine = await open(renderHtml(reportOf(recordWith(bad))));
    expect(fine.troubles).toEqual([]);
    expect(await fine.page.textContent('h1 + p')).toBe(bad);
    await fine.page.close();
    // Even where an escape were forgotten, the policy stops all three.
    const planted = renderHtml(reportOf(recordOf('plan', PLANNING_RUN))).replace('</main>', `${bad}</main>`);
    const stopped = await open(planted);
    expect(stopped.troubles.filter((each) => /Content Security Policy/.test(each)).length).toBeGreaterThanOrEqual(3);
    expect(stopped.troubles.filter((each) => each.startsWith('dialog'))).toEqual([]);
    await stopped.page.close();
    // And without a policy, this test would see what it looks for.
    const open_ = await open(planted.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, ''));
    expect(open_.troubles).toContainEqual('dialog: 2');
    expect(open_.troubles).toContainEqual('request: http://192.0.2.1/x.png');
    await open_.page.close();
  });

  test('finds no secret in a page of a plan that has one, nor behind what it shows', async () => {
    const { page } = await open(
      renderHtml(reportOf(recordOf('plan', [{ type: 'planned', plan: SECRETS_AND_ESCAPES }]))),
    );
    const content = await page.content();
    expect(content).toContain('[redacted]');
    expect(content).not.toContain(PLANTED);
    await page.close();
    const leak = await open(renderHtml(reportOf(recordWith(PLANTED))));
    expect(await leak.page.content()).toContain(PLANTED);
    await leak.page.close();
  });
});
