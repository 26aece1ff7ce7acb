import type { Fact } from '../model/remote.js';

/** The one key of {@link bootId}. */
export const BOOT = 'boot';

/** Reads what {@link bootId} asks for. */
export const READ_BOOT_ID = 'cat /proc/sys/kernel/random/boot_id';

/** Key: {@link BOOT}. Another one after each boot (random(4)). */
export const bootId: Fact<string> = {
  name: 'boot-id',
  script: () => READ_BOOT_ID,
  parse(stdout, keys) {
    const id = stdout.trim();
    if (!/^[0-9a-f-]{36}$/.test(id)) throw new Error('no boot id came back');
    return new Map(keys.map((key) => [key, id]));
  },
};
