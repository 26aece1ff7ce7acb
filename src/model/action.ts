import type { AuthorityMove } from './authority-move.js';
import type { AuthorityProfile, CertificateDestination, CertificateProfile } from './certificate.js';
import type { EtcdRelease } from './cluster.js';
import type { NodeRelease } from './kubernetes.js';
import type { Content } from './content.js';
import type { JsonObject } from './json.js';
import type { JoinKubernetes } from './kubeadm.js';
import type { Command } from './remote.js';

/** Owner and mode of a file or directory. */
export interface Ownership {
  readonly owner: string;
  readonly group: string;
  /** Octal text as in `chmod`: `0644`. */
  readonly mode: string;
}

/**
 * Puts a file in place atomically: staged where only root can look, owner and mode set, validated, then renamed. The
 * file, or link, that it replaces is kept, dated, outside the configuration directories.
 */
export interface WriteFile extends Ownership {
  readonly kind: 'write-file';
  readonly path: string;
  readonly content: Content;
  /** A shell command that must succeed before the file lands; `"$1"` is the staged file. */
  readonly validate?: string | undefined;
  /** How long that may take, in milliseconds, where it is more than any command. */
  readonly validateMs?: number | undefined;
  /** Where to make the stage, on the same file system; default: in the file's own directory. */
  readonly stagingDirectory?: string | undefined;
}

/** Removes a file, after keeping a dated copy. */
export interface RemoveFile {
  readonly kind: 'remove-file';
  readonly path: string;
}

/** Makes a directory, and those above it that are missing. */
export interface MakeDirectory extends Ownership {
  readonly kind: 'make-directory';
  readonly path: string;
}

/** Runs a command. */
export interface Run {
  readonly kind: 'run';
  readonly command: Command;
  /** What it changes, where that is one thing at a path. */
  readonly path?: string | undefined;
  /**
   * What takes this back when it, or a later action of the same host, fails. `nothing`: it leaves nothing behind.
   */
  readonly undo: Command | Lasting | 'nothing';
  /**
   * `services` (the default): rolled back after the files were put back, also when it failed half way. `accounts`: rolled
   * back last, when nothing runs as them any more, and only when it was done: a failed one made nothing. `all`: rolled back
   * before anything else of the host, and where that is refused, all of the host stays as it is by then.
   */
  readonly restores?: 'services' | 'accounts' | 'all' | undefined;
}

/** Runs a command on another host than the one that is changed: what is the cluster's own, and asked of who serves it. */
export interface RunOn extends Lasting {
  readonly kind: 'run-on';
  readonly on: string;
  readonly command: Command;
}

/**
 * Runs a command on other hosts, all at once, on whose success nothing hangs: one that fails, or can't be reached, is reported, and
 * the run goes on. They are not locked: it must be harmless beside another run.
 */
export interface RunOnEach {
  readonly kind: 'run-on-each';
  readonly hosts: readonly string[];
  readonly command: Command;
  /** What a person may type for a host where it failed, `HOST` in place of its name. */
  readonly next: string;
}

/** Reboots the host, and waits until it is back. */
export interface RebootHost {
  readonly kind: 'reboot-host';
}

/** What a run that fails does not roll back. */
export interface Lasting {
  /** What stays, in a few words: `packages stay installed`. The plan says it, and so does the report. */
  readonly lasting: string;
}

/** An action as far as people read it: a saved plan has no more of it. */
export interface ActionOutline {
  readonly kind: Action['kind'];
  readonly undo?: Run['undo'] | undefined;
  readonly lasting?: string | undefined;
}

/** What stays of an action when its run fails; nothing of most. */
export function lastingOf(action: ActionOutline): string | undefined {
  if (action.kind === 'create-authority') return 'the authority stays in the store';
  if (action.kind === 'move-authority') return 'the step stays in the store: go on, or back with --back';
  if (action.kind === 'keep-secret') return 'the secret stays in the store';
  if (action.kind === 'save-snapshot') return 'the snapshot stays on this machine';
  if (action.kind === 'join-kubernetes') return 'what kubeadm has set up stays: the next apply goes on from there';
  if (action.kind === 'send-release') return 'the unpacked release stays, and nothing runs from it';
  if (action.kind === 'run-on') return action.lasting;
  if (action.kind !== 'run' || typeof action.undo !== 'object') return undefined;
  return 'lasting' in action.undo ? action.undo.lasting : undefined;
}

/** Makes the certificate authority on the control machine. */
export interface CreateAuthority {
  readonly kind: 'create-authority';
  readonly profile: AuthorityProfile;
}

/** Takes a step of a rotation. */
export interface MoveAuthority {
  readonly kind: 'move-authority';
  readonly to: AuthorityMove;
  /** Of the new authority. */
  readonly profile: AuthorityProfile;
}

/** Keeps a secret that was generated while planning in the store on the control machine, before any host gets it. */
export interface KeepSecret {
  readonly kind: 'keep-secret';
  readonly name: 'keepalived-auth-pass';
}

/** Saves a snapshot of the cluster on the control machine, from a healthy member that has all. */
export interface SaveSnapshot {
  readonly kind: 'save-snapshot';
  /** `run`: one suffices for all changes of a run that ask for it so. */
  readonly per: 'change' | 'run';
}

/** Feeds a command of the host with a release, which this machine has or gets first. */
export interface SendRelease {
  readonly kind: 'send-release';
  readonly release: EtcdRelease | NodeRelease;
  /** Without stdin. */
  readonly command: Command;
}

/**
 * Signs one leaf, for the key that the host has or for a new one that is made in memory and lands only there. Owner,
 * group and mode are those of the key or the bundle; the certificate of a pair is 0644.
 */
export interface IssueCertificate extends Ownership {
  readonly kind: 'issue-certificate';
  /** Name in the list of certificates. */
  readonly certificate: string;
  readonly profile: CertificateProfile;
  readonly destination: CertificateDestination;
}

/** Installs the authority's public certificate on the host. */
export interface InstallTrust extends Ownership {
  readonly kind: 'install-trust';
  readonly path: string;
}

/** Waits on the host until a gate opens. */
export interface Await {
  readonly kind: 'await';
  /** Name of a gate in the gate table. */
  readonly gate: string;
  /** What the gate is given: endpoint, expected arguments, … */
  readonly parameters: JsonObject;
}

/** All that apply can do. `perform(action)` in the engine is one exhaustive switch over this. */
export type Action =
  | WriteFile
  | RemoveFile
  | MakeDirectory
  | Run
  | RunOn
  | RunOnEach
  | RebootHost
  | CreateAuthority
  | MoveAuthority
  | KeepSecret
  | SaveSnapshot
  | SendRelease
  | IssueCertificate
  | InstallTrust
  | JoinKubernetes
  | Await;
