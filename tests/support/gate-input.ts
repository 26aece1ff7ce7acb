import type { GateInput } from '../../src/model/gate.js';
import type { Probe } from '../../src/model/remote.js';

/** What a gate is asked with. @param probes of every host that it may look at @param about the batch, and what differs from "after it" */
export function gateInput(probes: ReadonlyMap<string, Probe>, about: Partial<GateInput> = {}): GateInput {
  return {
    probe(host) {
      const probe = probes.get(host) ?? [...probes.values()][0]?.on(host);
      if (probe === undefined) throw new Error(`the test knows no host ${host}`);
      return probe;
    },
    when: 'after',
    batch: [],
    play: about.batch ?? [],
    arguments: {},
    ...about,
  };
}
