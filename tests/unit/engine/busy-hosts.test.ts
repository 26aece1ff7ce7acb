import { describe, expect, test } from '@jest/globals';
import { oneAtATime, whatRuns } from '../../../src/engine/busy-hosts.js';
import { RemoteError } from '../../../src/model/errors.js';
import type { Event } from '../../../src/model/events.js';
import { outputOf, type Command, type Output, type Transport } from '../../../src/model/remote.js';
import { awaitIdleScript, BUSY_MARK, STILL_BUSY } from '../../../src/shell/busy.js';
import { noDownload } from '../../support/local-transport.js';

const BUSY = outputOf(STILL_BUSY, '', `warning\n${BUSY_MARK}pid 7: unpack\nmore\n`);
const COMMAND: Command = { summary: 'restore /etc/x', script: 'mv', timeoutMs: 60_000 };

/** Runs a command on a host that answers it with these outputs, one after the other. */
async function ran(...answers: readonly Output[]): Promise<{
  readonly end: Output | RemoteError;
  readonly ran: readonly Command[];
  readonly events: readonly Event[];
}> {
  const [commands, events]: [Command[], Event[]] = [[], []];
  const left = [...answers];
  const transport: Transport = {
    host: 'a',
    run(command) {
      commands.push(command);
      if (command.script === awaitIdleScript()) return Promise.resolve(outputOf(1, ''));
      return Promise.resolve(left.shift() ?? BUSY);
    },
    download: noDownload,
    close: () => Promise.resolve(),
  };
  const connector = { connect: () => Promise.resolve(transport), close: () => Promise.resolve() };
  const acting = await oneAtATime({ connector, emit: (event) => void events.push(event) }).connect('a');
  const end = await acting.run(COMMAND).catch((error: unknown) => error as RemoteError);
  return { end, ran: commands, events };
}

describe('a command that changes a host', () => {
  test.each([outputOf(0, 'done'), outputOf(1, '', 'failed'), outputOf(STILL_BUSY, '', 'its own status')])(
    'is asked for once where nothing else runs: %j',
    async (output) => {
      expect(await ran(output)).toEqual({ end: output, ran: [{ ...COMMAND, alone: true }], events: [] });
    },
  );

  test('begins once what runs has ended, with all of its own time, and says once that it waits', async () => {
    const done = outputOf(0, 'done');
    const { end, ran: commands, events } = await ran(BUSY, BUSY, done);
    expect(end).toBe(done);
    const tried = { ...COMMAND, alone: true };
    const waited = expect.objectContaining({ script: awaitIdleScript() }) as unknown;
    expect(commands).toEqual([tried, waited, tried, waited, tried]);
    const message = 'waits, for ten minutes at most, until what was begun here before ends: pid 7: unpack';
    expect(events).toEqual([{ type: 'notice', host: 'a', message }]);
  });

  test('is not begun where that does not end: its host can not be changed, and nothing else is tried there', async () => {
    const { end, ran: commands } = await ran();
    expect(commands.filter(({ script }) => script === COMMAND.script)).toHaveLength(61);
    expect(end).toBeInstanceOf(RemoteError);
    expect(end).toMatchObject({
      code: 'still-busy',
      host: 'a',
      command: 'restore /etc/x',
      message: 'a: restore /etc/x: not begun, since what was begun before still runs there: pid 7: unpack',
    });
  });
});

test.each([
  [outputOf(0, '', `${BUSY_MARK}x`), undefined],
  [outputOf(STILL_BUSY, BUSY_MARK, ''), undefined],
  [outputOf(STILL_BUSY, '', ` ${BUSY_MARK}x`), undefined],
  [outputOf(STILL_BUSY, '', `${BUSY_MARK} \n`), 'it does not say what'],
  [outputOf(STILL_BUSY, '', `${BUSY_MARK}${'x'.repeat(5000)}`), 'x'.repeat(200)],
])('what runs is one short line of who could not begin: case %#', (output, runs) => {
  expect(whatRuns(output)).toBe(runs);
});
