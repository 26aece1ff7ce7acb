import { askText } from '../facts/file-content.js';
import type { Resource } from '../model/change.js';
import { plainContent } from '../model/content.js';
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

function replaceBlock(text: string, block: readonly string[]): string {
  const lines = text.replace(/\n$/, '').split('\n');
  const begin = lines.indexOf(BEGIN);
  const end = lines.indexOf(END, begin);
  if (begin < 0 || end < 0) return `${[...(text === '' ? [] : lines), ...block].join('\n')}\n`;
  return `${[...lines.slice(0, begin), ...block, ...lines.slice(end + 1)].join('\n')}\n`;
}
