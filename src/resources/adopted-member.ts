import { fileState } from '../facts/file-state.js';
import { unitState } from '../facts/unit-state.js';
import type { Resource } from '../model/change.js';
import type { Member } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import { decideService } from './etcd-member.js';
import { newerFiles } from './service.js';

/** An adopted member. */
export interface AdoptedMemberOptions {
  readonly member: Member;
  /**
   * Its server certificate. etcd reads it again at every handshake, and would need no restart for it; but nobody here
   * made that unit, so it is proved while gates watch that the member starts with it, and not by the next power cut.
   */
  readonly runsWith: readonly Resource[];
}

/**
 * A member of an existing etcd cluster: it runs, and with the certificate that is on its disk. Its unit stays as it is,
 * enabled or not.
 */
export function adoptedMember({ member, runsWith }: AdoptedMemberOptions): Resource {
  return {
    address: `etcd-member:${member.name}`,
    paths: [],
    async plan(probe) {
      const [certificate, key, unit, newer] = await Promise.all([
        probe.ask(fileState, member.server.certificate),
        probe.ask(fileState, member.server.key),
        probe.ask(unitState, member.unit),
        newerFiles(runsWith, probe),
      ]);
      if (unit.load === 'not-found') throw notThere(member, `systemd unit ${member.unit}`);
      // One file of the two that is lost is issued again; where neither is, the variables name another place.
      if (certificate.kind === 'absent' && key.kind === 'absent') throw notThere(member, member.server.certificate);
      const stale = newer(unit.startedAt);
      const reload = unit.needsDaemonReload ? [`with it, ${member.unit}.service takes up its changed unit file`] : [];
      return decideService(member, { ...unit, enabled: true }, stale.length === 0 ? [] : [...stale, ...reload]);
    },
  };
}

function notThere({ host, name }: Member, what: string): ProvisionError {
  return new ProvisionError({
    code: 'adopted-etcd-differs',
    message: `${host} has no ${what}, which the variables of the adopted member ${name} name`,
    hint: 'remove the wrong variables, then run: provision adopt INVENTORY',
  });
}
