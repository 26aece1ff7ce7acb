import { askText } from '../facts/file-content.js';
import type { Resource } from '../model/change.js';
import { plainContent } from '../model/content.js';
import { ProvisionError } from '../model/errors.js';
import { file } from './file.js';

const BEGIN = '# BEGIN provision';
const END = '# END provision';

/** One line of /etc/hosts. */
export interface HostsEntry {
  readonly address: string;
  readonly names: readonly string[];
}

/** Entries of /etc/hosts, in a marked block; all other lines stay as they are. */
export function hostsEntries(options: { readonly entries: readonly HostsEntry[] }): Resource {
  const block = [BEGIN, ...options.entries.map(({ address, names }) => `${address}\t${names.join(' ')}`), END];
  const managed = file({
    path: '/etc/hosts',
    content: async (probe) => plainContent(replaceBlock((await askText(probe, '/etc/hosts')) ?? '', block)),
    owner: 'root',
    group: 'root',
    mode: '0644',
  });
  return { ...managed, address: 'hosts-entries:/etc/hosts' };
}

/** @throws ProvisionError `hosts-block-unclear` unless there is no block yet, or just one whole one */
function replaceBlock(text: string, block: readonly string[]): string {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const marks = lines.flatMap((line, index) => {
    const mark = line.trimEnd();
    return mark === BEGIN || mark === END ? [{ mark, index }] : [];
  });
  const [begin, end] = marks;
  if (begin === undefined) return `${[...lines, ...block].join('\n')}\n`;
  if (marks.length !== 2 || begin.mark !== BEGIN || end?.mark !== END) throw unclear(marks.map(({ mark }) => mark));
  return `${[...lines.slice(0, begin.index), ...block, ...lines.slice(end.index + 1)].join('\n')}\n`;
}

/** Replaced by guess, lines of others between two marks would be lost. */
function unclear(marks: readonly string[]): ProvisionError {
  return new ProvisionError({
    code: 'hosts-block-unclear',
    message: `/etc/hosts has the lines ${marks.join(', ')}: one ${BEGIN} and one ${END} after it were expected`,
    hint: 'remove these lines, and what this program wrote between them, from /etc/hosts',
  });
}
