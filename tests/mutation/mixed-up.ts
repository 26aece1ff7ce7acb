import ts from 'typescript';

type Found = readonly [kind: string, became: string];

/** Type of a value that is as good as another one of it. */
function isSame(one: ts.Type, other: ts.Type): boolean {
  return one === other && (one.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) === 0;
}

function isPlain(type: ts.Type): boolean {
  const parts = type.isUnion() ? type.types : [type];
  const plain = ts.TypeFlags.StringLike | ts.TypeFlags.NumberLike | ts.TypeFlags.BooleanLike | ts.TypeFlags.Undefined;
  return parts.every(({ flags }) => (flags & plain) !== 0);
}

/** Whether something is put there: nothing else can stand in its place. */
function isTarget(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isPostfixUnaryExpression(parent) || ts.isDeleteExpression(parent)) return true;
  if (ts.isArrayLiteralExpression(parent)) return isTarget(parent);
  if (!ts.isBinaryExpression(parent) || parent.left !== node) return false;
  const operator = parent.operatorToken.kind;
  return operator >= ts.SyntaxKind.FirstAssignment && operator <= ts.SyntaxKind.LastAssignment;
}

/** Whoever gets values or lists whose order is of no account. */
const UNORDERED = /^(?:Set|Map|all|allSettled|race|includes|some|every|max|min|enum|discriminatedUnion)$/;

function nameOf(node: ts.Node): string {
  return ts.isPropertyAccessExpression(node) ? node.name.text : node.getText();
}

/** Two arguments, each of which could stand in the other's place. */
function swappedArguments(node: ts.CallExpression | ts.NewExpression, checker: ts.TypeChecker): readonly Found[] {
  const given = UNORDERED.test(nameOf(node.expression)) ? [] : (node.arguments ?? []);
  const fits = (value: ts.Expression, place: ts.Expression): boolean => {
    const wanted = checker.getContextualType(place);
    return wanted !== undefined && checker.isTypeAssignableTo(checker.getTypeAtLocation(value), wanted);
  };
  return given.flatMap((one, index): readonly Found[] => {
    const other = given[index + 1];
    if (other === undefined || one.getText() === other.getText() || [one, other].some(isNoValue)) return [];
    return fits(one, other) && fits(other, one) ? [['swapped arguments', swapped(node, one, other)]] : [];
  });
}

function isNoValue(node: ts.Node): boolean {
  return ts.isSpreadElement(node) || ts.isFunctionLike(node) || ts.isOmittedExpression(node);
}

/** The text of a node with two of its parts in each other's place. */
function swapped(node: ts.Node, one: ts.Node, other: ts.Node): string {
  const text = node.getText();
  const [a, b] = [one, other].map((part) => part.getStart() - node.getStart());
  const [first = 0, second = 0] = [a, b];
  const [was, next] = [one.getText(), other.getText()];
  return text.slice(0, first) + next + text.slice(first + was.length, second) + was + text.slice(second + next.length);
}

/** Two elements of a list in the other order: steps, lines, words. */
function swappedElements(node: ts.ArrayLiteralExpression): readonly Found[] {
  const { parent } = node;
  const caller = ts.isCallExpression(parent) || ts.isNewExpression(parent) ? parent.expression : parent;
  if (UNORDERED.test(nameOf(caller)) || ts.isForOfStatement(parent)) return [];
  if (ts.isBinaryExpression(parent) && parent.left === node) return [];
  return node.elements.flatMap((one, index): readonly Found[] => {
    const other = node.elements[index + 1];
    if (other === undefined || one.getText() === other.getText() || [one, other].some(ts.isOmittedExpression))
      return [];
    return [['other order', swapped(node, one, other)]];
  });
}

/** Another word of those that are possible there. */
function otherWord(node: ts.StringLiteral, checker: ts.TypeChecker): readonly Found[] {
  const { parent } = node;
  const asked = ts.isBinaryExpression(parent) ? (parent.left === node ? parent.right : parent.left) : undefined;
  const subject = ts.isCaseClause(parent) ? parent.parent.parent.expression : asked;
  const type = subject === undefined ? checker.getContextualType(node) : checker.getTypeAtLocation(subject);
  const words = (type?.isUnion() === true ? type.types : []).flatMap((each) =>
    each.isStringLiteral() ? [each.value] : [],
  );
  const other = words[(words.indexOf(node.text) + 1) % words.length];
  return words.includes(node.text) && other !== undefined && other !== node.text ? [['other word', `'${other}'`]] : [];
}

/** Another property of the same type, of the same object. */
function otherProperty(node: ts.PropertyAccessExpression, checker: ts.TypeChecker): readonly Found[] {
  const type = checker.getTypeAtLocation(node.expression);
  const typeOf = (symbol: ts.Symbol): ts.Type => checker.getTypeOfSymbolAtLocation(symbol, node);
  const isOurs = ({ valueDeclaration }: ts.Symbol): boolean =>
    valueDeclaration !== undefined && !valueDeclaration.getSourceFile().isDeclarationFile;
  const all = checker.getPropertiesOfType(type).filter((each) => isOurs(each) && !each.name.startsWith('__#'));
  const at = all.findIndex(({ name }) => name === node.name.text);
  const own = all[at];
  if (own === undefined || !isPlain(typeOf(own))) return [];
  const other = [...all.slice(at + 1), ...all.slice(0, at)].find((each) => isSame(typeOf(each), typeOf(own)));
  return other === undefined ? [] : [['other property', `${node.expression.getText()}.${other.name}`]];
}

function functionOf(node: ts.Node): ts.Node | undefined {
  return ts.findAncestor(node, ts.isFunctionLike);
}

/** Another variable of the same type, of the same function or of one around it: the last that was declared. */
function otherVariable(node: ts.Identifier, checker: ts.TypeChecker): readonly Found[] {
  const own = checker.getSymbolAtLocation(node);
  if (own?.valueDeclaration === undefined || functionOf(own.valueDeclaration) === undefined) return [];
  const type = checker.getTypeOfSymbolAtLocation(own, own.valueDeclaration);
  const others = checker.getSymbolsInScope(node, ts.SymbolFlags.Variable).filter((each) => {
    const declared = each.valueDeclaration;
    if (declared === undefined || each === own || declared.getSourceFile() !== node.getSourceFile()) return false;
    if (functionOf(declared) === undefined || declared.getEnd() > node.getStart()) return false;
    return isSame(checker.getTypeOfSymbolAtLocation(each, declared), type) && type.getCallSignatures().length === 0;
  });
  const [other] = others.toSorted((a, b) => (b.valueDeclaration?.pos ?? 0) - (a.valueDeclaration?.pos ?? 0));
  return other === undefined ? [] : [['other variable', other.name]];
}

/** Whether an identifier is read as a value. */
function isRead(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isPropertyAssignment(parent) || ts.isBindingElement(parent) || ts.isVariableDeclaration(parent))
    return parent.initializer === node;
  if (ts.isParameter(parent)) return parent.initializer === node;
  return (
    ts.isExpression(parent) || ts.isTemplateSpan(parent) || ts.isReturnStatement(parent) || ts.isIfStatement(parent)
  );
}

/**
 * What is taken for something else that would compile as well: two arguments or elements in the other order, another word of
 * those that are possible, another property or variable of the same type.
 */
export function mixUps(node: ts.Node, checker: ts.TypeChecker): readonly Found[] {
  if (isTarget(node) || (node.flags & ts.NodeFlags.OptionalChain) !== 0) return [];
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) return swappedArguments(node, checker);
  if (ts.isArrayLiteralExpression(node)) return swappedElements(node);
  if (ts.isStringLiteral(node)) return otherWord(node, checker);
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.name)) return otherProperty(node, checker);
  if (ts.isIdentifier(node) && isRead(node)) return otherVariable(node, checker);
  return [];
}
