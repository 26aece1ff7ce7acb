/** A version of etcd 3. */
export interface EtcdVersion {
  readonly minor: number;
  readonly patch: number;
}

/**
 * Reads a version as etcd says it (`3.5.16`), or as a package has it (`3.4.23-4+b4`).
 * @returns undefined where it is no version of etcd 3
 */
export function readEtcdVersion(text: string): EtcdVersion | undefined {
  const [, minor, patch] = /^v?3\.(\d{1,4})\.(\d{1,4})(?![\d.])/.exec(text) ?? [];
  return minor === undefined || patch === undefined ? undefined : { minor: Number(minor), patch: Number(patch) };
}

/** `3.5.16`. */
export function versionText({ minor, patch }: EtcdVersion): string {
  return `3.${minor}.${patch}`;
}

/** Negative where `a` is older than `b`, 0 where they are the same. */
export function compareVersions(a: EtcdVersion, b: EtcdVersion): number {
  return a.minor - b.minor || a.patch - b.patch;
}
