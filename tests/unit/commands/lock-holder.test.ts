import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { isGoneHolder, thisHolder } from '../../../src/commands/lock-holder.js';

const NOW = new Date('2026-11-21T01:02:03Z');
const here = thisHolder('inventory.yaml', NOW);
const [boot = '', , started = ''] = here.process.split(' ');

if (!existsSync('/proc/self/stat')) console.warn('skipped: without /proc nothing is known of other processes');

(existsSync('/proc/self/stat') ? describe : describe.skip)('the holder of a lock', () => {
  test('is not gone while it runs', () => {
    expect(here).toMatchObject({ pid: process.pid, since: '2026-11-21T01:02:03.000Z' });
    expect(isGoneHolder(here)).toBe(false);
  });

  test('is gone when no process has its pid, or another one has it now', () => {
    const { pid } = spawnSync('true');
    expect(isGoneHolder({ ...here, pid, process: `${boot} ${pid} ${started}` })).toBe(true);
    expect(isGoneHolder({ ...here, process: `${boot} ${here.pid} 1` })).toBe(true);
  });

  test('of another boot, another machine or an unknown kind is never called gone', () => {
    const { pid } = spawnSync('true');
    for (const process of [`other-boot ${pid} ${started}`, '', `${boot}1 ${pid} ${started}`])
      expect(isGoneHolder({ ...here, pid, process })).toBe(false);
  });
});
