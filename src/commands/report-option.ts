import { Option } from 'commander';

/** What every verb with a report takes. */
export interface ReportOptions {
  /** Files; each ends with `.md`, `.xml` or `.html`. */
  readonly report?: readonly string[];
}

/** `--report`, which may be given several times. */
export function reportOption(): Option {
  return new Option(
    '--report <file>',
    'also write a report: .md for a pull request, .xml for a CI (JUnit), .html to attach; may be given several times',
  ).argParser<readonly string[] | undefined>((file, before) => [...(before ?? []), file]);
}
