import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { marked } from 'marked';
import { fenced, folded, joined, gfm, table } from '../../../../src/report/page/markdown.js';
import { MOST_CHARACTERS, renderMarkdown } from '../../../../src/report/page/render-markdown.js';
import { reportOf } from '../../../../src/report/page/run-report.js';
import { HOSTILE, recordOf, recordWith } from '../../../support/sample-records.js';
import { BARE_HOSTS } from '../../../support/sample-plans.js';

/** What a reader of GitHub's Markdown makes of it, without what is code, and without our own elements. */
function outsideOfCode(markdown: string): string {
  const html = marked.parse(markdown, { gfm: true, async: false });
  return html.replaceAll(/<pre>.*?<\/pre>|<code[^>]*>.*?<\/code>/gs, '');
}

const NOT_OURS =
  /<(?!\/?(?:details|summary|p|h3|strong|table|thead|tbody|tr|th|td|ul|li)\b|!-- report of provision)|MARK|@|alert|evil/;

describe('a text of others', () => {
  test('is nothing but code, wherever it stands', () => {
    expect(outsideOfCode(renderMarkdown(reportOf(recordWith(HOSTILE))))).not.toMatch(NOT_OURS);
  });

  test('would be found where it is not code', () => {
    const raw = renderMarkdown(reportOf(recordWith('x'))).replaceAll('<code>x</code>', HOSTILE);
    expect(outsideOfCode(raw)).toMatch(NOT_OURS);
  });

  test('is code, whatever it is, in a line, a cell, a summary and a block', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const all = [
          gfm`a ${text} b`,
          table(['one', 'two'], [[gfm`${text}`, gfm`${text}`]]),
          folded(gfm`${text}`, fenced('diff', [text, `+${text}`])),
        ];
        const blank = [
          gfm`a ${''} b`,
          table(['one', 'two'], [[gfm`${''}`, gfm`${''}`]]),
          folded(gfm`${''}`, fenced('diff', [''])),
        ];
        return outsideOfCode(joined(all, '\n\n').markdown) === outsideOfCode(joined(blank, '\n\n').markdown);
      }),
    );
  });
});

describe('a long report', () => {
  const lines = Array.from({ length: 3000 }, (_, index) => `+line ${index} of a long file`);
  const [play] = BARE_HOSTS.plays;
  const long = {
    ...BARE_HOSTS,
    plays: Array.from({ length: 40 }, (_, index) => ({
      ...play,
      ...{ name: `play ${index}`, order: '', batchSize: undefined, leftOut: [], gatesBefore: [], gatesAfter: [] },
      batches: [
        {
          hosts: [
            {
              host: `node-${index}`,
              unchanged: 0,
              steps: [
                {
                  address: 'file:/etc/x',
                  outcome: {
                    kind: 'change' as const,
                    change: {
                      summary: 'change /etc/x',
                      diff: lines.slice(index * 50),
                      actions: [],
                      effect: 'change' as const,
                      disruptive: false,
                    },
                  },
                },
              ],
            },
          ],
        },
      ],
    })),
  };

  test('fits into a comment of GitHub, and says what it leaves out', () => {
    const text = renderMarkdown(reportOf(recordOf('plan', [{ type: 'planned', plan: long }])));
    expect(text.length).toBeLessThanOrEqual(MOST_CHARACTERS);
    expect(text).toMatch(
      /at most 65536 characters: hosts with their diffs \(\d+\)\. All of it is in a report as HTML\.\n$/,
    );
    // Each play is listed, with its diff or without.
    expect(text.match(/\*\*<code>play&?/g)).toHaveLength(40);
    // As much as fits.
    expect(text.length).toBeGreaterThan(MOST_CHARACTERS - 70_000);
  });
});
