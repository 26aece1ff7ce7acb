/** A thrown value, as far as it is an error at all: errors of another realm are no `instanceof Error`. */
interface ErrorLike {
  readonly message?: unknown;
  readonly code?: unknown;
  readonly level?: unknown;
  readonly reason?: unknown;
}

function asErrorLike(cause: unknown): ErrorLike {
  return typeof cause === 'object' && cause !== null ? cause : {};
}

/** What an error says; the empty text when nothing was thrown. */
export function causeMessage(cause: unknown): string {
  const { message } = asErrorLike(cause);
  if (typeof message === 'string') return message;
  return typeof cause === 'string' ? cause : '';
}

/** The system's or library's code of an error (`ECONNREFUSED`), else the empty text. */
export function causeCode(cause: unknown): string {
  const { code } = asErrorLike(cause);
  return typeof code === 'string' ? code : '';
}

/** Where in ssh2 an error comes from (`client-authentication`, `client-socket`, …), else the empty text. */
export function causeLevel(cause: unknown): string {
  const { level } = asErrorLike(cause);
  return typeof level === 'string' ? level : '';
}

/** Why the server opened no channel (RFC 4254, 5.1), else undefined. */
export function channelReason(cause: unknown): number | undefined {
  const { reason } = asErrorLike(cause);
  return typeof reason === 'number' ? reason : undefined;
}
