/** A text as a string of PromQL: Go's escapes, of which JSON's are some. @throws RangeError for half of a surrogate pair */
export function promqlText(text: string): string {
  if (/\p{Cs}/u.test(text)) throw new RangeError(`${JSON.stringify(text)} is not Unicode text`);
  return JSON.stringify(text);
}

/** A text within an annotation, which is a template of Go: an opening brace pair is written as a value. */
export function templateText(text: string): string {
  return text.replaceAll('{{', '{{ "{{" }}');
}
