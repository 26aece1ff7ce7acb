import type { Fact } from '../model/remote.js';

/** Key: anything. The hardware addresses of the host's interfaces, lower case. */
export const hardwareAddresses: Fact<readonly string[]> = {
  name: 'hardware-addresses',
  script: () => 'cat /sys/class/net/*/address',
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
