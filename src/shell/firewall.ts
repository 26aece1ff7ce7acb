import { FIREWALL_FILE, FIREWALL_TABLE, FIREWALL_UNIT } from '../model/firewall.js';
import type { Content } from '../model/content.js';
import type { Command } from '../model/remote.js';

/** The transient timer of the host that takes new rules back, and the service that it starts. */
export const FIREWALL_SWITCH = `${FIREWALL_UNIT}-back`;

/** New rules stay for so long unless they are kept, in seconds: longer than their proof waits. */
const TRIAL_S = 40;

/** For root only; a boot begins without it, and with the rules that were kept. */
const DIRECTORY = `/run/${FIREWALL_UNIT}`;

/** Loads what was there before: the old table, or none. */
const BEFORE = `${DIRECTORY}/before`;

const REMOVE = `table ${FIREWALL_TABLE}\\ndelete table ${FIREWALL_TABLE}\\n`;

/**
 * Loads new rules for a while: what the kernel has is noted first, and a timer of the host's own systemd is set that puts it
 * back, whatever becomes of this program, its machine or the network. Only when that timer runs are they loaded, all at
 * once. Files stay as they were, so that a reboot brings the old rules.
 */
export function tryFirewall(rules: Content): Command {
  return {
    summary: `load table ${FIREWALL_TABLE}, with a timer that takes it back in ${TRIAL_S} s`,
    stdin: rules.reveal(),
    script: [
      'set -eu',
      'umask 077',
      `mkdir -p ${DIRECTORY}`,
      // Of a run that was killed: what it has loaded was never kept.
      `if systemctl is-active --quiet ${FIREWALL_SWITCH}.timer; then`,
      `  nft -f ${BEFORE}`,
      `  systemctl stop ${FIREWALL_SWITCH}.timer`,
      'fi',
      // What an earlier run went out from is nothing to go back to where this one fails before it has noted its own.
      `rm -f ${BEFORE}`,
      `cat >${DIRECTORY}/rules`,
      `nft -c -f ${DIRECTORY}/rules`,
      `{ printf '${REMOVE}'; nft -s list table ${FIREWALL_TABLE} 2>/dev/null || :; } >${BEFORE}`,
      `systemd-run --quiet --collect --unit=${FIREWALL_SWITCH} --on-active=${TRIAL_S}s --timer-property=AccuracySec=100ms "$(command -v nft)" -f ${BEFORE}`,
      `systemctl is-active --quiet ${FIREWALL_SWITCH}.timer`,
      `nft -f ${DIRECTORY}/rules`,
    ].join('\n'),
  };
}

/** Puts back what {@link tryFirewall} found. */
export function takeFirewallBack(): Command {
  return {
    summary: `put table ${FIREWALL_TABLE} back as it was`,
    script: [
      'set -eu',
      `[ -e ${BEFORE} ] || exit 0`,
      `nft -f ${BEFORE}`,
      // It is gone already where it went off.
      `systemctl stop ${FIREWALL_SWITCH}.timer 2>/dev/null || :`,
    ].join('\n'),
  };
}

/** Keeps rules that have been proved: their unit loads them from the file at each boot, and only then is the timer taken away. */
export function keepFirewall(): Command {
  return {
    summary: `keep table ${FIREWALL_TABLE}: ${FIREWALL_UNIT} loads it at boot`,
    script: [
      'set -eu',
      `systemctl is-active --quiet ${FIREWALL_SWITCH}.timer || { echo 'the timer of the host has taken the new rules back' >&2; exit 1; }`,
      'systemctl daemon-reload',
      `systemctl enable --quiet ${FIREWALL_UNIT}.service`,
      `systemctl reload-or-restart ${FIREWALL_UNIT}.service`,
      `systemctl stop ${FIREWALL_SWITCH}.timer 2>/dev/null || :`,
    ].join('\n'),
  };
}

/** Has the unit load the file that is there now, or stop where there is none: after the files were put back. */
export function loadKeptFirewall(): Command {
  return {
    summary: `have ${FIREWALL_UNIT} load what is kept`,
    script: [
      'set -eu',
      'systemctl daemon-reload',
      `if [ -f ${FIREWALL_FILE} ]; then`,
      `  systemctl enable --quiet ${FIREWALL_UNIT}.service`,
      `  systemctl reload-or-restart ${FIREWALL_UNIT}.service`,
      'else',
      ...REMOVE_UNIT.map((line) => `  ${line}`),
      'fi',
    ].join('\n'),
  };
}

/** Its file may be gone by now: `systemctl disable` would not find it. */
const REMOVE_UNIT = [
  `systemctl stop ${FIREWALL_UNIT}.service 2>/dev/null || :`,
  `rm -f /etc/systemd/system/*.wants/${FIREWALL_UNIT}.service`,
  `if command -v nft >/dev/null 2>&1; then printf '${REMOVE}' | nft -f -; fi`,
];

/** Takes the table away, now and for the next boot; its files go after it. */
export function removeFirewall(): Command {
  return {
    summary: `remove table ${FIREWALL_TABLE}, and stop ${FIREWALL_UNIT}`,
    script: ['set -eu', `systemctl stop ${FIREWALL_SWITCH}.timer 2>/dev/null || :`, ...REMOVE_UNIT].join('\n'),
  };
}
