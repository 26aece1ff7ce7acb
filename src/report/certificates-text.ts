import type { CertificateListing, ListedCertificate } from '../day-two/certificate-schema.js';
import { createStyle, type Style } from './style.js';
import { printable } from './terminal-text.js';

/** A certificate that ends in fewer days is shown as one to look at. */
const SOON_DAYS = 30;

/**
 * The certificates of a cluster for people: one line each in order of expiry, its names and what is wrong with it below.
 * @param options `colour`: whether to colour it
 * @returns lines, with a newline at the end
 */
export function renderCertificates(
  { certificates, unreachable }: Pick<CertificateListing, 'certificates' | 'unreachable'>,
  options: { readonly colour: boolean },
): string {
  const style = createStyle(options);
  const rows = certificates.map((each) => [daysOf(each), each.validUntil?.slice(0, 10) ?? '', each.name, each.path]);
  const head = ['DAYS', 'UNTIL', 'NAME', 'PATH'];
  const widths = head.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => printable(row[index] ?? '').length)),
  );
  const pad = (row: readonly string[]): string =>
    row
      .map((cell, index) => (index === 0 ? cell.padStart(widths[0] ?? 0) : printable(cell).padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd();
  const lines = certificates.flatMap((each, index) => [
    coloured(each, pad(rows[index] ?? []), style),
    ...detailsOf(each).map((line) => style.dim(`      ${printable(line)}`)),
    ...each.faults.map((fault) => `      ${style.bad(printable(fault))}`),
  ]);
  const missing = unreachable.map(({ host, message }) => style.bad(printable(`${host}: ${message}`)));
  return `${[style.bold(pad(head)), ...lines, ...missing].join('\n')}\n`;
}

function daysOf({ daysLeft }: ListedCertificate): string {
  return daysLeft === null ? '?' : String(daysLeft);
}

function coloured({ daysLeft }: ListedCertificate, text: string, style: Style): string {
  if (daysLeft === null || daysLeft < 0) return style.bad(text);
  return daysLeft < SOON_DAYS ? style.watch(text) : text;
}

function detailsOf({ subject, issuer, names }: ListedCertificate): readonly string[] {
  if (subject === null) return [];
  return [`${subject}; by ${issuer ?? 'nobody'}${names.length === 0 ? '' : `; ${names.join(', ')}`}`];
}
