/** The configuration file of a keepalived that is started so (keepalived(8), `-f`). @param argv the program first */
export function keepalivedReads(argv: readonly string[]): readonly string[] {
  const at = argv.findIndex((word) => /^(?:-f|--use-file)/.test(word));
  const [, value] = /^(?:-f|--use-file=?)(.*)$/.exec(argv[at] ?? '') ?? [];
  const read = at < 0 ? '/etc/keepalived/keepalived.conf' : value === '' ? argv[at + 1] : value;
  return read === undefined ? [] : [read];
}
