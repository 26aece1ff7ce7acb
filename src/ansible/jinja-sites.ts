// Where a template may let a secret out, and by which names it may carry one there. minijinja knows nothing of secrets:
// a value leaves this program as a plain text and comes back as one. So the places of a template ("sites") are numbered,
// each variable is looked up on behalf of its site, and what the sites print is put between marks. When it is known which
// sites have read a secret, those that print one follow: by the names that they bind and mention, whatever filter the value
// went through. Names count in the whole template, which marks rather too much than too little. The outcome of an `if`
// stays public (docs/adr/2026-11-25-taint-not-search.md).

import { randomBytes } from 'node:crypto';
import { MarkedText } from '../model/marked-text.js';
import { Secret } from '../model/secret.js';
import { FILTER_NAMES } from './jinja-filters.js';
import { pipelineOf, type Pipeline } from './jinja-pipeline.js';
import { localNames } from './jinja-locals.js';
import { rewrite } from './jinja-rewrite.js';
import { blocksOf, tokenize, type Token } from './jinja-tokens.js';

/** Nobody can write this into a value: it is drawn afresh in each run. */
const MARK = `<${randomBytes(16).toString('hex')}>`;

/** One place of a template that evaluates something. */
interface Site {
  /** Names of the template's own that it uses. */
  readonly mentions: Set<string>;
  /** Names that get what it evaluates. */
  readonly binds: readonly string[];
  /** The site whose text this one's becomes a part of: a macro, a `filter`, `call` or `set` block. */
  readonly within: number | undefined;
  readonly isMacro: boolean;
}

/** A template, rewritten. */
export interface CompiledTemplate {
  readonly text: string;
  /** Expressions that are worked out here, by number. */
  readonly pipelines: readonly Pipeline[];
  readonly sites: readonly Site[];
  /** `self` prints a block again, through filters perhaps: then only the whole text can be marked. */
  readonly isMarkable: boolean;
}

/** A block that collects text, while it is open. */
interface Capture {
  readonly site: number;
  readonly end: string;
}

interface Compiler {
  readonly locals: ReadonlySet<string>;
  readonly sites: Site[];
  readonly pipelines: Pipeline[];
  readonly numbers: 'plain' | 'exact';
  readonly open: Capture[];
  readonly isMarkable: boolean;
}

/** Rewrites a whole template. Outputs go through the filter `__text`, which writes values as Python does. */
export function compileTemplate(source: string, numbers: 'plain' | 'exact' = 'plain'): CompiledTemplate {
  const isMarkable = !/\b(?:self|super)\b/.test(source);
  const compiler: Compiler = { locals: localNames(source), sites: [], pipelines: [], numbers, open: [], isMarkable };
  const text = blocksOf(source, (block) =>
    block.out === undefined ? compileStatement(compiler, block) : compileOutput(compiler, block),
  );
  return { text, sites: compiler.sites, pipelines: compiler.pipelines, isMarkable };
}

/** Rewrites a lone expression; its site is 0. */
export function compileExpression(source: string, numbers: 'plain' | 'exact' = 'plain'): string {
  return rewrite(tokenize(source), { locals: new Set(), isStatement: false, site: 0, numbers });
}

function addSite(compiler: Compiler, tokens: readonly Token[], binds: readonly string[], isMacro = false): number {
  const site = { mentions: new Set<string>(), binds, within: compiler.open.at(-1)?.site, isMacro };
  compiler.sites.push(site);
  for (const { kind, text } of tokens)
    if (kind === 'name' && (compiler.locals.has(text) || IMPLICIT.has(text))) site.mentions.add(text);
  return compiler.sites.length - 1;
}

/** Names that Jinja2 binds by itself. */
const IMPLICIT = new Set(['loop', 'caller', 'varargs', 'kwargs']);

type Block = Parameters<Parameters<typeof blocksOf>[1]>[0];

function compileOutput(compiler: Compiler, { out = '', open, close }: Block): string {
  const tokens = tokenize(out);
  const site = addSite(compiler, tokens, []);
  const isOpen = compiler.isMarkable && compiler.open.length === 0;
  const pipeline = isOpen ? pipelineOf(tokens, compiler.locals, FILTER_NAMES) : undefined;
  if (pipeline !== undefined)
    return `{{${open} __piece(${site}, ${compiler.pipelines.push(pipeline) - 1}).v ${close}}}`;
  const { locals, numbers } = compiler;
  const expression = rewrite(tokens, { locals, isStatement: false, site, numbers });
  // Printed bare when undefined: the engine knows which undefined is an error (all but an `if` without `else`).
  const printed = '__out if __out is undefined or __out is string else __out | tojson | __text';
  return isOpen
    ? `{%${open} set __out = (${expression}) %}{{ '${MARK}${site};' }}{{ ${printed} }}{{ '${MARK};' ${close}}}`
    : `{%${open} set __out = (${expression}) %}{{ ${printed} ${close}}}`;
}

function compileStatement(compiler: Compiler, { whole, statement = '', open, close }: Block): string {
  const tokens = tokenize(statement);
  const words = tokens.filter(({ kind }) => kind !== 'space').map(({ text }) => text);
  const [keyword = ''] = words;
  if (keyword === 'block') return whole;
  const ended = compiler.open.at(-1);
  if (ended !== undefined && ended.end === keyword) {
    compiler.open.pop();
    const isPrinted = isMarked(compiler) && (keyword === 'endcall' || keyword === 'endfilter');
    // The last tag decides about the white space after it.
    return isPrinted ? `{%${open}${statement}%}{{ '${MARK};' }}{% set __out = 0 ${close}%}` : whole;
  }
  const isPrinted = isMarked(compiler) && (keyword === 'call' || keyword === 'filter');
  const site = addSite(compiler, tokens, boundBy(words), keyword === 'macro');
  const end = endOf(words);
  if (end !== undefined) compiler.open.push({ site, end });
  const { locals, numbers } = compiler;
  const text = rewrite(tokens, { locals, isStatement: true, site, numbers });
  return isPrinted
    ? `{%${open} set __out = 0 %}{{ '${MARK}${site};' }}{%${text}${close}%}`
    : `{%${open}${text}${close}%}`;
}

function isMarked({ isMarkable, open }: Compiler): boolean {
  return isMarkable && open.length === 0;
}

/** What ends a block that collects text; undefined for all that does not. */
function endOf(words: readonly string[]): string | undefined {
  const [keyword = ''] = words;
  if (['macro', 'call', 'filter'].includes(keyword)) return `end${keyword}`;
  return keyword === 'set' && !words.includes('=') ? 'endset' : undefined;
}

/** Every name in a statement that binds names: some only use theirs, and marking those is no harm. */
function boundBy(words: readonly string[]): readonly string[] {
  const [keyword = '', ...rest] = words;
  const isBinding = ['for', 'set', 'macro', 'call', 'with', 'do', 'import', 'from'].includes(keyword);
  if (!isBinding) return [];
  const stop = rest.indexOf(keyword === 'for' ? 'in' : keyword === 'set' ? '=' : '');
  const names = (stop < 0 ? rest : rest.slice(0, stop)).filter((word) => /^[\p{L}_]/u.test(word));
  const implicit = { for: ['loop'], macro: ['varargs', 'kwargs'], call: ['caller'] }[keyword] ?? [];
  return [...names, ...implicit];
}

/** The sites that hold a secret, from those that have read one. */
function secretSites({ sites }: CompiledTemplate, reads: Iterable<number>): ReadonlySet<number> {
  const secret = new Set(reads);
  const names = new Set<string>();
  let before = -1;
  const taint = (index: number): void => {
    secret.add(index);
    for (const name of sites[index]?.binds ?? []) names.add(name);
  };
  while (before !== secret.size + names.size) {
    before = secret.size + names.size;
    for (const [index, site] of sites.entries()) {
      if (!secret.has(index) && ![...site.mentions].some((name) => names.has(name))) continue;
      taint(index);
      if (site.within !== undefined) taint(site.within);
      // What a macro is called with is in its parameters.
      for (const [other, { isMacro, binds }] of sites.entries())
        if (isMacro && binds[0] !== undefined && site.mentions.has(binds[0])) taint(other);
    }
  }
  return secret;
}

/** A text between marks that say it is secret. */
export function asPiece(text: MarkedText): string {
  return text.parts.map((part) => (part instanceof Secret ? `${MARK}!;${part.reveal()}${MARK};` : part)).join('');
}

/**
 * What a compiled template printed, its secrets marked.
 * @param reads the sites that have read a secret
 */
export function readMarks(template: CompiledTemplate, printed: string, reads: Iterable<number>): MarkedText {
  const secret = secretSites(template, reads);
  const [head = '', ...rest] = printed.split(MARK);
  const parts: (string | Secret)[] = [head];
  for (const segment of rest) {
    const [, id = '', text = ''] = /^([!\d]*);([^]*)$/.exec(segment) ?? [];
    const isSecret = id === '!' || (id !== '' && secret.has(Number(id)));
    parts.push(isSecret ? new Secret(text) : text);
  }
  if (!template.isMarkable && secret.size > 0) return new MarkedText([new Secret(printed)]);
  return new MarkedText(joined(parts));
}

/** Neighbouring plain texts as one. */
function joined(parts: readonly (string | Secret)[]): readonly (string | Secret)[] {
  const result: (string | Secret)[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (typeof part === 'string' && typeof last === 'string') result[result.length - 1] = last + part;
    else if (part !== '') result.push(part);
  }
  return result;
}
