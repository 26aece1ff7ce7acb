import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { isAlive, ownRecord, readRecords, runTool, signal, startTimeOf, waitUntil } from '../../../src/lab/process.js';
import type { ProcessRecord } from '../../../src/lab/process.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function startSleeper(): Promise<{ child: ChildProcess; record: ProcessRecord }> {
  const child = spawn('sleep', ['60']);
  children.push(child);
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  return { child, record: { pid, startTime: (await startTimeOf(pid)) ?? '' } };
}

describe('records of processes', () => {
  test('this process is alive', async () => {
    expect(await isAlive(await ownRecord())).toBe(true);
  });

  test('a process that got the pid of a recorded one is not it, and is not ended', async () => {
    const { record } = await startSleeper();
    const earlier = { ...record, startTime: '1' };
    expect(await isAlive(earlier)).toBe(false);
    await signal(earlier, 'SIGKILL');
    expect(await isAlive(record)).toBe(true);
  });

  test('a recorded process is ended', async () => {
    const { child, record } = await startSleeper();
    const exited = once(child, 'exit');
    await signal(record, 'SIGKILL');
    await exited;
    expect(await isAlive(record)).toBe(false);
  });

  test('are read line by line; a missing file is none, a line without a start time is none', async () => {
    const directory = temporaryDirectory('lab-records');
    const file = join(directory, 'processes');
    await writeFile(file, '12 345\n67 \n89 10\n');
    expect(await readRecords(file)).toEqual([
      { pid: 12, startTime: '345' },
      { pid: 89, startTime: '10' },
    ]);
    expect(await readRecords(join(directory, 'missing'))).toEqual([]);
  });
});

describe('runTool', () => {
  test('gives back what the program printed', async () => {
    expect(await runTool('cat', [], 'text')).toBe('text');
  });

  test('fails with the command and what it said', async () => {
    await expect(runTool('sh', ['-c', 'echo no such bridge >&2; exit 3'])).rejects.toThrow(
      'sh -c echo no such bridge >&2; exit 3: no such bridge',
    );
  });

  test('a program that is not there is a failure too', async () => {
    await expect(runTool('/no/such/program', [], 'input')).rejects.toThrow('ENOENT');
  });
});

describe('waitUntil', () => {
  test('asks until it holds', async () => {
    let asked = 0;
    expect(await waitUntil(async () => ++asked === 3, 1000, 1)).toBe(true);
    expect(asked).toBe(3);
  });

  test('gives up after the deadline', async () => {
    expect(await waitUntil(async () => false, 5, 1)).toBe(false);
  });
});
