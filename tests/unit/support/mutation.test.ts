import { existsSync, readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { transformSync } from 'esbuild';
import ts from 'typescript';
import { playbookSlips, templateSlips } from '../../mutation/data-slips.js';
import { instrument } from '../../mutation/instrument.js';
import { readKnown } from '../../mutation/known.js';
import { plant, type Slip } from '../../mutation/mutant.js';
import { findSlips } from '../../mutation/slips.js';
import { judge } from '../../mutation/verdicts.js';

const SOURCE = `
type Kind = 'small' | 'large';
export function judge(sizes: readonly number[], most: number): { readonly kind: Kind; readonly over: readonly number[] } {
  const over: number[] = [];
  for (const size of sizes) if (size > most && size !== 0) over.push(size);
  if (over.length > 9) throw new Error('more than nine of them are over');
  return { kind: over.length === 0 ? 'small' : 'large', over };
}
globalThis.result = [judge([1, 5, 7], 5), judge([], 0)];
`;

function resultOf(code: string, active: number): unknown {
  const { code: plain } = transformSync(code.replace('export ', ''), { loader: 'ts' });
  const firstOf = (items: readonly unknown[]): readonly unknown[] => items.slice(0, 1);
  const world: { readonly [name: string]: unknown; readonly result?: unknown } = {
    isMutant: (id: number) => id === active,
    firstOf,
  };
  try {
    runInNewContext(plain, world);
  } catch (error) {
    return String(error);
  }
  return world.result;
}

function mutantsOf(text: string) {
  const source = ts.createSourceFile('a.ts', text, ts.ScriptTarget.ES2023, true);
  const numbered = findSlips(source).map((place, index) => ({
    ...place,
    mutant: { id: index + 1, file: 'a.ts', line: 1, ...place.slip },
  }));
  return { numbered, instrumented: instrument(source, numbered) };
}

function planted(text: string, slips: readonly Slip[]): readonly string[] {
  return slips.map((slip) => plant(text, slip));
}

describe('a mutation run', () => {
  const { numbered, instrumented } = mutantsOf(SOURCE);

  test('leaves the code as it is while no mutant is switched on', () => {
    expect(resultOf(instrumented, 0)).toEqual(resultOf(SOURCE, 0));
  });

  test('does with a switch what the planted line does', () => {
    expect(numbered.length).toBeGreaterThan(25);
    for (const { mutant } of numbered)
      expect([mutant.became, resultOf(instrumented, mutant.id)]).toEqual([
        mutant.became,
        resultOf(plant(SOURCE, mutant), 0),
      ]);
  });

  test('knows the slips of its rooms, and makes none in words for people', () => {
    const made = new Set(numbered.map(({ slip }) => `${slip.was} → ${slip.became}`));
    expect([...made]).toEqual(
      expect.arrayContaining([
        'size > most → size >= most',
        'sizes → firstOf(sizes)',
        'over.push(size); → ;',
        "'small' → ''",
        'size > most && size !== 0 → size > most',
        'over → ...{}',
      ]),
    );
    expect([...made].join('\n')).not.toMatch(/'more than nine of them are over' →/);
    const described = mutantsOf("export const limit = z.enum(['--limit']).describe('The one of `--limit`.');");
    expect(described.numbered.map(({ slip }) => slip.was)).toEqual(["'--limit'", "'--limit'"]);
  });

  test('takes lines and operators from scripts, not from the expressions in them', () => {
    const { numbered: found } = mutantsOf('const script = `set -e\n[ -f "${a && b}" ] && rm x\n`;');
    expect(found.map(({ slip }) => slip.became)).toEqual([
      '`[ -f "${a && b}" ] && rm x\n`',
      '`set -e\n`',
      '`set -e\n[ -f "${a && b}" ] || rm x\n`',
      '`set -e\n[ ! -f "${a && b}" ] && rm x\n`',
      'a',
      'b',
    ]);
  });

  test('mixes up what would compile as well: arguments, elements, words, properties and variables', () => {
    const lines = [
      "type Step = 'stop' | 'start' | 'remove';",
      'interface Host { readonly name: string; readonly port: number; readonly owner: string }',
      'function order(step: Step, first: Host, second: Host, most: number): readonly unknown[] {',
      '  let [least, last] = [first.port, most];',
      '  [least, last] = [most, first.port];',
      "  if (step === 'stop') return [order('remove', second, first, least), last];",
      '  return [first.name];',
      '}',
    ];
    const options = { noLib: true, strict: true };
    const source = ts.createSourceFile('a.ts', lines.join('\n'), ts.ScriptTarget.ES2023, true);
    const host = { ...ts.createCompilerHost(options), getSourceFile: () => source, writeFile: () => undefined };
    const checker = ts.createProgram(['a.ts'], options, host).getTypeChecker();
    const mixed = findSlips(source, checker).filter(({ slip }) => /^(?:swapped|other) /.test(slip.kind));
    expect(mixed.map(({ slip }) => `${slip.kind}: ${slip.was} → ${slip.became}`)).toEqual([
      'other order: [first.port, most] → [most, first.port]',
      'other variable: first → second',
      'other variable: most → last',
      'other order: [most, first.port] → [first.port, most]',
      'other variable: most → last',
      'other variable: first → second',
      "other word: 'stop' → 'start'",
      "other order: [order('remove', second, first, least), last] → [last, order('remove', second, first, least)]",
      "swapped arguments: order('remove', second, first, least) → order('remove', first, second, least)",
      "other word: 'remove' → 'stop'",
      'other variable: second → first',
      'other variable: first → second',
      'other variable: least → last',
      'other variable: last → least',
      'other property: first.name → first.owner',
      'other variable: first → second',
    ]);
  });

  test('takes lines, gates and numbers from playbooks and templates', () => {
    const play = '- hosts: etcd\n  serial: 1\n  gates:\n    after: [one, two]\n';
    expect(planted(play, playbookSlips(play))).toEqual(
      expect.arrayContaining([
        '- hosts: etcd\n  gates:\n    after: [one, two]\n',
        '- hosts: etcd\n  serial: 2\n  gates:\n    after: [one, two]\n',
        '- hosts: etcd\n  serial: 1\n  gates:\n    after: [two]\n',
        '- hosts: etcd\n  serial: 1\n  gates:\n    after: [one]\n',
      ]),
    );
    const template = '{% if a %}\nweight 3\n{% endif %}\n';
    expect(planted(template, templateSlips(template))).toEqual([
      '{% if not a %}\nweight 3\n{% endif %}\n',
      '{% if a %}\n{% endif %}\n',
      '{% if a %}\nweight 4\n{% endif %}\n',
    ]);
  });

  test('fails for a survivor, and not for one that is listed', () => {
    const mutants = numbered.slice(0, 3).map(({ mutant }) => mutant);
    const [first, second] = mutants;
    if (first === undefined || second === undefined) throw new Error('no mutants');
    const known = { file: 'a.ts', was: second.was, became: second.became, because: 'nothing can tell them apart' };
    const entries = [{ verdict: 'noticed', id: first.id, by: 'tests/unit/a.test.ts' } as const];
    const verdicts = (isWhole: boolean): readonly string[] =>
      judge({ mutants, entries, isWhole }, [known], () => true).map(({ verdict }) => verdict);
    expect(verdicts(true)).toEqual(['unit', 'listed', 'survived']);
    expect(verdicts(false)).toEqual(['unit', 'listed', 'untried']);
  });

  test('lists as known only what is still there', () => {
    for (const { file, was, lab } of readKnown()) {
      expect([file, readFileSync(file, 'utf8')]).toEqual([file, expect.stringContaining(was)]);
      if (lab !== undefined) expect(existsSync(lab)).toBe(true);
    }
  });
});
