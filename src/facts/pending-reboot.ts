import type { Fact } from '../model/remote.js';

/** The one key of {@link pendingReboot}. */
export const REBOOT = 'reboot';

/** Of a running kernel: `/boot` has an image that was put there after the host has booted. */
const SINCE_BOOT = String.raw`booted=$(sed -n 's/^btime //p' /proc/stat)
printf 'U %s\n' "$(uname -r)"
for image in /boot/vmlinuz-*; do
  [ -f "$image" ] || continue
  [ "$(stat -c %Z "$image")" -gt "$booted" ] && how=since || how=before
  printf '%s %s\n' "${'$'}{image#/boot/vmlinuz-}" "$how"
done | sort -V | sed 's/^/K /'`;

/**
 * Key: {@link REBOOT}. Why a host needs a reboot, in words; absent: it needs none. A package has said so (`/run/reboot-required`, which is
 * gone after a boot), or the newest kernel was installed since the host has booted. One that was there already then is not started by the
 * boot loader, for a reason of its administrator: another reboot would not change that. A container has no kernel.
 */
export const pendingReboot: Fact<string | undefined> = {
  name: 'pending-reboot',
  script:
    () => String.raw`[ ! -e /run/reboot-required ] || printf 'R %s\n' "$(sort -u /run/reboot-required.pkgs 2>/dev/null | tr '\n' ' ')"
if ! systemd-detect-virt --quiet --container; then
${SINCE_BOOT}
fi
:`,
  parse(stdout, keys) {
    const found = reasonOf(stdout);
    return new Map(keys.map((key) => [key, found]));
  },
  evidence: (reason) => reason ?? null,
};

function reasonOf(stdout: string): string | undefined {
  const [, asked] = /^R (.*)$/m.exec(stdout) ?? [];
  if (asked !== undefined) return ['/run/reboot-required is there', asked.trim()].filter(Boolean).join(', for ');
  const [, running] = /^U (.*)$/m.exec(stdout) ?? [];
  const kernels = [...stdout.matchAll(/^K (\S+) (since|before)$/gm)].map(([, name, how]) => ({ name, how }));
  const newest = kernels.at(-1);
  if (newest?.how === 'since' && newest.name !== running)
    return `kernel ${running ?? ''} runs, and ${newest.name ?? ''} was installed since`;
  const isReplaced = kernels.some(({ name, how }) => name === running && how === 'since');
  return isReplaced ? `kernel ${running ?? ''} runs, and was installed again since` : undefined;
}
