import type { Explanations } from './explanation.js';

/** The certificate authority, its store, and what it signs. */
export const AUTHORITY = {
  'shared-store': {
    why: 'Two inventories in one directory describe different clusters, and what is kept beside them would be of both: the certificate authority in `pki/`, where neither names another store, and etcd lets in whoever has a certificate of it; or the variables that `adopt` writes.',
    next: 'Give each inventory a directory of its own, or name a store in it with `etcd_pki_store`. Where one authority for both is meant, name that store in both.',
    kind: 'unsafe',
  },
  'authority-missing': {
    why: 'There is no certificate authority where one is needed: in the store, or on the hosts that should hold it.',
    next: 'Apply the first etcd member too, which makes one; or import yours: `provision ca import STORE --certificate FILE --key FILE`.',
  },
  'authority-lost': {
    why: 'The store is empty, but etcd has data: its cluster trusts another authority, and nobody would trust a new one.',
    next: 'Name the store that made the cluster (etcd_pki_store), bring it back from a backup, or import its certificate and key.',
  },
  'authority-exists': {
    why: 'The store holds an authority already. It is never overwritten.',
    next: 'Look at it with `provision ca show STORE`; import into a new directory instead.',
  },
  'no-export': {
    why: 'A file is not what `ca export` writes, or an authority can not be moved: a key is not that of its certificate.',
    next: 'Write it again on the machine that has the authority: `provision ca export STORE -o FILE`.',
  },
  'authority-key-missing': {
    why: 'The store has the certificate of the authority without its key: it can be trusted, but nothing can be signed here.',
    next: 'Put ca.key.age back from where the authority was made; or have requests signed outside: `provision ca request INVENTORY`.',
  },
  'authority-unusable': {
    why: "The authority can't sign: it has expired, is not valid yet, or is no CA.",
    next: 'Check the date of this machine, then `provision ca show STORE`. Another authority goes into a new directory (etcd_pki_store).',
  },
  'authorities-differ': {
    why: 'Hosts hold different authorities for the same purpose; a cluster has one.',
    next: 'Compare the files that the message names, and put the right one on all hosts.',
  },
  'rotation-not-settled': {
    why: 'Hosts do not have what the inventory wants: certificates or trusted authorities that the store knows nothing of. A rotation on top of that would cut someone off.',
    next: 'Run `provision apply INVENTORY`, then the rotation again.',
    kind: 'unsafe',
  },
  'rotation-not-reversible': {
    why: 'The last stage of the rotation has begun: some host no longer trusts the old authority, and would refuse certificates that it signs.',
    next: 'Go on with `provision ca rotate INVENTORY`.',
    kind: 'unsafe',
  },
  'rotation-refused': {
    why: "The authority can't be rotated here: the cluster is adopted, its authority is external, or its key is not in the store.",
    next: 'Follow what the message says: whoever made the certificates rotates them (docs/runbooks/rotate-the-ca.md has the order).',
  },
  'authority-in-use': {
    why: 'Something still shows a certificate of the authority that is about to be dropped: after that it would be refused.',
    next: 'Look at what the message names; `provision apply INVENTORY` reissues what is managed here.',
    kind: 'unsafe',
  },
  'foreign-trust': {
    why: 'A trust file of another tool does not hold the authority of the store: what is signed here would not be trusted there.',
    next: 'Compare it with `provision ca show STORE`; add the authority to the file, or import the right one into the store.',
    kind: 'unsafe',
  },
  'store-broken': {
    why: 'A file of the store is damaged, missing beside its twin, or unreadable. No new authority is made in its place.',
    next: 'Put the file back from a backup; ca.crt is also on every host.',
  },
  'store-changed': {
    why: 'Another run has written to the store since this one began.',
    next: 'Run the same command again: it uses what is there now.',
  },
  'file-not-written': {
    why: 'A file for its owner only could not be written: its directory does not exist, or the path is a directory or a device.',
    next: 'Name a file, old or new, in a directory where you may make files.',
  },
  'wrong-passphrase': {
    why: 'The passphrase does not open the encrypted file.',
    next: 'Give the one that it was made with: --passphrase-file FILE, or PROVISION_CA_PASSPHRASE.',
  },
  'passphrase-too-short': {
    why: 'A new passphrase is too short to protect a key.',
    next: 'Make one: `openssl rand -base64 24`.',
  },
  'passphrases-differ': {
    why: 'A new passphrase was typed twice, differently each time.',
    next: 'Run the command again.',
  },
  'passphrase-file-unusable': {
    why: "The passphrase file can't be read, is empty, or has more than one line.",
    next: 'Give a file that holds the passphrase on one line: --passphrase-file FILE.',
  },
  'encrypted-file-damaged': {
    why: 'An encrypted file is no complete age file: it was cut off or changed.',
    next: 'Put it back from a backup.',
  },
  'certificate-rejected': {
    why: 'A certificate that was just signed is not what was asked for, and is discarded.',
    next: 'Check the authority with `provision ca show STORE`.',
  },
  'certificate-not-granted': {
    why: 'A certificate on a host contains names or uses that the inventory does not grant. What a host shows is no reason to sign it.',
    next: 'Grant it in the inventory (etcd_cert_grants), or move the file away: the next plan issues a plain one.',
  },
  'request-rejected': {
    why: 'A certificate request that a host made is not what was asked for, and is discarded.',
    next: 'Look at openssl on the host: 1.1.1 or later is needed.',
  },
  'signatures-missing': {
    why: 'Certificates that an external CA signs are missing, or were signed incorrectly. Nothing was changed.',
    next: 'Make the requests with `provision ca request INVENTORY`, have them signed, then apply again.',
  },
  'external-ca': {
    why: "Certificates can't be renewed at will here: the key of the authority is not in the store.",
    next: 'Raise etcd_cert_renew_before_days, then `provision ca request INVENTORY`; or import the key.',
  },
  'no-external-ca': {
    why: 'Requests are for an external CA, and the store has its own key, or no authority at all.',
    next: 'With a key: `provision apply INVENTORY` signs. Without an authority: `provision ca import STORE --certificate FILE`.',
  },
} satisfies Explanations;
