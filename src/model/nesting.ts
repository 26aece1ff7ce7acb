/** Deeper than any file of people or of Kubernetes. */
const MAX_DEPTH = 200;

/** A place in a text; both count from 1. */
interface Place {
  readonly line: number;
  readonly column: number;
}

/**
 * Where a YAML or JSON text is nested deeper than 200 levels, by its brackets, indents and dashes; undefined when it is not.
 * To be asked before a parser is: at 100 000 brackets, which are 100 kB, the parser's stack ends the whole process.
 */
export function tooDeepAt(text: string): Place | undefined {
  let brackets = 0;
  const indents: number[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const lead = /^(?: |[-?](?= ))*/.exec(line)?.[0] ?? '';
    // With tags, anchors, tabs and `:` between dashes it is no YAML, and takes the library minutes to say so.
    const signs = (/^(?:[-?:](?=\s)|[!&]\S*(?=\s)|[^\S\n])*/.exec(line)?.[0] ?? '').match(/\S+/g)?.length ?? 0;
    if (signs > MAX_DEPTH) return { line: index + 1, column: lead.length + 1 };
    if (lead.length < line.trimEnd().length) {
      while ((indents.at(-1) ?? -1) >= lead.length) indents.pop();
      indents.push(lead.length);
    }
    const dashes = lead.length - lead.replaceAll(/[-?]/g, '').length;
    if (indents.length + dashes > MAX_DEPTH) return { line: index + 1, column: lead.length + 1 };
    for (const { 0: bracket, index: column } of line.matchAll(/[[\]{}]/g)) {
      brackets = Math.max(0, brackets + (bracket === '[' || bracket === '{' ? 1 : -1));
      if (brackets > MAX_DEPTH) return { line: index + 1, column: column + 1 };
    }
  }
  return undefined;
}
