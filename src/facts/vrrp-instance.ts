import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** What a host runs VRRP with, by the file that is there now. */
export interface VrrpInstance {
  readonly routerId: number;
  readonly advertIntervalS: number;
}

/** Key: a configuration file of keepalived, as we write it. Absent: there is none, or it says neither. */
export const vrrpInstance: Fact<VrrpInstance | undefined> = {
  name: 'vrrp-instances',
  script: (files) =>
    files
      .map((file) => {
        const words = `grep -E '^[[:space:]]*(virtual_router_id|advert_int)[[:space:]]+[0-9]+[[:space:]]*$' ${quote(file)}`;
        return `{ ${words} 2>/dev/null || :; } | tr -s '[:space:]' ' '; echo`;
      })
      .join('\n'),
  parse(stdout, files) {
    const lines = stdout.split('\n');
    return new Map(files.map((file, index) => [file, readInstance(lines[index] ?? '')]));
  },
};

function readInstance(line: string): VrrpInstance | undefined {
  const [, routerId] = /(?:^| )virtual_router_id (\d+)(?: |$)/.exec(line) ?? [];
  const [, interval] = /(?:^| )advert_int (\d+)(?: |$)/.exec(line) ?? [];
  if (routerId === undefined || interval === undefined) return undefined;
  return { routerId: Number(routerId), advertIntervalS: Number(interval) };
}
