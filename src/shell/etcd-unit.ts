import { posix } from 'node:path';
import type { Command } from '../model/remote.js';
import { quote } from './quote.js';

/** Name of etcd's unit in the packages of Debian and Ubuntu. */
const ETCD_UNIT = 'etcd';

/** The drop-in that is there from a member's bootstrap until the cluster is formed. */
export const BOOTSTRAP_DROP_IN = '/etc/systemd/system/etcd.service.d/10-provision-bootstrap.conf';

/** systemd reads only `*.conf` in that directory, so the variable can lie beside the drop-in. */
export const BOOTSTRAP_ENV = '/etc/systemd/system/etcd.service.d/provision-bootstrap.env';

/**
 * Lets etcd begin a cluster at its next start, whatever its environment file says. Nothing takes it back but
 * {@link forbidBootstrap}: an interrupted bootstrap must be recognised as one.
 */
export function allowBootstrap(): Command {
  return {
    summary: 'allow the cluster to bootstrap',
    script: [
      'set -eu',
      'umask 022',
      `mkdir -p ${posix.dirname(BOOTSTRAP_DROP_IN)}`,
      `printf 'ETCD_INITIAL_CLUSTER_STATE=new\\n' >${BOOTSTRAP_ENV}`,
      // systemd.exec(5): a later EnvironmentFile= wins over an earlier one, and both over Environment=. etcd 3.4 does
      // not start when a flag and a variable name the same thing, so a flag would not do.
      `printf '# Written by provision: only until the cluster is formed.\\n[Service]\\nEnvironmentFile=%s\\n' ${BOOTSTRAP_ENV} >${BOOTSTRAP_DROP_IN}`,
      `sync ${BOOTSTRAP_ENV} ${BOOTSTRAP_DROP_IN}`,
      'systemctl daemon-reload',
    ].join('\n'),
  };
}

/** From now on a start without data is no bootstrap any more. */
export function forbidBootstrap(): Command {
  return {
    summary: 'forbid another bootstrap',
    script: ['set -eu', `rm -f ${BOOTSTRAP_DROP_IN} ${BOOTSTRAP_ENV}`, 'systemctl daemon-reload'].join('\n'),
  };
}

/**
 * Queues a start that is not waited for: etcd tells systemd that it is ready only once a quorum is there, and the other
 * members may be started after this one.
 * @param verb `restart` where the package’s own lone member, or a process with older files that is not ready yet, may run
 */
export function queueEtcd(verb: 'start' | 'restart', unit: string): Command {
  const name = quote(unit);
  return {
    summary: `systemctl ${verb} --no-block ${unit}`,
    script: `systemctl daemon-reload && systemctl reset-failed ${name} 2>/dev/null; systemctl ${verb} --no-block ${name}`,
  };
}

/** Stops etcd and moves its data away, to a dated name beside it: nothing is deleted. */
export function moveDataAside(dataDir: string): Command {
  return {
    summary: `move ${dataDir} aside`,
    script: [
      'set -eu',
      `systemctl stop ${ETCD_UNIT}`,
      `mv -T ${quote(dataDir)} ${quote(`${dataDir}.untouched`)}-$(date -u +%Y%m%dT%H%M%SZ)`,
      `install -d -m 0700 -o etcd -g etcd ${quote(dataDir)}`,
    ].join('\n'),
  };
}
