import { isIP } from 'node:net';
import { expandHostPattern, NAMES_NO_HOST } from '../ansible/host-ranges.js';
import { counted } from '../model/counted.js';
import type { CheckResult } from './check-result.js';
import type { NamedHost } from './inventory-answers.js';

/** A host name, RFC 1123: what a certificate may hold, and what Ansible takes for a host and no pattern. */
export const HOST_NAME =
  /^(?=.{1,253}$)[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

/** Finds the address of a name, as programs of this machine do; `undefined`: it has none. */
export type Resolve = (name: string) => Promise<string | undefined>;

/**
 * The entries of a typed or pasted list, apart by commas, spaces or lines. A line of /etc/hosts, address first, is an
 * entry too.
 */
export function splitHosts(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const words = line
      .replace(/#.*/, '')
      .replaceAll(/\s*=\s*/g, '=')
      .split(/[,\s]+/)
      .filter((entry) => entry !== '');
    const [address = '', name = ''] = words;
    return words.length >= 2 && isIP(address) !== 0 && isIP(name) === 0 && !name.includes('=')
      ? [`${name}=${address}`]
      : words;
  });
}

/**
 * The hosts of some entries, ranges expanded on both sides (`etcd-[1:3]=10.0.0.[11:13]`), names without an address
 * resolved.
 * @returns the hosts, or everything that is wrong with the entries
 */
export async function readHosts(
  entries: readonly string[],
  resolve: Resolve,
): Promise<{ readonly hosts: readonly NamedHost[]; readonly problems: readonly string[] }> {
  const expanded = entries.map(expandEntry);
  const wanted = expanded.flatMap((each) => (typeof each === 'string' ? [] : each));
  const found = await Promise.all(
    wanted.map(async ({ name, address }) => ({ name, address: address ?? (await addressOf(name, resolve)) })),
  );
  const problems = [
    ...expanded.filter((each) => typeof each === 'string'),
    ...found.flatMap((host, index) => hostProblems(host, found.slice(0, index))),
  ];
  return {
    hosts: found.map(({ name, address }) => ({ name, address: address ?? '' })),
    problems,
  };
}

/** {@link readHosts} as a check. */
export async function checkHosts(entries: readonly string[], resolve: Resolve): Promise<CheckResult> {
  if (entries.length === 0) return 'at least one host is needed, as name=address';
  const { problems } = await readHosts(entries, resolve);
  return problems.length === 0 ? true : problems.join('; ');
}

/**
 * {@link checkHosts}, as the list is typed: of the entries that are finished, and without a look for names' addresses.
 * @param text as it was typed
 */
export function checkTypedHosts(text: string): CheckResult {
  const lines = text.replace(/[^\s,=]*(?:\s*=\s*[^\s,=]*)?$/, '').split('\n');
  // An address, as a line of /etc/hosts begins with one: its name is about to follow.
  if (isIP(lines.at(-1)?.trim() ?? '') !== 0) lines.pop();
  const expanded = splitHosts(lines.join('\n')).map(expandEntry);
  const found = expanded.flatMap((each) => (typeof each === 'string' ? [] : each));
  const problems = [
    ...expanded.filter((each) => typeof each === 'string'),
    ...found.flatMap((host, index) => {
      const before = found.slice(0, index);
      return host.address === undefined ? nameProblems(host, before) : hostProblems(host, before);
    }),
  ];
  return problems.length === 0 ? true : problems.join('; ');
}

interface WantedHost {
  readonly name: string;
  readonly address: string | undefined;
}

function expandEntry(entry: string): readonly WantedHost[] | string {
  const [left = '', right, ...more] = entry.split('=');
  if (more.length > 0) return `"${entry}" is not name=address`;
  try {
    const names = expand(left);
    if (names.length === 0) return `"${entry}" ${NAMES_NO_HOST}`;
    if (right === undefined) return names.map((name) => ({ name, address: undefined }));
    const addresses = expand(right);
    if (names.length !== addresses.length)
      return `"${entry}" names ${counted(names.length, 'host')} with ${counted(addresses.length, 'address', 'addresses')}`;
    return names.map((name, index) => ({ name, address: addresses[index] }));
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** A text without a range stays as it is, so that its own problem is reported. */
function expand(text: string): readonly string[] {
  return text.includes('[') || text.includes(']') ? expandHostPattern(text).names : [text];
}

async function addressOf(name: string, resolve: Resolve): Promise<string | undefined> {
  return HOST_NAME.test(name) && isIP(name) === 0 ? await resolve(name) : undefined;
}

function nameProblems({ name }: Pick<WantedHost, 'name'>, before: readonly WantedHost[]): readonly string[] {
  if (isIP(name) !== 0) return [`"${name}" is an address without a name; expected name=address`];
  if (!HOST_NAME.test(name)) return [`"${name}" is not a host name`];
  return before.some((other) => other.name === name) ? [`${name} is named twice`] : [];
}

function hostProblems({ name, address }: WantedHost, before: readonly WantedHost[]): readonly string[] {
  const ofName = nameProblems({ name }, before);
  if (ofName.length > 0) return ofName;
  if (address === undefined) return [`the name ${name} has no address here; give it as ${name}=address`];
  if (isIP(address) === 0) return [`"${address}" is not an IP address`];
  if (isLoopback(address))
    return [`${name} is ${address} here, which no other host reaches; give it as ${name}=address`];
  const same = before.find((other) => other.address === address);
  return same === undefined ? [] : [`${address} is ${same.name} already`];
}

/** Debian gives a machine's own name 127.0.1.1. */
function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
