import ts from 'typescript';
import type { Slip } from './mutant.js';
import { mixUps } from './mixed-up.js';
import { scriptSlips } from './script-slips.js';

/** A slip and how its place is instrumented: as an expression, a statement, or an element of a list. */
export interface Place {
  readonly node: ts.Node;
  readonly as: 'expression' | 'statement' | 'element';
  readonly slip: Slip;
}

type Found = readonly [kind: string, became: string];

const COMPARISONS = new Map<ts.SyntaxKind, readonly string[]>([
  [ts.SyntaxKind.LessThanToken, ['<=', '>=']],
  [ts.SyntaxKind.LessThanEqualsToken, ['<', '>']],
  [ts.SyntaxKind.GreaterThanToken, ['>=', '<=']],
  [ts.SyntaxKind.GreaterThanEqualsToken, ['>', '<']],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, ['!==']],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, ['===']],
  [ts.SyntaxKind.PlusToken, ['-']],
  [ts.SyntaxKind.MinusToken, ['+']],
  [ts.SyntaxKind.AsteriskToken, ['/']],
  [ts.SyntaxKind.SlashToken, ['*']],
  [ts.SyntaxKind.PercentToken, ['*']],
]);

/** Methods that are taken for each other. */
const METHODS = new Map([
  ['some', 'every'],
  ['every', 'some'],
  ['find', 'findLast'],
  ['findLast', 'find'],
  ['startsWith', 'endsWith'],
  ['endsWith', 'startsWith'],
  ['min', 'max'],
  ['max', 'min'],
  ['floor', 'ceil'],
  ['ceil', 'floor'],
  ['indexOf', 'lastIndexOf'],
  ['replaceAll', 'replace'],
]);

/** Methods that are forgotten: what they were called on stays as it is. */
const FORGOTTEN = new Set([
  'filter',
  'slice',
  'sort',
  'toSorted',
  'reverse',
  'toReversed',
  'trim',
  'trimEnd',
  'toLowerCase',
]);

/** Methods that give an order: the other one. */
const SORTED = new Set(['sort', 'toSorted']);

/** Methods that do something for each: for the first only. */
const FOR_EACH = new Set(['map', 'flatMap', 'filter', 'some', 'every', 'forEach', 'find']);

/** Properties and parameters whose text is for people. */
const WORDS =
  /^(message|hint|summary|because|reason|why|subject|description|next|detail|title|expected|label|note|told|says)$/;

/** What the description of a schema, or of a verb, is set to: not what it is called on. */
function isDescription(node: ts.Node): boolean {
  const { parent } = node;
  if (!ts.isCallExpression(parent) || parent.expression === node) return false;
  return ts.isPropertyAccessExpression(parent.expression) && /^descri(?:be|ption)$/.test(parent.expression.name.text);
}

/**
 * Text for people: a sentence, a description, or what is given to an error. No slip is made in it: how a
 * thing is said is judged by readers.
 */
function isForPeople(node: ts.Node, text: string): boolean {
  for (let at: ts.Node = node; !ts.isStatement(at); at = at.parent) {
    if (ts.isPropertyAssignment(at.parent) && ts.isIdentifier(at.parent.name) && WORDS.test(at.parent.name.text))
      return true;
    if (ts.isVariableDeclaration(at.parent) && ts.isIdentifier(at.parent.name) && WORDS.test(at.parent.name.text))
      return true;
    if (isDescription(at)) return true;
    if (ts.isNewExpression(at.parent) && /Error$|Held$/.test(at.parent.expression.getText())) return true;
    if (ts.isPropertyAssignment(at.parent) || ts.isFunctionLike(at.parent)) break;
  }
  const plain = text.replaceAll(/\$\{[^}]*\}/g, 'x');
  return !plain.includes('\n') && /\w[,:;]? \w+[,:;]? \w/.test(plain) && !/[$|&<>{}=\\"]|--|\/\w+\//.test(plain);
}

function isCode(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isLiteralTypeNode(parent) || ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent)) return false;
  if (ts.isExternalModuleReference(parent) || ts.isTaggedTemplateExpression(parent)) return false;
  if (ts.isCallExpression(parent) && parent.expression.kind === ts.SyntaxKind.ImportKeyword) return false;
  return !((ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent)) && parent.name === node);
}

function inChain(node: ts.Node): boolean {
  return (node.flags & ts.NodeFlags.OptionalChain) !== 0;
}

function binarySlips(node: ts.BinaryExpression): readonly Found[] {
  const [left, right] = [node.left.getText(), node.right.getText()];
  const operator = node.operatorToken.kind;
  if (operator === ts.SyntaxKind.AmpersandAmpersandToken || operator === ts.SyntaxKind.BarBarToken)
    return [
      ['half of a condition', left],
      ['half of a condition', right],
    ];
  if (operator === ts.SyntaxKind.QuestionQuestionToken) return [['fallback', left]];
  return (COMPARISONS.get(operator) ?? []).map((other) => ['comparison', `${left} ${other} ${right}`]);
}

function callSlips(node: ts.CallExpression): readonly Found[] {
  const callee = node.expression;
  if (!ts.isPropertyAccessExpression(callee) || inChain(node)) return [];
  const [on, name] = [callee.expression.getText(), callee.name.text];
  const rest = node.getText().slice(callee.getEnd() - node.getStart());
  const other = METHODS.get(name);
  const found: Found[] = [];
  if (other !== undefined) found.push(['method', `${on}.${other}${rest}`]);
  if (FORGOTTEN.has(name)) found.push(['forgotten method', on]);
  if (SORTED.has(name)) found.push(['reversed', `${node.getText()}.reverse()`]);
  if (FOR_EACH.has(name)) found.push(['only the first', `firstOf(${on}).${name}${rest}`]);
  return found;
}

/** In regular expressions: an anchor or a flag that is forgotten. */
function regexSlips(text: string): readonly Found[] {
  const end = text.lastIndexOf('/');
  const [body, flags] = [text.slice(1, end), text.slice(end + 1)];
  const found: Found[] = [];
  if (body.startsWith('^')) found.push(['anchor', `/${body.slice(1)}/${flags}`]);
  if (/[^\\]\$$/.test(body)) found.push(['anchor', `/${body.slice(0, -1)}/${flags}`]);
  for (const flag of flags.replace(/[uv]/, '')) found.push(['flag', `/${body}/${flags.replace(flag, '')}`]);
  return found;
}

function textSlips(node: ts.StringLiteralLike | ts.TemplateExpression, source: ts.SourceFile): readonly Found[] {
  const text = node.getText(source);
  const inner = text.slice(1, -1);
  if (!isCode(node) || isForPeople(node, inner)) return [];
  const script = scriptSlips(text);
  if (inner.includes('\n') || script.length > 0) return script;
  return [['text', inner === '' ? "'x'" : "''"]];
}

function expressionSlips(node: ts.Node, source: ts.SourceFile): readonly Found[] {
  if (ts.isBinaryExpression(node)) return binarySlips(node);
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken)
    return [['negation', node.operand.getText()]];
  if (node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword)
    return ts.isLiteralTypeNode(node.parent) ? [] : [['truth', node.getText() === 'true' ? 'false' : 'true']];
  if (ts.isNumericLiteral(node) && isCode(node)) return numberSlips(node);
  if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) return textSlips(node, source);
  if (ts.isRegularExpressionLiteral(node)) return regexSlips(node.text);
  if (ts.isCallExpression(node)) return callSlips(node);
  return [];
}

function numberSlips(node: ts.NumericLiteral): readonly Found[] {
  const text = node.getText();
  return [['number', `${text} + 1`], ...(text === '0' ? [] : [['number', `${text} - 1`] as const])];
}

/** Conditions that always or never hold. */
function conditionSlips(node: ts.Node): readonly Found[] {
  const { parent } = node;
  const isCondition =
    (ts.isIfStatement(parent) && parent.expression === node) ||
    (ts.isWhileStatement(parent) && parent.expression === node) ||
    (ts.isConditionalExpression(parent) && parent.condition === node);
  if (isCondition && node.kind !== ts.SyntaxKind.TrueKeyword)
    return ts.isWhileStatement(parent)
      ? [['condition', 'false']]
      : [
          ['condition', 'true'],
          ['condition', 'false'],
        ];
  if (ts.isForOfStatement(parent) && parent.expression === node && parent.awaitModifier === undefined)
    return [['only the first', `firstOf(${node.getText()})`]];
  if (ts.isArrowFunction(parent) && parent.body === node && isTest(node)) return [['condition', 'true']];
  return [];
}

function isTest(node: ts.Node): boolean {
  return (
    ts.isBinaryExpression(node) &&
    [
      ts.SyntaxKind.EqualsEqualsEqualsToken,
      ts.SyntaxKind.ExclamationEqualsEqualsToken,
      ts.SyntaxKind.AmpersandAmpersandToken,
      ts.SyntaxKind.BarBarToken,
    ].includes(node.operatorToken.kind)
  );
}

function isDroppable(node: ts.Node): node is ts.Statement {
  return ts.isExpressionStatement(node) || ts.isThrowStatement(node);
}

function isInList(node: ts.Node): boolean {
  if (!ts.isArrayLiteralExpression(node.parent)) return false;
  const list = node.parent;
  const isTarget = ts.isBinaryExpression(list.parent) && list.parent.left === list;
  return !isTarget && !ts.isOmittedExpression(node);
}

/** A property of an object that is written out; where it is no optional one, the compiler refuses its absence. */
function isForgettable(node: ts.Node): boolean {
  if (!ts.isPropertyAssignment(node) && !ts.isShorthandPropertyAssignment(node)) return false;
  const { parent } = node.parent;
  const isTarget = ts.isBinaryExpression(parent) && parent.left === node.parent;
  return !isTarget && !(ts.isIdentifier(node.name) && WORDS.test(node.name.text));
}

function isLoad(node: ts.Node): boolean {
  for (let at = node.parent; !ts.isSourceFile(at); at = at.parent) if (ts.isFunctionLike(at)) return false;
  return true;
}

/**
 * All slips that could be made in a TypeScript file, in the order of their places.
 * @param checker knows its types: without them nothing is mixed up
 */
export function findSlips(source: ts.SourceFile, checker?: ts.TypeChecker): readonly Place[] {
  const places: Place[] = [];
  function visit(node: ts.Node): void {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    const add = (as: Place['as'], kind: string, became: string): void => {
      const [start, end] = [node.getStart(source), node.getEnd()];
      const when = isLoad(node) ? 'load' : 'call';
      places.push({ node, as, slip: { kind, start, end, was: source.text.slice(start, end), became, when } });
    };
    if (isDroppable(node)) add('statement', 'dropped statement', ';');
    if (isInList(node)) add('element', 'dropped element', '...[]');
    if (isForgettable(node)) add('element', 'dropped property', '...{}');
    if (ts.isSpreadAssignment(node) && ts.isExpression(node.expression)) add('element', 'dropped spread', '...{}');
    else
      for (const [kind, became] of [
        ...expressionSlips(node, source),
        ...conditionSlips(node),
        ...(checker === undefined ? [] : mixUps(node, checker)),
      ])
        if (became !== node.getText(source)) add('expression', kind, became);
    ts.forEachChild(node, visit);
  }
  ts.forEachChild(source, visit);
  return places;
}
