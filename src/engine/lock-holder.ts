import { z } from 'zod';
import { ProvisionError } from '../model/errors.js';

const holderSchema = z.object({
  user: z.string(),
  /** Name of the control machine. */
  machine: z.string(),
  pid: z.int(),
  /** Tells this process from every other one of the same machine and boot; `''` where that can't be told. */
  process: z.string(),
  /** ISO 8601. */
  since: z.string(),
  /** Absolute path on the control machine. */
  inventory: z.string(),
});

/** Who holds a lock, since when, and with which inventory. */
export type LockHolder = Readonly<z.infer<typeof holderSchema>>;

/** A lock as it is on a host. */
export interface FoundLock {
  readonly host: string;
  /** Exactly what is there: what is broken is this one, and no other. */
  readonly mark: string;
  /** Nothing where the text is not one of this version. */
  readonly holder: LockHolder | undefined;
}

/** Who a lock names. @param mark as `readLockScript` prints it */
export function foundLock(host: string, mark: string): FoundLock {
  return { host, mark, holder: readHolder(mark) };
}

function readHolder(mark: string): LockHolder | undefined {
  try {
    return holderSchema.safeParse(JSON.parse(Buffer.from(mark, 'base64').toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

/** A holder in a few words. */
export function describeHolder(holder: LockHolder | undefined): string {
  if (holder === undefined) return 'an unknown holder (the lock is not of this version)';
  const { user, machine, pid, since, inventory } = holder;
  return `${user}@${machine} (pid ${pid}) since ${since}, with ${inventory}`;
}

/** Someone else is at work on a host. */
export class LockHeld extends ProvisionError {
  constructor({ host, holder }: FoundLock, unlockCommand: string) {
    super({
      code: 'locked',
      message: `${host}: locked by ${describeHolder(holder)}; nothing was changed`,
      hint: `wait for it; if it is no longer running (its machine was lost), remove the lock: ${unlockCommand}`,
    });
  }
}
