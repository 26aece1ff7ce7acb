import { resolve } from 'node:path';
import { ProvisionError } from '../model/errors.js';
import { readTextBounded, LARGE_FILE_BYTES } from '../model/read-bounded.js';
import { requireWritable, writePrivately } from '../pki/store-files.js';
import { isReport } from '../report/page/report-mark.js';
import { reportOf, type RunRecord, type RunReport } from '../report/page/run-report.js';
import { quote } from '../shell/quote.js';

/** Extension → what makes such a report; loaded when it is needed. */
const RENDERERS: Readonly<Record<string, () => Promise<(report: RunReport) => string>>> = {
  '.md': async () => (await import('../report/page/render-markdown.js')).renderMarkdown,
  '.xml': async () => (await import('../report/page/render-junit.js')).renderJunit,
  '.html': async () => (await import('../report/page/render-html.js')).renderHtml,
};

/** Where reports go; all of it was looked at before anything ran. */
export interface ReportFiles {
  /** Writes each file whole, for its owner only: it says what a saved plan says. @throws ProvisionError `file-not-written` */
  write(record: RunRecord): Promise<void>;
}

/**
 * Looks whether reports can be written, before the run: a name of no format, a directory where nothing may be made, and a file
 * that is no report are refused.
 * @throws ProvisionError `report-format`, `report-in-the-way`, `file-not-written`
 */
export async function openReportFiles(files: readonly string[]): Promise<ReportFiles> {
  const named = [...new Map(files.map((file) => [resolve(file), file])).values()];
  const targets = named.map((file) => ({ file, renderer: rendererOf(file) }));
  for (const { file } of targets) {
    await requireWritable(file, 'the report');
    await refuseForeign(file);
  }
  return {
    async write(record) {
      const report = reportOf(record);
      for (const { file, renderer } of targets) await writePrivately(file, (await renderer())(report), 'the report');
    },
  };
}

function rendererOf(file: string): () => Promise<(report: RunReport) => string> {
  const extension = /\.[a-z]+$/.exec(file)?.[0] ?? '';
  const renderer = RENDERERS[extension];
  if (renderer !== undefined) return renderer;
  throw new ProvisionError({
    code: 'report-format',
    message: `--report ${file}: expected a name that ends with ${Object.keys(RENDERERS).join(', ')}`,
    hint: `for a page: --report ${quote(`${file}.html`)}`,
  });
}

/** What can't be read is no report. */
async function refuseForeign(file: string): Promise<void> {
  const text = await readTextBounded(file, LARGE_FILE_BYTES).catch((error: unknown) =>
    isMissing(error) ? undefined : '',
  );
  if (text === undefined || text === '' || isReport(text)) return;
  throw new ProvisionError({
    code: 'report-in-the-way',
    message: `${file} is no report of this program, and is left as it is; nothing was done`,
    hint: 'choose another name for --report, or move the file away',
  });
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}
