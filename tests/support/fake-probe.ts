import { RemoteError } from '../../src/model/errors.js';
import type { Fact, Probe } from '../../src/model/remote.js';

/** Answers by fact name, then by key. */
export type FakeAnswers = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A {@link Probe} that knows its answers, and remembers what it was asked. */
export interface FakeProbe extends Probe {
  /** `fact key` of every question so far, in order. */
  readonly asked: readonly string[];
}

/**
 * A host that answers from a table. A question that the table does not hold is an error, never a default, so that a
 * test says everything that its decision is built on.
 * @param answers what this host answers
 * @param others the answers of further hosts, for {@link Probe.on}
 * @param host its inventory name
 */
export function fakeProbe(
  answers: FakeAnswers,
  others: Readonly<Record<string, FakeAnswers>> = {},
  host = 'host-1',
): FakeProbe {
  const asked: string[] = [];
  return {
    host,
    asked,
    ask<V>(fact: Fact<V>, key: string): Promise<V> {
      asked.push(`${fact.name} ${key}`);
      if (answers === UNREACHABLE) return Promise.reject(unreachableError(host));
      const known = answers[fact.name];
      if (known === undefined || !Object.hasOwn(known, key))
        return Promise.reject(new Error(`the fake probe has no answer for ${fact.name} ${JSON.stringify(key)}`));
      return Promise.resolve(known[key] as V);
    },
    on(name: string): Probe {
      const other = others[name];
      if (other === undefined) throw new Error(`the fake probe knows no host ${name}`);
      return fakeProbe(other, others, name);
    },
  };
}

/** What asking a host gives that can't be connected to. */
export function unreachableError(host: string): RemoteError {
  return new RemoteError({ code: 'unreachable', host, message: `${host}: can't connect to it: no route` });
}

/** A host that can't be connected to. */
export const UNREACHABLE: FakeAnswers = {};

/** A whole group of hosts, each of which can look at the others. */
export function fakeProbes(hosts: Readonly<Record<string, FakeAnswers>>): ReadonlyMap<string, FakeProbe> {
  return new Map(Object.entries(hosts).map(([host, answers]) => [host, fakeProbe(answers, hosts, host)]));
}

/** A {@link Probe} that remembers which other hosts were looked at through it, in order. */
export interface WatchedProbe extends Probe {
  readonly names: readonly string[];
}

/** The same host, whose looks at others are remembered. */
export function watched(probe: Probe): WatchedProbe {
  const names: string[] = [];
  return { ...probe, names, on: (name) => (names.push(name), probe.on(name)) };
}
