/**
 * Why Go's text/template refuses a template before anything is asked with it: a block without its end, an end without its block, a
 * variable that is not declared where it is read or set.
 * @returns a text for each; empty: it is taken
 */
export function goTemplateFaults(template: string): readonly string[] {
  const faults: string[] = [];
  const scopes = [new Set(['$'])];
  for (const [, action = ''] of template.matchAll(/\{\{(.*?)\}\}/g)) {
    const code = action.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
    if (code === 'end') {
      if (scopes.length === 1) faults.push('an end of nothing');
      else scopes.pop();
      continue;
    }
    // `$a, $b := what they are made of`, also behind the word that begins a block.
    const [, names, from = code] = /^(?:\w+ )?(\$.*?) := (.*)$/.exec(code) ?? [];
    for (const [name] of from.matchAll(/\$\w*/g))
      if (!scopes.some((scope) => scope.has(name))) faults.push(`${name} is not declared in {{${action}}}`);
    if (/^(?:range|with|if) /.test(code)) scopes.push(new Set());
    for (const name of names?.split(', ') ?? []) scopes.at(-1)?.add(name);
  }
  return [...faults, ...scopes.slice(1).map(() => 'a block without its end')];
}
