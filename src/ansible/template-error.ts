/** A template that cannot be rendered. `undefined`: a variable is missing, which `default` and `is defined` may excuse. */
export class TemplateError extends Error {
  readonly kind: 'undefined' | 'wrong';

  /** @param message a function where it takes long to make, for what is excused is not read */
  constructor(kind: 'undefined' | 'wrong', message: string | (() => string)) {
    super(typeof message === 'string' ? message : undefined);
    if (typeof message !== 'string') Object.defineProperty(this, 'message', { get: message });
    this.name = 'TemplateError';
    this.kind = kind;
  }
}

/** In place of an error about a value that is secret: what it says may be the value. */
export function unshownError(): TemplateError {
  return new TemplateError('wrong', 'fails, and reads a secret: the reason is not shown');
}
