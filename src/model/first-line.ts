/** The first line of a text, without its end: of an error's message, what stands before its details. */
export function firstLine(text: string): string {
  const end = text.indexOf('\n');
  return end < 0 ? text : text.slice(0, end);
}
