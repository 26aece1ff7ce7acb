import { z } from 'zod';
import { isAddress } from '../model/ip.js';
import { calendarProblem } from './calendar.js';

// The kinds of values that variables have. Each reads what Ansible people write: numbers and truth values may come as
// texts, because INI inventories and templates give nothing else.

/** A whole number. */
export function wholeNumber(min: number, max: number): z.ZodType<number> {
  const error = `expected a whole number from ${min} to ${max}`;
  const toNumber = (value: unknown): unknown =>
    typeof value === 'string' && /^\s*[-+]?\d+\s*$/.test(value) ? Number(value) : value;
  return z.preprocess(toNumber, z.number({ error }).int({ error }).min(min, { error }).max(max, { error }));
}

/** Time between adverts of VRRP, in seconds: whole ones up to 40 (`MAX` of VRRP 3's 12 bits of 10 ms), or tenths of one. */
export function advertInterval(): z.ZodType<number> {
  const error = 'expected whole seconds from 1 to 40, or 0.1 to 0.9';
  const toNumber = (value: unknown): unknown =>
    typeof value === 'string' && /^\s*\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : value;
  const isOne = (value: number): boolean =>
    value < 1 ? value > 0 && Number.isInteger(Number((value * 10).toFixed(6))) : Number.isInteger(value) && value <= 40;
  return z.preprocess(toNumber, z.number({ error }).refine(isOne, { error }));
}

/** A truth value, also as `yes`/`no`, `on`/`off`, `true`/`false`. */
export function flag(): z.ZodType<boolean> {
  const toFlag = (value: unknown): unknown => {
    if (value === 0 || value === 1) return value === 1;
    if (typeof value !== 'string') return value;
    if (/^(?:true|yes|on|1)$/i.test(value)) return true;
    return /^(?:false|no|off|0)$/i.test(value) ? false : value;
  };
  return z.preprocess(toFlag, z.boolean({ error: 'expected true or false' }));
}

/** A text in one line; a number counts as its text. @param pattern what else it must be; no NUL, which ends a text in most programs */
export function text(expected: string, pattern: RegExp = /^[^\r\n]+$/): z.ZodType<string> {
  const error = `expected ${expected}`;
  const toText = (value: unknown): unknown => (typeof value === 'number' ? String(value) : value);
  return z.preprocess(
    toText,
    z
      .string({ error })
      .regex(pattern, { error })
      .regex(/^[^\0]*$/, { error }),
  );
}

/** A text of any number of lines. */
export function block(): z.ZodType<string> {
  const error = 'expected a text without NUL';
  return z.string({ error: 'expected a text' }).regex(/^[^\0]*$/, { error });
}

/** One of a few words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words): z.ZodType<Words[number]> {
  return z.enum(words, { error: `expected ${words.join(', ')}` });
}

/** An absolute path on a host. */
export function absolutePath(): z.ZodType<string> {
  return text('an absolute path without spaces and quotes', /^\/[^\s"'\\\0]*$/);
}

/** An IPv4 or IPv6 address, without a prefix length. */
export function ipAddress(): z.ZodType<string> {
  const error = 'expected an IP address such as 10.0.0.100';
  return z.string({ error }).refine(isAddress, { error });
}

/** A network as address and prefix length. */
export function network(): z.ZodType<string> {
  const error = 'expected a network such as 10.0.0.0/24';
  return z.union([z.cidrv4(), z.cidrv6()], { error });
}

/** A network, or one address. */
export function networkOrAddress(): z.ZodType<string> {
  const error = 'expected a network such as 10.0.0.0/24, or an address';
  return z.union([z.cidrv4(), z.cidrv6(), z.string().refine(isAddress)], { error });
}

/** A DNS name. */
export function dnsName(): z.ZodType<string> {
  return text(
    'a DNS name such as etcd.example.com',
    /^(?=.{1,253}$)(?:\*\.)?[a-zA-Z0-9_](?:[a-zA-Z0-9_-]{0,62})(?:\.[a-zA-Z0-9_][a-zA-Z0-9_-]{0,62})*\.?$/,
  );
}

/** Where a server is: an IPv4 or IPv6 address, or a DNS name of one. */
export function nameOrAddress(): z.ZodType<string> {
  const error = 'expected an IP address or a DNS name';
  return z.union([ipAddress(), dnsName().refine((name) => !name.startsWith('*'))], { error });
}

/** A list; a lone text is split at its commas. */
export function listOf(item: z.ZodType<string>, error: string): z.ZodType<readonly string[]> {
  const toList = (value: unknown): unknown =>
    typeof value === 'string'
      ? value
          .split(',')
          .map((part) => part.trim())
          .filter((part) => part !== '')
      : value;
  return z.preprocess(toList, z.array(item, { error: `expected ${error}` }));
}

/** HAProxy's way to write a time (HAProxy configuration manual, 2.5 "Time format"). */
export function haproxyTime(): z.ZodType<string> {
  return text('a time such as 5s, 500ms or 5m', /^\d+(?:us|ms|s|m|h|d)?$/);
}

/** A calendar expression of systemd: `hourly`, `Mon..Fri *-*-* 02:30`. */
export function calendar(): z.ZodType<string> {
  const error = 'expected a calendar expression of systemd such as hourly or *-*-* 02:30';
  return z.string({ error }).superRefine((value, context) => {
    // A line of its own would be another setting of the timer.
    const problem = /^[ -~]*$/.test(value) ? calendarProblem(value) : 'has more than one line, or odd characters';
    // Apart from the message, for it names parts of the value, which may be a secret.
    if (problem !== undefined) context.addIssue({ code: 'custom', message: error, params: { detail: problem } });
  });
}

/** A program by its path, and its first words; a lone text is split at its blanks. */
export function commandWords(): z.ZodType<readonly string[]> {
  const error =
    'expected a list of words, the first of them the absolute path of a program; a text with quotes is not split';
  const toText = (value: unknown): unknown => (typeof value === 'number' ? String(value) : value);
  const toWords = (value: unknown): unknown =>
    typeof value === 'string' && !/["'\\]/.test(value) ? value.trim().split(/\s+/) : value;
  const word = z.preprocess(toText, z.string({ error }).regex(/^[^\r\n\0]*$/, { error: ONE_LINE }));
  const words = z.array(word, { error }).refine(([first = '']) => /^\/\S*[^\s/]$/.test(first), { error });
  return z.preprocess(toWords, words);
}

const ONE_LINE = 'expected a text in one line';

/** Environment variables of etcd. */
export function etcdEnvironment(): z.ZodType<Readonly<Record<string, string>>> {
  const name = z
    .string()
    .regex(/^ETCD_[A-Z0-9_]+$/, { error: 'the name must be ETCD_ and capital letters, as in ETCD_LOG_LEVEL' });
  const toText = (value: unknown): unknown =>
    typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  // systemd takes a line end within quotes, but what follows it in a secret would stand in a line that nothing marks.
  const value = z.preprocess(toText, z.string({ error: 'expected a text' }).regex(/^[^\r\n\0]*$/, { error: ONE_LINE }));
  return z.record(name, value, { error: 'expected a mapping of ETCD_… names to values' });
}

/** Mirrors of registries: containerd's names of them (a host, perhaps with a port, or `_default`), and URLs. */
export function registryMirrors(): z.ZodType<Readonly<Record<string, readonly string[]>>> {
  const registry = z
    .string()
    .regex(/^(?:_default|[a-zA-Z0-9][a-zA-Z0-9.-]*(?::\d+)?)$/, { error: 'expected a registry such as docker.io' });
  const url = text('an http or https URL without a password', /^https?:\/\/[^\s"'\\@]+$/);
  return z.record(registry, listOf(url, 'a list of URLs'), { error: 'expected a mapping of registries to URLs' });
}

/** An object of any fields, which another program reads. */
export function jsonObject(expected: string): z.ZodType<Readonly<Record<string, unknown>>> {
  return z.record(z.string(), z.unknown(), { error: `expected ${expected}` });
}
