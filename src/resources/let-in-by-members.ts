import { askText } from '../facts/file-content.js';
import { unlessLost } from '../facts/unless-lost.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import { FIREWALL_FILE } from '../model/firewall.js';
import { quote } from '../shell/quote.js';
import type { JoiningWay } from './joining-steps.js';

/**
 * The firewalls of these hosts let in the member that is to come: none of them is widened in the same run, for only others are worked on. It
 * changes nothing. Who does not answer, or has no firewall, keeps nobody out.
 */
export function letInByMembers(others: readonly string[], { member, decide }: JoiningWay): Resource {
  const { host, address } = member;
  return {
    address: `member-let-in:${host}`,
    paths: [],
    async plan(probe) {
      const { steps } = await decide(probe);
      if (steps.length === 0) return UNCHANGED;
      const kept = await Promise.all(
        others.map(async (other) => ({
          host: other,
          rules: await unlessLost(askText(probe.on(other), FIREWALL_FILE)),
        })),
      );
      const shut = kept.filter(
        ({ rules }) => rules !== undefined && !(rules instanceof RemoteError) && !membersIn(rules).includes(address),
      );
      if (shut.length === 0) return UNCHANGED;
      throw new ProvisionError({
        code: 'firewall-cuts-off',
        message: `the firewall of ${shut.map((each) => each.host).join(', ')} does not let ${host} in, which is to be a member at ${address}; nothing was changed`,
        hint: `have it let in first: provision apply INVENTORY --playbook firewall-lets-in --limit ${quote(`all:!${host}`)}`,
      });
    },
  };
}

/** The addresses of members in rules as we write them (playbooks/templates/etcd-firewall.nft.j2). */
function membersIn(rules: string): readonly string[] {
  return [...rules.matchAll(/set peers[46] \{[^}]*elements = \{([^}]*)\}/g)].flatMap(([, elements = '']) =>
    elements.split(',').map((element) => element.trim()),
  );
}
