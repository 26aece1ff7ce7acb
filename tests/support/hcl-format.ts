/**
 * Lines that `terraform fmt` would write otherwise, for HCL as modules of this program have it: two spaces for each line with an open bracket,
 * `=` one below the other in neighbouring lines of one value each, nothing at the end of a line, one empty line at most.
 */
export function misformatted(text: string): readonly string[] {
  const lines = text.split('\n').slice(0, -1);
  let depth = 0;
  const indents = lines.map((line) => {
    const closing = /^\s*[}\])]/.test(line) ? 1 : 0;
    const wanted = line === '' ? 0 : 2 * (depth - closing);
    const code = line.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""').replace(/#.*/, '');
    // Several brackets that a line opens are one step.
    depth += Math.sign((code.match(/[{[(]/g) ?? []).length - (code.match(/[}\])]/g) ?? []).length);
    return /^ */.exec(line)?.[0].length === wanted;
  });
  return lines.filter((line, index) => {
    const isLoose = line !== line.trimEnd() || (line === '' && lines[index - 1] === '');
    return indents[index] === false || isLoose || !isAligned(lines, index);
  });
}

const ATTRIBUTE = /^( *(?:[\w-]+|"(?:[^"\\]|\\.)*") *)= /;

/** Where the `=` of an attribute stands; of one whose value goes on in the next line, nothing is compared. */
function column(line: string | undefined): number | undefined {
  if (line === undefined || /[{[(]$/.test(line)) return undefined;
  return ATTRIBUTE.exec(line)?.[1]?.length;
}

function isAligned(lines: readonly string[], index: number): boolean {
  const own = column(lines[index]);
  const above = column(lines[index - 1]);
  return own === undefined || above === undefined || own === above;
}
