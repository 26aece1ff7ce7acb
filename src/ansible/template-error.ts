/** A template that cannot be rendered. `undefined`: a variable is missing, which `default` and `is defined` may excuse. */
export class TemplateError extends Error {
  readonly kind: 'undefined' | 'wrong';

  constructor(kind: 'undefined' | 'wrong', message: string) {
    super(message);
    this.name = 'TemplateError';
    this.kind = kind;
  }
}
