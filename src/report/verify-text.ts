import type { CheckItem, Verdict } from '../checks/check.js';
import { createStyle, type Style } from './style.js';
import { printable } from './terminal-text.js';
import { nameHosts } from './wording.js';

const SIGNS: Readonly<Record<Verdict, string>> = { ok: '✔', warn: '!', fail: '✖' };

/** An item, with all the hosts of which it says the same. */
type Line = Omit<CheckItem, 'host'> & { readonly hosts: string };

/**
 * A health check for people: what several hosts have in common in one line, what to type next below what is not ok, and the
 * figures at the end.
 * @param options `colour`: whether to colour it; `title`: before the figures
 * @returns lines, with a newline at the end
 */
export function renderCheckUp(
  items: readonly CheckItem[],
  options: { readonly colour: boolean; readonly title?: string },
): string {
  const style = createStyle(options);
  const lines = inCommon(items);
  const widths = {
    check: Math.max(0, ...lines.map(({ check }) => check.length)),
    hosts: Math.max(0, ...lines.map(({ hosts }) => hosts.length)),
  };
  const drawn = lines.map((line) => ({ line, text: renderLine(line, widths, style) }));
  const figures = renderFigures(items, options.title ?? 'Health check:', style);
  return `${[...drawn.flatMap(({ text }) => text), '', ...scrolledAway(drawn), figures].join('\n')}\n`;
}

/** Lines that are still in sight on a small terminal. */
const IN_SIGHT = 20;

/** What is not ok, once more, where a part of it has scrolled away. */
function scrolledAway(drawn: readonly { readonly line: Line; readonly text: readonly string[] }[]): readonly string[] {
  const first = drawn.findIndex(({ line }) => line.verdict !== 'ok');
  if (first < 0 || drawn.slice(first).flatMap(({ text }) => text).length <= IN_SIGHT) return [];
  return [...drawn.filter(({ line }) => line.verdict !== 'ok').flatMap(({ text }) => text), ''];
}

function inCommon(items: readonly CheckItem[]): readonly Line[] {
  const groups = new Map<string, CheckItem[]>();
  for (const item of items) {
    const { check, subject, verdict, evidence, next } = item;
    const key = JSON.stringify([check, subject, verdict, evidence, next]);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return [...groups.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const hosts = [first, ...others].flatMap(({ host }) => (host === undefined ? [] : [host]));
    return [{ ...first, hosts: nameHosts(hosts) }];
  });
}

function renderLine(
  { check, hosts, subject, verdict, evidence, next }: Line,
  widths: { readonly check: number; readonly hosts: number },
  style: Style,
): readonly string[] {
  const place = `${check.padEnd(widths.check)}  ${hosts.padEnd(widths.hosts)}`;
  const text = printable(`${subject === undefined ? '' : `${subject}: `}${evidence}`);
  const line = `${colour(verdict, SIGNS[verdict], style)} ${place}  ${verdict === 'ok' ? text : colour(verdict, text, style)}`;
  return next === undefined ? [line] : [line, `    → ${printable(next)}`];
}

function renderFigures(items: readonly CheckItem[], title: string, style: Style): string {
  const counts = (['ok', 'warn', 'fail'] as const).flatMap((verdict) => {
    const count = items.filter((item) => item.verdict === verdict).length;
    return count === 0 ? [] : [colour(verdict, `${count} ${verdict}`, style)];
  });
  return `${style.bold(title)} ${counts.join(', ') || 'nothing to check'}`;
}

function colour(verdict: Verdict, text: string, style: Style): string {
  switch (verdict) {
    case 'ok':
      return style.good(text);
    case 'warn':
      return style.watch(text);
    case 'fail':
      return style.bad(text);
  }
}
