/** A template that cannot be rendered. `undefined`: a variable is missing, which `default` and `is defined` may excuse. */
export class TemplateError extends Error {
  readonly kind: 'undefined' | 'wrong';

  constructor(kind: 'undefined' | 'wrong', message: string) {
    super(message);
    this.name = 'TemplateError';
    this.kind = kind;
  }
}

/** In place of an error about a value that is secret: what it says may be the value. */
export function unshownError(): TemplateError {
  return new TemplateError('wrong', 'fails, and reads a secret: the reason is not shown');
}
