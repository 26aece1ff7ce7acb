import { FIREWALL_FILE, FIREWALL_TABLE, FIREWALL_UNIT } from '../model/firewall.js';
import { MAX_ADVERT_S, PROOF_S, type FirewallTrial } from '../model/firewall-trial.js';
import type { Content } from '../model/content.js';
import type { Command } from '../model/remote.js';
import { quote } from './quote.js';

/** The transient timer of the host that takes new rules back, and the service that it starts. */
export const FIREWALL_SWITCH = `${FIREWALL_UNIT}-back`;

/** New rules stay for so long beyond their proof unless they are kept, in seconds: their files are written meanwhile. */
const BEYOND_PROOF_S = 25;

/** For root only; a boot begins without it, and with the rules that were kept. */
const DIRECTORY = `/run/${FIREWALL_UNIT}`;

/** Loads what was there before: the old table, or none. */
const BEFORE = `${DIRECTORY}/before`;

/** Where the kernel notes who was let in while new rules are on trial: adverts by address and virtual router id, connections by address and port. */
export const WITNESS_SETS = ['adverts4', 'adverts6', 'knocks4', 'knocks6'] as const;

/** The virtual router id, the second byte after a header without options (RFC 791, 8200, 5798). nft 1.0.6 can't list what it has written with `@th`. */
const ROUTER_ID = { ip: '@nh,168,8', ip6: '@nh,328,8' } as const;

const REMOVE = `table ${FIREWALL_TABLE}\\ndelete table ${FIREWALL_TABLE}\\n`;

/**
 * Loads new rules for a while: what the kernel has is noted first, and a timer of the host's own systemd is set that puts it
 * back, whatever becomes of this program, its machine or the network. Only when that timer runs are they loaded, all at
 * once. Files stay as they were, so that a reboot brings the old rules. Where keepalived sends adverts rarely, the trial lasts longer.
 */
export function tryFirewall(rules: Content, trial: FirewallTrial): Command {
  return {
    summary: `load table ${FIREWALL_TABLE}, with a timer of the host that takes it back`,
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
      `cat >>${DIRECTORY}/rules <<'END'`,
      ...witness(trial),
      'END',
      `nft -c -f ${DIRECTORY}/rules`,
      ...proofTime(trial),
      `{ printf '${REMOVE}'; nft -s list table ${FIREWALL_TABLE} 2>/dev/null || :; } >${BEFORE}`,
      `systemd-run --quiet --collect --unit=${FIREWALL_SWITCH} --on-active=$((proof + ${BEYOND_PROOF_S}))s --timer-property=AccuracySec=100ms "$(command -v nft)" -f ${BEFORE}`,
      `systemctl is-active --quiet ${FIREWALL_SWITCH}.timer`,
      `nft -f ${DIRECTORY}/rules`,
    ].join('\n'),
  };
}

/** A part of the same table, so that it goes with the trial: it comes after the rules, and lets everything pass. */
function witness({ ports }: FirewallTrial): readonly string[] {
  const adverts = (family: 'ip' | 'ip6'): string => `${family} saddr . ${ROUTER_ID[family]}`;
  const set = (name: string, type: string): string => `\tset ${name} { ${type}; flags dynamic; size 4096; }`;
  return [
    `table ${FIREWALL_TABLE} {`,
    set('adverts4', `typeof ${adverts('ip')}`),
    set('adverts6', `typeof ${adverts('ip6')}`),
    set('knocks4', 'type ipv4_addr . inet_service'),
    set('knocks6', 'type ipv6_addr . inet_service'),
    '\tchain witness {',
    '\t\ttype filter hook input priority filter + 1; policy accept;',
    `\t\tmeta nfproto ipv4 meta l4proto 112 update @adverts4 { ${adverts('ip')} }`,
    `\t\tmeta nfproto ipv6 meta l4proto 112 update @adverts6 { ${adverts('ip6')} }`,
    ...(ports.length === 0 ? [] : (['4', '6'] as const).map((family) => knocks(family, ports))),
    '\t}',
    '}',
  ];
}

function knocks(family: '4' | '6', ports: readonly number[]): string {
  const saddr = family === '4' ? 'ip saddr' : 'ip6 saddr';
  const opens = `tcp dport { ${ports.join(', ')} } tcp flags & (syn | ack) == syn`;
  return `\t\tmeta nfproto ipv${family} ${opens} update @knocks${family} { ${saddr} . tcp dport }`;
}

/** As long as `hearingTimeS` says, by what keepalived runs with now. */
function proofTime({ keepalived }: FirewallTrial): readonly string[] {
  if (keepalived.length === 0) return [`proof=${PROOF_S}`];
  const intervals = String.raw`sed -n 's/^[[:space:]]*advert_int[[:space:]]\{1,\}0*\([1-9][0-9]\{0,2\}\)[[:space:]]*$/\1/p'`;
  return [
    `proof=${PROOF_S}`,
    `for interval in $(${intervals} ${keepalived.map(quote).join(' ')} 2>/dev/null || :); do`,
    `  [ "$interval" -le ${MAX_ADVERT_S} ] || continue`,
    `  [ $((interval * 4)) -le "$proof" ] || proof=$((interval * 4))`,
    'done',
  ];
}

/**
 * Nothing is on trial any more. The timer is gone already where it went off; what it would have loaded goes after it, or a later
 * run that is rolled back before it has begun on the host loads the rules that this one went out from.
 */
const END_TRIAL = [`systemctl stop ${FIREWALL_SWITCH}.timer 2>/dev/null || :`, `rm -f ${BEFORE}`];

/** Puts back what {@link tryFirewall} found. */
export function takeFirewallBack(): Command {
  return {
    summary: `put table ${FIREWALL_TABLE} back as it was`,
    script: ['set -eu', `[ -e ${BEFORE} ] || exit 0`, `nft -f ${BEFORE}`, ...END_TRIAL].join('\n'),
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
      ...END_TRIAL,
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
    script: ['set -eu', ...END_TRIAL, ...REMOVE_UNIT].join('\n'),
  };
}
