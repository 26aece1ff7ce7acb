/**
 * A float of Python whose value is a whole number: `3.0`, `-0.0`, `1e300`. A number here would be taken for the integer,
 * which Python prints without `.0`.
 */
export class WholeFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  toString(): string {
    return floatText(this.value);
  }
}

/**
 * A value as Python has it. A number that is whole is an integer, any other a float; what a number cannot hold is a
 * `bigint` or a {@link WholeFloat}. This is what variables are, from the files that set them to the templates and files
 * that show them.
 */
export type PythonValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | WholeFloat
  | readonly PythonValue[]
  | { readonly [name: string]: PythonValue };

/** A float. */
export function floatOf(value: number): number | WholeFloat {
  return Number.isInteger(value) ? new WholeFloat(value) : value;
}

/** An integer. */
export function integerOf(value: bigint): number | bigint {
  const short = Number(value);
  return Number.isSafeInteger(short) ? short : value;
}

/** Python's `repr()` of a number. */
export function numberText(value: number | bigint | WholeFloat): string {
  const isFloat = typeof value === 'number' && !Number.isInteger(value);
  return isFloat ? floatText(value) : String(value);
}

/** Python's `float.__repr__`: the shortest digits, with an exponent below 1e-4 and from 1e16 on. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const [digits = '', power = ''] = value.toExponential().split('e');
  const exponent = Number(power);
  if (value !== 0 && (exponent < -4 || exponent >= 16))
    return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  const text = Object.is(value, -0) ? '-0' : String(value);
  return Number.isInteger(value) ? `${text}.0` : text;
}

/** Whether a value is a mapping. */
export function isMapping(value: PythonValue): value is Readonly<Record<string, PythonValue>> {
  return typeof value === 'object' && value !== null && !isList(value) && !(value instanceof WholeFloat);
}

/** Tells lists from all else. */
export function isList(value: unknown): value is readonly PythonValue[] {
  return Array.isArray(value);
}
