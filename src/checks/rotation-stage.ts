import { counted } from '../model/counted.js';
import { ProvisionError } from '../model/errors.js';
import { shortList } from '../model/short-list.js';
import type { StoreRotation } from '../pki/authority.js';

/** The stages of a rotation of the authority, in order; each leaves a working cluster. */
export const ROTATION_STAGES = ['bundle', 'clients', 'members', 'drop'] as const;

/** One of {@link ROTATION_STAGES}. */
export type RotationStage = (typeof ROTATION_STAGES)[number];

/** Which way a rotation goes. */
export type RotationDirection = 'forward' | 'back';

/** What a stage is about, in a few words. */
const STAGE_WORDS: Readonly<Record<RotationStage, string>> = {
  bundle: 'all trust the old and the new authority',
  clients: 'clients show certificates of the new authority',
  members: 'members show certificates of the new authority',
  drop: 'no one trusts the old authority',
};

/**
 * In which stage a certificate is reissued: what is shown to whoever connects comes after what they show themselves.
 * @param name in the list of certificates
 */
export function stageOfLeaf(name: string): LeafSeen['stage'] {
  return /-(?:server|peer)$/.test(name) ? 'members' : 'clients';
}

/** A file of authorities on a host, and the process that reads it. */
export interface TrustSeen {
  readonly host: string;
  readonly path: string;
  /** For people: `etcd`, `haproxy`, `kube-apiserver`. */
  readonly reader: string;
  readonly old: boolean;
  readonly new: boolean;
  /** How many certificates it holds that the store knows nothing of. */
  readonly strangers: number;
  /** The process was started, or reloaded, after the file was changed last. */
  readonly isRead: boolean;
}

/** A leaf on a host. */
export interface LeafSeen {
  readonly host: string;
  /** Its name in the list of certificates. */
  readonly name: string;
  readonly path: string;
  /** In which stage it is reissued. */
  readonly stage: 'clients' | 'members';
  readonly signer: 'old' | 'new' | 'other' | 'none';
  /** What reads it only when it is loaded has done so since. */
  readonly isRead: boolean;
}

/** What the hosts have, and what the store wants them to have. */
export interface RotationSeen {
  /** Absent: no rotation is in progress. */
  readonly store: Pick<StoreRotation, 'signing' | 'trusted'> | undefined;
  readonly trusts: readonly TrustSeen[];
  readonly leaves: readonly LeafSeen[];
}

/**
 * The stage that is to be done next: found from what hosts have, so that it does not matter which run was interrupted, or
 * what was done by hand.
 * @returns `undefined`: there is nothing to go back from
 * @throws ProvisionError `rotation-not-settled`, `rotation-not-reversible`
 */
export function decideRotation(seen: RotationSeen, direction: RotationDirection): RotationStage | undefined {
  refuseStrangers(seen);
  return direction === 'forward' ? stageForward(seen) : stageBack(seen);
}

function stageForward({ store, trusts, leaves }: RotationSeen): RotationStage {
  if (store === undefined) return 'bundle';
  if (isDropping({ store, trusts, leaves })) return 'drop';
  if (store.trusted !== 'both' || trusts.some((trust) => !trust.new || !trust.isRead)) return 'bundle';
  const isDone = (stage: LeafSeen['stage']): boolean =>
    leaves.every((leaf) => leaf.stage !== stage || (leaf.signer === 'new' && leaf.isRead));
  if (store.signing === 'old' || !isDone('clients')) return 'clients';
  return isDone('members') ? 'drop' : 'members';
}

function stageBack(seen: RotationSeen): RotationStage | undefined {
  const { store, leaves } = seen;
  if (store === undefined) return undefined;
  if (isDropping(seen)) throw notReversible(seen);
  const isBegun = (stage: LeafSeen['stage']): boolean =>
    leaves.some((leaf) => leaf.stage === stage && (leaf.signer === 'new' || !leaf.isRead));
  if (isBegun('members')) return 'members';
  return store.signing === 'new' || isBegun('clients') ? 'clients' : 'bundle';
}

/** From the first host on that does not trust the old one, there is no way back: leaves of the old would be refused there. */
function isDropping({ store, trusts }: RotationSeen): boolean {
  return store?.trusted === 'new' || trusts.some((trust) => !trust.old);
}

/** What is not as the store wants it to be, before or beside the rotation, is for `apply`. */
function refuseStrangers({ trusts, leaves }: RotationSeen): void {
  const wrong = [
    ...trusts
      .filter((trust) => trust.strangers > 0 || !(trust.old || trust.new))
      .map(({ host, path }) => `${path} on ${host} does not hold just the authority in the store`),
    ...leaves
      .filter(({ signer }) => signer === 'other' || signer === 'none')
      .map(({ host, path, signer }) =>
        signer === 'none' ? `${host} has no certificate ${path}` : `${path} on ${host} was signed by none of the store`,
      ),
  ];
  if (wrong.length === 0) return;
  throw new ProvisionError({
    code: 'rotation-not-settled',
    message: `the authority is not rotated while hosts are not as the inventory wants them: ${shortList(wrong)}`,
    hint: 'first: provision apply INVENTORY',
  });
}

function notReversible({ trusts }: RotationSeen): ProvisionError {
  const hosts = [...new Set(trusts.filter((trust) => !trust.old).map(({ host }) => host))];
  const whose = hosts.length === 0 ? 'the store' : shortList(hosts);
  return new ProvisionError({
    code: 'rotation-not-reversible',
    message: `the rotation is in its last stage: ${whose} no longer trusts the old authority, and would refuse what it signs`,
    hint: 'go on: provision ca rotate INVENTORY',
  });
}

/** Where a rotation stands, as lines: how many of the hosts' files are how far. */
export function describeRotation({ store, trusts, leaves }: RotationSeen): readonly string[] {
  if (store === undefined) return [];
  const both = trusts.filter((trust) => trust.old && trust.new);
  const read = both.filter(({ isRead }) => isRead);
  const onlyNew = trusts.filter((trust) => trust.new && !trust.old);
  const isNew = (stage: LeafSeen['stage']): string => {
    const own = leaves.filter((leaf) => leaf.stage === stage);
    return `${own.filter(({ signer }) => signer === 'new').length} of ${counted(own.length, 'certificate')} of ${stage}`;
  };
  return [
    `of ${counted(trusts.length, 'file')} of trusted authorities ${both.length} hold both (${read.length} read by the process that runs), ${onlyNew.length} the new one alone`,
    `signed by the new one: ${isNew('clients')}, ${isNew('members')}`,
  ];
}

/** `stage 2 of 4, clients: …`. */
export function describeStage(stage: RotationStage): string {
  return `stage ${ROTATION_STAGES.indexOf(stage) + 1} of ${ROTATION_STAGES.length}, ${stage}: ${STAGE_WORDS[stage]}`;
}
