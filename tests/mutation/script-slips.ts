/** Words and operators of a shell script that are taken for each other. */
const SLIPS: readonly (readonly [from: RegExp, to: string])[] = [
  [/ && /g, ' || '],
  [/ \|\| /g, ' && '],
  [/ -eq /g, ' -ne '],
  [/ -ne /g, ' -eq '],
  [/ -gt /g, ' -ge '],
  [/ -lt /g, ' -le '],
  [/\[ ! /g, '[ '],
  [/\bif ! /g, 'if '],
  [/\[ -n /g, '[ -z '],
  [/\[ -z /g, '[ -n '],
  [/\[ -e /g, '[ ! -e '],
  [/\[ -f /g, '[ ! -f '],
  [/ >> /g, ' > '],
];

/** A literal's lines: none is cut within `${…}`. */
function linesOf(literal: string): readonly (readonly [start: number, end: number])[] {
  const lines: [number, number][] = [];
  let depth = 0;
  let start = 1;
  for (let at = 1; at < literal.length - 1; at += 1) {
    if (literal.startsWith('${', at)) depth += 1;
    else if (depth > 0 && literal[at] === '}') depth -= 1;
    else if (depth === 0 && literal[at] === '\n') {
      lines.push([start, at + 1]);
      start = at + 1;
    }
  }
  lines.push([start, literal.length - 1]);
  return lines;
}

/** Slips within the source text of a string or a template: dropped lines, and operators of the shell. */
export function scriptSlips(literal: string): readonly (readonly [kind: string, became: string])[] {
  const lines = literal.includes('\n') ? linesOf(literal) : [];
  const dropped = lines
    .filter(([start, end]) => /[^\s{}]/.test(literal.slice(start, end)) && !/^\s*#/.test(literal.slice(start, end)))
    .map(([start, end]): [string, string] => ['dropped line', literal.slice(0, start) + literal.slice(end)]);
  const swapped = SLIPS.flatMap(([from, to]) =>
    [...literal.matchAll(from)]
      .filter(({ index }) => !isWithinExpression(literal, index))
      .map((match): [string, string] => [
        'script operator',
        literal.slice(0, match.index) + to + literal.slice(match.index + match[0].length),
      ]),
  );
  return [...dropped, ...swapped];
}

function isWithinExpression(literal: string, index: number): boolean {
  const opened = literal.lastIndexOf('${', index);
  return opened >= 0 && literal.indexOf('}', opened) > index;
}
