import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/**
 * Key: a data directory. The inode of the database in it: another one after it was rewritten. Empty where there is none.
 */
export const etcdDatabaseFile: Fact<string> = {
  name: 'etcd-database-file',
  script: (keys) =>
    keys.map((key) => `echo "F $(stat -c %i -- ${quote(`${key}/member/snap/db`)} 2>/dev/null)"`).join('\n'),
  parse(stdout, keys) {
    const lines = stdout.split('\n');
    if (lines.length < keys.length) throw new Error('a line is missing');
    return new Map(keys.map((key, index) => [key, /^F (\d+)$/.exec(lines[index] ?? '')?.[1] ?? '']));
  },
};
