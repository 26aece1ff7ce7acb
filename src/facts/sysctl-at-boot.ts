import type { Fact } from '../model/remote.js';

/** What sets a kernel setting when the host boots. */
export interface BootSetting {
  readonly value: string;
  /** The file that has the last word. */
  readonly file: string;
}

/**
 * Key: a sysctl name with dots. What systemd-sysctl will set at the next boot, with its own precedence of directories
 * (sysctl.d(5)); `undefined` when no file names it.
 */
export const sysctlAtBoot: Fact<BootSetting | undefined> = {
  name: 'sysctls-at-boot',
  // Each file after a line `# /its/path`; other comments are left out.
  script: () => `systemd-analyze cat-config sysctl.d 2>/dev/null | grep -Ev '^(#[^ ]|# [^/]|;|[[:space:]]*$)' || true`,
  parse(stdout, keys) {
    const settings = new Map<string, BootSetting>();
    let file = '';
    for (const line of stdout.split('\n')) {
      file = /^# (\/\S+)$/.exec(line)?.[1] ?? file;
      const [, name, value] = /^\s*-?([^#;=\s]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) settings.set(name.replaceAll('/', '.'), { value, file });
    }
    return new Map(keys.map((key) => [key, settings.get(key)]));
  },
};
