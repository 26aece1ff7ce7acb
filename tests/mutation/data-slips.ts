import type { Slip } from './mutant.js';

interface Line {
  readonly start: number;
  readonly text: string;
}

function linesOf(text: string): readonly Line[] {
  let start = 0;
  return text.split('\n').map((line) => {
    const found = { start, text: line };
    start += line.length + 1;
    return found;
  });
}

function slip(kind: string, start: number, was: string, became: string): Slip {
  return { kind, start, end: start + was.length, was, became, when: 'data' };
}

function listSlips({ start, text }: Line): readonly Slip[] {
  const list = /\[([^\]{}]+)\]/.exec(text);
  if (list?.[1] === undefined) return [];
  const items = list[1].split(', ');
  const at = start + list.index;
  return items.map((item, index) =>
    slip('dropped element', at, list[0], `[${items.filter((_, other) => other !== index).join(', ')}]`),
  );
}

/** Slips in a playbook: a line that is gone, a gate that is gone, another number of hosts at once. */
export function playbookSlips(text: string): readonly Slip[] {
  const lines = linesOf(text).filter((line) => line.text.trim() !== '' && !line.text.trim().startsWith('#'));
  return lines.flatMap((line) => {
    const found =
      /^ {2,}\S/.test(line.text) || /^- import/.test(line.text)
        ? [slip('dropped line', line.start, `${line.text}\n`, '')]
        : [];
    const serial = /serial: 1$/.exec(line.text);
    if (serial !== null) found.push(slip('number', line.start + serial.index, serial[0], 'serial: 2'));
    return [...found, ...listSlips(line)];
  });
}

/** Slips in a template: a line that is gone, a condition that is turned round, a number that is one more. */
export function templateSlips(text: string): readonly Slip[] {
  return linesOf(text).flatMap((line) => {
    const plain = line.text.trim();
    if (plain === '' || plain.startsWith('#')) return [];
    const found: Slip[] = [];
    if (!/\{%-? *(if|for|elif|else|endif|endfor)/.test(plain))
      found.push(slip('dropped line', line.start, `${line.text}\n`, ''));
    for (const match of line.text.matchAll(/\{%-? *(?:el)?if (?=[^%]*%\})/g))
      found.push(slip('negation', line.start + match.index, match[0], `${match[0]}not `));
    for (const match of line.text.matchAll(/(?<![\w.])\d+(?![\w.])/g))
      found.push(slip('number', line.start + match.index, match[0], String(Number(match[0]) + 1)));
    return found;
  });
}
