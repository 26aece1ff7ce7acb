// The screen in README.md, from what `npm run demo` printed: `npm run demo | tee demo.log && node bench/readme-screen.mjs demo.log`.
import { readFileSync, writeFileSync } from 'node:fs';

const [log] = process.argv.slice(2);
if (log === undefined) throw new Error('give what the demo printed: node bench/readme-screen.mjs demo.log');
const printed = readFileSync(log, 'utf8');

/** From the first line that matches to the next one that ends it. */
function part(from, to) {
  const lines = printed.split('\n');
  const first = lines.findIndex((line) => from.test(line));
  const last = lines.findIndex((line, index) => index >= first && to.test(line));
  if (first < 0 || last < 0) throw new Error(`the log has no ${from} with ${to} after it`);
  return lines.slice(first, last + 1).map((line) => line.trimEnd());
}

const screen = [
  '$ provision apply inventory.yaml',
  '…',
  ...part(/^In this order:/, /^Plan: /),
  '',
  ...part(/^Done: /, /^Done: /),
  '$ provision plan inventory.yaml',
  ...part(/^No changes\./, /^No changes\./),
];
const MARKS = /(<!-- screen: .*? -->\n)[^]*?(<!-- end of screen -->)/;
const readme = readFileSync('README.md', 'utf8');
if (!MARKS.test(readme)) throw new Error('README.md has no place for it');
writeFileSync(
  'README.md',
  readme.replace(MARKS, (_, begin, end) => `${begin}\n\`\`\`text\n${screen.join('\n')}\n\`\`\`\n\n${end}`),
);
