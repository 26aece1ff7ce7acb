import { expect, test } from '@jest/globals';
import { sysctlAtBoot } from '../../../src/facts/sysctl-at-boot.js';

const KEY = 'net.ipv4.ip_nonlocal_bind';

/** What Debian 12 prints, without most of its files. */
const PRINTED = `# /usr/lib/sysctl.d/50-pid-max.conf
#
kernel.pid_max = 4194304
# /etc/sysctl.d/60-provision-nonlocal-bind.conf
net.ipv4.ip_nonlocal_bind = 1
# /etc/sysctl.d/99-sysctl.conf
# /etc/sysctl.conf - Configuration file for setting system variables
`;

test.each([
  ['the file that sets it', PRINTED, { value: '1', file: '/etc/sysctl.d/60-provision-nonlocal-bind.conf' }],
  [
    'the last file, also with slashes and a dash',
    `${PRINTED}-net/ipv4/ip_nonlocal_bind=0\n`,
    { value: '0', file: '/etc/sysctl.d/99-sysctl.conf' },
  ],
  ['no file', '# /etc/sysctl.d/99-sysctl.conf\n#net.ipv4.ip_nonlocal_bind = 1\n', undefined],
  ['nothing at all', '', undefined],
])('%s', (_, printed, expected) => {
  expect(sysctlAtBoot.parse(printed, [KEY]).get(KEY)).toEqual(expected);
});
