/** As many names as are read, and how many more there are. */
export function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 5);
  return names.length === shown.length
    ? shown.join(', ')
    : `${shown.join(', ')} and ${names.length - shown.length} more`;
}
