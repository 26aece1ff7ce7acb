import type { Listed } from '../../src/facts/etcd-membership.js';
import { etcdStatusKey } from '../../src/facts/etcd-status.js';
import { JOIN_DROP_IN, JOIN_ENV } from '../../src/shell/join-member.js';
import { etcdHost, NO_DATA, SILENT, STOPPED } from './etcd-answers.js';
import type { FakeAnswers } from './fake-probe.js';
import { sampleMember } from './sample-cluster.js';

/** A member as etcd lists it. */
export function listedMember(number: number, isLearner = false, name = `m${number}`): Listed {
  return { id: `${number}`, name, isLearner, peerUrls: [`https://10.0.0.${number}:2380`] };
}

/** What a host has of a member. `isJoining`: a run has let it join, and was killed. */
export type JoiningHost = Parameters<typeof etcdHost>[0] & { readonly isJoining?: boolean };

/** Nothing yet. */
export const BARE_HOST: JoiningHost = { data: NO_DATA, unit: STOPPED, status: SILENT };

/** A host of the sample cluster whose etcd runs where it answers, and that nobody answers at the URLs of others. */
export function joiningHost(number: number, given: JoiningHost): FakeAnswers {
  const answers = etcdHost(given);
  const elsewhere = [1, 2, 3, 4, 5, 6].map((each) =>
    etcdStatusKey({ clientUrl: `https://10.0.0.${each}:2379`, client: sampleMember(each).client }),
  );
  const unit = {
    ...{ files: [], next: [], running: given.status?.kind === 'answers' ? ['etcd'] : [] },
    environmentFiles: given.isJoining === true ? [JOIN_ENV] : [],
  };
  return {
    ...answers,
    'etcd-status': { ...Object.fromEntries(elsewhere.map((key) => [key, SILENT])), ...answers['etcd-status'] },
    'unit-commands': { etcd: unit },
    'host-addresses': { all: [{ interface: 'eth0', address: `10.0.0.${number}`, prefixLength: 24 }] },
    paths: { [JOIN_DROP_IN]: given.isJoining === true },
  };
}
