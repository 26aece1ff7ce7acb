/**
 * Why a file can't be used, without the path, which the message around it has: `no such file or directory (ENOENT)`.
 * @param cause what a function of node:fs threw, or any other error
 */
export function fileReason(cause: unknown): string {
  const message = typeof cause === 'object' && cause !== null && 'message' in cause ? cause.message : cause;
  return String(message).replace(/^(E[A-Z0-9]+): ([^,]*),.*$/s, '$2 ($1)');
}
