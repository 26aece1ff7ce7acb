import { closingBracket, significant, splitAt, type Token } from './jinja-tokens.js';
import { TemplateError } from './template-error.js';

/** `map('int', default=9)`: minijinja hands no argument by name on to the filter, and says nothing. @throws TemplateError */
export function refuseNamedInMap(tokens: readonly Token[], index: number): void {
  if (tokens[index]?.text !== 'map' || significant(tokens, index - 1, -1).text !== '|') return;
  const open = significant(tokens, index + 1, 1).index;
  const filter = significant(tokens, open + 1, 1);
  if (tokens[open]?.text !== '(' || tokens[filter.index]?.kind !== 'string') return;
  const [, ...given] = splitAt(tokens.slice(open + 1, closingBracket(tokens, open)), ',');
  const named = given
    .map((part) => part.filter(({ kind }) => kind !== 'space'))
    .find(([, equals]) => equals?.text === '=');
  if (named === undefined) return;
  const message = `map(${filter.text}, ${named[0]?.text}=…) takes no argument by name: give it by its place`;
  throw new TemplateError('wrong', message);
}
