import type { TestLab } from './lab.js';

/** fcntl(2)'s lock, as apt and dpkg take it. */
const HOLD =
  'use Fcntl; open(F, "+>>", "/var/lib/dpkg/lock-frontend") or die; $lock = pack("s s l! l! l i", F_WRLCK, 0, 0, 0, 0, 0); ' +
  'fcntl(F, F_SETLK, $lock) or die; open(G, ">", "/tmp/held"); sleep 600';

/** Another process has the lock of apt on a host, until {@link freeApt}: whoever installs there waits. */
export async function holdApt(lab: TestLab, host: string): Promise<void> {
  const wait = 'while [ ! -e /tmp/held ]; do sleep 0.1; done';
  await lab.ssh(host, `rm -f /tmp/held; nohup perl -e '${HOLD}' </dev/null >/dev/null 2>&1 & ${wait}`);
}

/** Frees it. */
export async function freeApt(lab: TestLab, host: string): Promise<void> {
  await lab.ssh(host, 'pkill -x perl');
}
