import { didYouMean } from '../model/did-you-mean.js';

/** systemd.time(7), "Calendar events". */
const SHORTHANDS = [
  ...['minutely', 'hourly', 'daily', 'weekly', 'monthly', 'quarterly', 'semiannually', 'semi-annually', 'biannually'],
  ...['bi-annually', 'yearly', 'annually', 'anually'],
];

const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const DAY_NAMES: readonly string[] = [...DAYS, ...DAYS.map((day) => day.slice(0, 3))];

/** A part of a date or of a time, and what its numbers may be. */
interface Unit {
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

/** A date, or a time. */
interface Kind {
  readonly separator: RegExp;
  readonly units: readonly Unit[];
  readonly expected: string;
}

const DATE: Kind = {
  // `~`: counted from the end of the month.
  separator: /[-~]/,
  units: [
    { name: 'year', min: 1970, max: 2199 },
    { name: 'month', min: 1, max: 12 },
    { name: 'day', min: 1, max: 31 },
  ],
  expected: 'a date such as *-*-01',
};
const TIME: Kind = {
  separator: /:/,
  units: [
    { name: 'hour', min: 0, max: 23 },
    { name: 'minute', min: 0, max: 59 },
    { name: 'second', min: 0, max: 59 },
  ],
  expected: 'a time such as 02:30',
};

/**
 * Why systemd would refuse a calendar expression, as far as that is known without it: its words and its numbers. The host's
 * own systemd has the last word.
 * @returns undefined where nothing is wrong
 */
export function calendarProblem(text: string): string | undefined {
  const words = text.trim().split(/\s+/);
  const zone = words.length > 1 && isZone(words.at(-1) ?? '') ? words.pop() : undefined;
  const [first = ''] = words;
  if (first === '' && zone === undefined) return 'is empty';
  if (SHORTHANDS.includes(first.toLowerCase())) return words.length === 1 ? undefined : leftOver(words[1]);
  if (words.length === 1 && /^[a-z-]+$/i.test(first) && weekdaysProblem(first) !== undefined)
    return `${first} is no day of the week and no word such as daily${didYouMean(first.toLowerCase(), SHORTHANDS)}`;
  if (/^[a-z]/i.test(first)) {
    const problem = weekdaysProblem(first);
    if (problem !== undefined) return problem;
    words.shift();
  }
  for (const kind of [DATE, TIME]) {
    const [word] = words;
    if (word === undefined || (kind === DATE && word.includes(':'))) continue;
    const problem = partsProblem(word, kind);
    if (problem !== undefined) return problem;
    words.shift();
  }
  return words.length === 0 ? undefined : leftOver(words[0]);
}

function leftOver(word = ''): string {
  return `${word} is one word too many`;
}

/** `UTC`, or a name of the time-zone database. */
function isZone(word: string): boolean {
  return /^(?:UTC|[A-Z][A-Za-z_]+(?:\/[A-Za-z0-9_+-]+)+)$/.test(word);
}

function weekdaysProblem(word: string): string | undefined {
  const wrong = word.split(/,|\.\./).find((day) => !DAY_NAMES.includes(day.toLowerCase()));
  return wrong === undefined ? undefined : `${wrong || word} is no day of the week such as Mon`;
}

/** A year may be left out of a date, and seconds of a time. */
function partsProblem(word: string, { separator, units, expected }: Kind): string | undefined {
  const parts = word.split(separator);
  if (parts.length < 2 || parts.length > units.length) return `${word} is not ${expected}`;
  const own = units === TIME.units ? units.slice(0, parts.length) : units.slice(-parts.length);
  const problems = own.flatMap((unit, index) => (parts[index] ?? '').split(',').map((item) => itemProblem(item, unit)));
  return problems.find((problem) => problem !== undefined);
}

const NUMBER = String.raw`(\d+(?:\.\d{1,6})?)`;
/** `*`, `5`, `1..5`, each with or without `/2`; seconds may have a fraction. */
const ITEM = new RegExp(String.raw`^(?:\*|${NUMBER}(?:\.\.${NUMBER})?)(?:/${NUMBER})?$`);

function itemProblem(item: string, { name, min, max }: Unit): string | undefined {
  const found = ITEM.exec(item);
  const [, from, to, step] = found ?? [];
  const isOutside = [from, to].some((value) => value !== undefined && (Number(value) < min || Number(value) > max));
  if (found !== null && !isOutside && (step === undefined || Number(step) > 0)) return undefined;
  return `${item === '' ? 'nothing' : item} is no ${name} from ${min} to ${max}, no range of them and no *`;
}
