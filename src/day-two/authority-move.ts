import { lookAtRotation } from '../checks/look-at-rotation.js';
import { presentedCertificate, presentedKey } from '../facts/presented-certificate.js';
import type { AuthorityProfile } from '../model/certificate.js';
import type { AuthorityMove } from '../model/authority-move.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';
import { peerFiles, type Cluster, type Member } from '../model/cluster.js';
import { counted } from '../model/counted.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { shortList } from '../model/short-list.js';
import type { AuthorityView, StoreRotation } from '../pki/authority.js';
import { isSignedBy, readCertificates } from '../pki/inspect.js';
import { peerUrlOf } from '../shell/join-member.js';

/** A step of a rotation in the store. */
export interface AuthorityStep {
  readonly move: AuthorityMove;
  readonly cluster: Cluster;
  readonly authority: AuthorityView;
  /** Of the new authority. */
  readonly profile: AuthorityProfile;
  /** The store's directory, as the plan should name it. */
  readonly store: string;
}

/**
 * A step in the store on the control machine. It belongs to no host: give it to one only. Before an authority is dropped,
 * and again just before that is done, it is asked who still uses it.
 */
export function authorityMove(step: AuthorityStep): Resource {
  const { move, authority, profile } = step;
  return {
    address: `authority:${move}`,
    paths: [],
    async plan(probe) {
      const rotation = authority.rotation?.();
      if (rotation !== undefined && move === 'trust-new') await refuseInUse(step, 'old', rotation, probe);
      if (rotation !== undefined && move === 'trust-old') await refuseInUse(step, 'new', rotation, probe);
      if (isMade(move, rotation)) return UNCHANGED;
      return changed({
        ...wordsOf(step, rotation),
        actions: [{ kind: 'move-authority', to: move, profile }],
        effect: 'change',
        disruptive: false,
      });
    },
  };
}

function isMade(move: AuthorityMove, rotation: StoreRotation | undefined): boolean {
  // Where none is in progress, the first step is still to come, and all others are behind.
  if (rotation === undefined) return move !== 'trust-both';
  switch (move) {
    case 'trust-both':
      return rotation.trusted === 'both';
    case 'trust-new':
      return rotation.trusted === 'new';
    case 'trust-old':
      return rotation.trusted === 'old';
    case 'sign-by-new':
      return rotation.signing === 'new';
    case 'sign-by-old':
      return rotation.signing === 'old';
    case 'finish':
      return false;
  }
}

function wordsOf(
  { move, store, profile }: AuthorityStep,
  rotation: StoreRotation | undefined,
): { readonly summary: string; readonly diff: readonly string[] } {
  const { commonName, keyType, days } = profile;
  const made = [
    `+ CN=${commonName}, ${keyType}, ${counted(days, 'day')}, in ${store}/next`,
    '+ its key is encrypted with the passphrase of the old one, and never leaves this machine',
    '  the old one signs until the next stage',
  ];
  switch (move) {
    case 'trust-both':
      return rotation === undefined
        ? { summary: `create a second certificate authority in ${store}, on this machine`, diff: made }
        : { summary: 'have hosts trust both authorities', diff: [] };
    case 'sign-by-new':
      return { summary: 'have the new authority sign from now on', diff: ['  all hosts trust both'] };
    case 'sign-by-old':
      return { summary: 'have the old authority sign again', diff: ['  all hosts trust both'] };
    case 'trust-new':
      return {
        summary: 'have hosts trust the new authority alone',
        diff: ['- the old authority: no certificate of it is in use', '  from the first host on there is no way back'],
      };
    case 'trust-old':
      return {
        summary: 'have hosts trust the old authority alone',
        diff: ['- the new authority: no certificate of it is in use'],
      };
    case 'finish':
      return {
        summary: `keep the authority that no host trusts any more in ${store}/former`,
        diff: ['  nothing is deleted; the other one is the only one here'],
      };
  }
}

/**
 * Whoever still shows a certificate of an authority is refused once that is dropped. Asked are the files, the time since
 * which processes know them, and what every member really shows to clients and to other members.
 * @throws ProvisionError `authority-in-use`
 */
async function refuseInUse(
  { cluster, authority }: AuthorityStep,
  dropped: 'old' | 'new',
  rotation: StoreRotation,
  probe: Probe,
): Promise<void> {
  const [kept] = readCertificates(dropped === 'old' ? rotation.new : rotation.old);
  const [seen, shown] = await Promise.all([
    lookAtRotation({ cluster, authority, probe: (host) => probe.on(host) }),
    Promise.all(cluster.members.map(async (member) => shownBy(member, probe.on(member.host)))),
  ]);
  const users = [
    ...seen.leaves.flatMap(({ host, path, signer, isRead }) => {
      if (signer === dropped) return [`${path} on ${host}`];
      return isRead ? [] : [`what runs on ${host}: ${path} is newer`];
    }),
    ...shown.flat().flatMap(({ where, pem }) => {
      const [leaf] = readCertificates(pem ?? '');
      if (leaf === undefined) return [`${where} (it showed no certificate)`];
      return kept !== undefined && isSignedBy(leaf, kept) ? [] : [where];
    }),
  ];
  if (users.length === 0) return;
  throw new ProvisionError({
    code: 'authority-in-use',
    message: `the ${dropped} authority is not dropped while it is in use: ${shortList(users)}`,
    hint: 'reissue them first: provision apply INVENTORY',
  });
}

interface Shown {
  readonly where: string;
  readonly pem: string | undefined;
}

async function shownBy(member: Member, probe: Probe): Promise<readonly Shown[]> {
  const peer = peerFiles(member);
  const ends = [
    { url: member.clientUrl, certificate: member.client.certificate, key: member.client.key, to: 'clients' },
    { url: peerUrlOf(member), certificate: peer.certificate, key: peer.key, to: 'other members' },
  ];
  return Promise.all(
    ends.map(async ({ to, ...handshake }) => {
      const answer = await probe.ask(presentedCertificate, presentedKey(handshake));
      const where = `what ${member.name} shows to ${to}, ${handshake.url}`;
      return { where, pem: answer.kind === 'presented' ? answer.pem : undefined };
    }),
  );
}
