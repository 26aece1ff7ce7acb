import { styleText } from 'node:util';

/** How words are coloured. Without colours each gives its text back. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  /** Disruptive, unknown, waiting: worth a look. */
  watch(text: string): string;
  /** A part of a diff that says where, not what. */
  place(text: string): string;
}

type Format = Parameters<typeof styleText>[0];

/** @param options `colour`: whether the output can show colours; `NO_COLOR` is the caller's to respect */
export function createStyle(options: { readonly colour: boolean }): Style {
  const apply = (format: Format) => (text: string) =>
    // Newer Nodes look at process.stdout unless told not to; the caller has decided already.
    options.colour ? styleText(format, text, { validateStream: false }) : text;
  return {
    bold: apply('bold'),
    dim: apply('dim'),
    good: apply('green'),
    bad: apply('red'),
    watch: apply('yellow'),
    place: apply('cyan'),
  };
}

/** How a thing ended, in colour. */
export function mark(sign: '✔' | '✖', style: Style): string {
  return sign === '✔' ? style.good(sign) : style.bad(sign);
}

/** A kept line, with its mark in colour; a failure is coloured whole. */
export function markLine(line: string, style: Style): string {
  if (line.startsWith('✔')) return `${mark('✔', style)}${line.slice(1)}`;
  return line.startsWith('✖') ? style.bad(line) : line;
}
