import type ts from 'typescript';
import type { Mutant } from './mutant.js';
import type { Place } from './slips.js';

/** A place with the number of its mutant. */
export interface Numbered extends Place {
  readonly mutant: Mutant;
}

/**
 * A file's text with all its mutants in it, each behind a switch: `isMutant(7)`. `isMutant` and `firstOf` are globals that
 * the runner gives.
 */
export function instrument(source: ts.SourceFile, numbered: readonly Numbered[]): string {
  const byNode = new Map<ts.Node, Numbered[]>();
  for (const each of numbered) byNode.set(each.node, [...(byNode.get(each.node) ?? []), each]);
  const nodes = [...byNode.keys()].sort((a, b) => a.getStart(source) - b.getStart(source) || b.getEnd() - a.getEnd());

  /** Text of a range, in which the nodes from `next` on that lie in it are instrumented. */
  function render(start: number, end: number, inside: readonly ts.Node[]): string {
    let text = '';
    let at = start;
    for (const node of inside) {
      if (node.getStart(source) < at) continue;
      text += source.text.slice(at, node.getStart(source));
      const [first, last] = [inside.indexOf(node) + 1, node.getEnd()];
      const within = inside
        .slice(first)
        .filter((other) => other.getEnd() <= last && other.getStart(source) >= node.getStart(source));
      text += wrap(node, render(node.getStart(source), last, within));
      at = last;
    }
    return text + source.text.slice(at, end);
  }

  function wrap(node: ts.Node, inner: string): string {
    const mutants = byNode.get(node) ?? [];
    const expressions = mutants.filter(({ as }) => as === 'expression');
    let text = inner;
    if (expressions.length > 0) {
      const cases = expressions.map(({ mutant }) => `isMutant(${mutant.id})?(${mutant.became}):`);
      text = `(${cases.join('')}(${inner}))`;
    }
    for (const { as, mutant } of mutants) {
      if (as === 'statement') text = `{if(!isMutant(${mutant.id})){${text}}}`;
      if (as === 'element') text = elementSwitch(mutant, text);
    }
    return text;
  }

  return render(0, source.text.length, nodes);
}

function elementSwitch({ id, kind }: Mutant, text: string): string {
  if (kind === 'dropped property') return `...(isMutant(${id})?{}:{${text}})`;
  const spread = text.startsWith('...') ? text.slice(3) : undefined;
  if (kind === 'dropped spread') return `...(isMutant(${id})?{}:(${spread ?? text}))`;
  return `...(isMutant(${id})?[]:${spread === undefined ? `[${text}]` : `(${spread})`})`;
}
