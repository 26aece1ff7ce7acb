import { expect, test } from '@jest/globals';
import { calendarProblem } from '../../../src/cluster/calendar.js';

// Of systemd.time(7), "Calendar events", and such as people write.
test.each([
  ...['minutely', 'hourly', 'daily', 'Weekly', 'monthly', 'quarterly', 'yearly', 'annually', 'anually'],
  ...['semiannually', 'semi-annually', 'biannually', 'bi-annually', 'daily Europe/Berlin', 'daily UTC'],
  ...[
    '*-*-* 02:30',
    '02:30',
    '*:0/15',
    'Mon',
    'Mon..Fri 22:30',
    'Sat,Sun *-*-* 00:00:00',
    'Thu,Fri 2026-*-1,5 11:12:13',
  ],
  ...[
    'Mon *-05~03',
    '*-*~01 00:00',
    '2026-11-26',
    '*-*-1..7 4:05:00.5',
    '*:*:0/30',
    'Mon..Wed,Sat 08:00 America/Argentina/Buenos_Aires',
  ],
  ...['2026-11-26 00:00 UTC', '*-1/3-1'],
])('%s is a calendar expression', (text) => {
  expect(calendarProblem(text)).toBeUndefined();
});

test.each([
  ['', 'is empty'],
  ['dayly', 'dayly is no day of the week and no word such as daily; did you mean daily?'],
  ['0 2 * * *', '0 is not a date such as *-*-01'],
  ['25:00', '25 is no hour from 0 to 23, no range of them and no *'],
  ['02:60', '60 is no minute from 0 to 59, no range of them and no *'],
  ['02:30:60', '60 is no second from 0 to 59, no range of them and no *'],
  ['*-13-01', '13 is no month from 1 to 12, no range of them and no *'],
  ['*-*-0', '0 is no day from 1 to 31, no range of them and no *'],
  ['*:0/0', '0/0 is no minute from 0 to 59, no range of them and no *'],
  ['02:', 'nothing is no minute from 0 to 59, no range of them and no *'],
  ['Mon..Frei 02:00', 'Frei is no day of the week such as Mon'],
  ['daily 02:00', '02:00 is one word too many'],
  ['02:00 03:00', '03:00 is one word too many'],
  ['1:2:3:4', '1:2:3:4 is not a time such as 02:30'],
  ['*-*-* 02:30; rm', '30; is no minute'],
  ['$(reboot)', '$(reboot) is not a date such as *-*-01'],
])('%s is none', (text, expected) => {
  expect(calendarProblem(text)).toContain(expected);
});
