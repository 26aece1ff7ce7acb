import { statementsOf, tokenize, type Token } from './jinja-tokens.js';

/** Names that the template binds itself: loop variables, `set`, macros and their parameters, `with`, imports. */
export function localNames(source: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const statement of statementsOf(source)) {
    const tokens = tokenize(statement).filter((token) => token.kind !== 'space');
    for (const name of boundNames(tokens)) names.add(name);
  }
  return names;
}

function boundNames(tokens: readonly Token[]): readonly string[] {
  const names = (part: readonly Token[]): string[] =>
    part.filter((token) => token.kind === 'name').map((token) => token.text);
  const until = (stop: string): readonly Token[] => {
    const end = tokens.findIndex((token) => token.text === stop);
    return tokens.slice(1, end < 0 ? undefined : end);
  };
  switch (tokens[0]?.text) {
    case 'for':
      return names(until('in'));
    case 'set':
      return names(until('='));
    case 'macro':
      return names(tokens.slice(1));
    case 'call':
      return tokens[1]?.text === '(' ? names(until(')')) : [];
    case 'with':
      return tokens
        .filter((token, index) => token.kind === 'name' && tokens[index + 1]?.text === '=')
        .map((token) => token.text);
    case 'import':
    case 'from':
      return names(tokens.slice(tokens.findIndex((token) => token.text === 'import' || token.text === 'as')));
    default:
      return [];
  }
}
