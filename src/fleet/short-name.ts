import { createHash } from 'node:crypto';

/** Hexadecimal digits that keep two names apart which have the same letters. */
const DIGITS = 8;

/**
 * A cluster's name with fewer letters than it may have, which no other cluster gets: the name itself where it fits, else
 * what is left of it and a digest.
 * @param plain the name with only letters that are allowed
 */
export function shortName(name: string, plain: string): string {
  if (plain === name) return name;
  return `${plain}-${createHash('sha256').update(name).digest('hex').slice(0, DIGITS)}`;
}
