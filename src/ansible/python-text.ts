import { isList, numberText, type PythonValue, WholeFloat } from '../model/python-value.js';

/** A value as Jinja2 under Ansible prints it: Python's words for truth values, nothing for None. */
export function pythonText(value: PythonValue): string {
  return value === null ? '' : typeof value === 'string' ? value : pythonRepr(value);
}

/** Python's `str()`: of None, too, which an output prints as nothing. */
export function pythonStr(value: PythonValue): string {
  return value === null ? 'None' : pythonText(value);
}

/** A value as Python's `repr()` writes it. */
function pythonRepr(value: PythonValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number' || typeof value === 'bigint' || value instanceof WholeFloat) return numberText(value);
  if (typeof value === 'string') return quoted(value);
  if (isList(value)) return `[${value.map(pythonRepr).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${quoted(key)}: ${pythonRepr(item)}`)
    .join(', ')}}`;
}

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '\\r');
  return `${quote}${quote === "'" ? escaped.replaceAll("'", "\\'") : escaped}${quote}`;
}
