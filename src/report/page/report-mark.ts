/** In the first lines of every report, whatever its format: a file with it may be written over by a new report. */
export const REPORT_MARK = 'report of provision, format 1';

/** Of a file, what is looked at for {@link REPORT_MARK}: in characters. */
const HEAD = 512;

/** Whether a text is a report of this program. */
export function isReport(text: string): boolean {
  return text.slice(0, HEAD).includes(`<!-- ${REPORT_MARK} -->`);
}
