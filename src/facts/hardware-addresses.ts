import type { Fact } from '../model/remote.js';

/** Key: anything. The hardware addresses of the host's interfaces, lower case. */
export const hardwareAddresses: Fact<readonly string[]> = {
  name: 'hardware-addresses',
  // A name may begin with a dot.
  script: () => 'cat /sys/class/net/*/address /sys/class/net/.*/address 2>/dev/null || :',
  parse: (stdout, keys) =>
    new Map(
      keys.map((key) => [
        key,
        stdout
          .toLowerCase()
          .split('\n')
          .filter((line) => line !== ''),
      ]),
    ),
};
