import { quote } from './quote.js';
import { begin, stopUnit } from './restore-stage.js';

/** Seconds that a kube-apiserver may take to end: the kubelet's full check of its files, and the grace period of the pod. */
const END_S = 180;

/** Stops a member on the way back, wherever the restore stands. */
export function stopMemberScript(id: string, unit: string): string {
  return [...begin(id), ...stopUnit(unit), 'mark back-stopped yes'].join('\n');
}

/** Starts a member; with all others at once, for none is ready before a quorum is. */
export function startMemberScript(id: string, unit: string, stage: 'started' | 'back-started'): string {
  const name = quote(`${unit}.service`);
  return [
    ...begin(id),
    `systemctl reset-failed ${name} 2>/dev/null || :`,
    `systemctl start --quiet ${name} || { journalctl --no-pager -o cat -n 15 -u ${name} >&2; exit 1; }`,
    `mark ${stage} yes`,
  ].join('\n');
}

/** Takes {@link startMemberScript} back. */
export function unstartMemberScript(id: string, unit: string, stage: 'started' | 'back-started'): string {
  return [...begin(id), `rm -f ./${stage}`, `systemctl stop --quiet ${quote(`${unit}.service`)}`].join('\n');
}

/** Where the kubelet looks, whatever links lead there. @returns lines that set `entry` */
function manifestEntry(manifest: string): readonly string[] {
  return [
    `manifest=${quote(manifest)}`,
    'watched=$(readlink -f -- "${manifest%/*}") || refuse "there is no directory ${manifest%/*}"',
    'entry="$watched/${manifest##*/}"',
  ];
}

/** Moves the manifest of a kube-apiserver out of the kubelet's sight, and waits until its process has ended. */
export function stopApiserverScript(id: string, manifest: string): string {
  return [
    ...begin(id),
    ...manifestEntry(manifest),
    'if [ -e "$entry" ] || [ -L "$entry" ]; then',
    '  rm -f ./.manifest',
    '  cp -a -T "$entry" ./.manifest',
    '  sync ./.manifest',
    '  mv -T ./.manifest ./manifest',
    '  sync .',
    '  rm -f "$entry"',
    'fi',
    'left=$(($(date +%s) + ' + String(END_S) + '))',
    'while grep -qx kube-apiserver /proc/[0-9]*/comm 2>/dev/null; do',
    '  [ "$(date +%s)" -lt "$left" ] || refuse "a kube-apiserver still runs: look for another manifest of it in $watched"',
    '  sleep 1',
    'done',
    'mark apiserver-stopped yes',
  ].join('\n');
}

/** Puts the manifest back where {@link stopApiserverScript} took it from. @param stage what is noted then */
export function startApiserverScript(
  id: string,
  manifest: string,
  stage: 'apiserver-started' | 'back-apiserver',
): string {
  return [
    ...begin(id),
    ...manifestEntry(manifest),
    'if [ -e ./manifest ] || [ -L ./manifest ]; then',
    '  if [ ! -e "$entry" ]; then',
    // A name that begins with a dot is none of the kubelet's.
    '    cp -a -T ./manifest "$watched/.provision-restore"',
    '    sync "$watched/.provision-restore" 2>/dev/null || :',
    '    mv -T "$watched/.provision-restore" "$entry"',
    '  fi',
    'fi',
    `mark ${stage} yes`,
  ].join('\n');
}

/** Takes {@link stopApiserverScript} back: the manifest is where it was, and the stage is not noted. */
export function unstopApiserverScript(id: string, manifest: string): string {
  return [startApiserverScript(id, manifest, 'back-apiserver'), 'rm -f ./apiserver-stopped ./back-apiserver'].join(
    '\n',
  );
}

/**
 * What was there before the restore, and runs on, may remember revisions that are not there any more: kubelet, controller manager
 * and scheduler of a control plane are started again where they run.
 */
export function restartScript(id: string): string {
  return [
    ...begin(id),
    // The names of processes have 15 characters at most (proc(5), `comm`).
    'for pid in $(grep -lxE "kube-controller|kube-scheduler" /proc/[0-9]*/comm 2>/dev/null); do',
    '  pid=${pid#/proc/}; kill "${pid%/comm}" 2>/dev/null || :',
    'done',
    ...RESTART_KUBELET,
    'mark restarted yes',
  ].join('\n');
}

/** The same for a worker: first of all, for its notes are for `verify` alone. One without `done` would be an unfinished restore. */
export function restartWorkerScript(id: string): string {
  return ['set -eu', ...RESTART_KUBELET, ...begin(id), 'mark restarted yes', 'mark done yes'].join('\n');
}

const RESTART_KUBELET = [
  'if systemctl is-active --quiet kubelet.service; then systemctl restart --quiet kubelet.service; fi',
];

/** Notes that workers were seen to. */
export function workersRestartedScript(id: string): string {
  return [...begin(id), 'mark workers-restarted yes'].join('\n');
}

/** Ends a restore, or the way back from one, on a host. */
export function finishScript(id: string): string {
  return [...begin(id), 'mark done yes'].join('\n');
}
