import type { AptUpgrade } from '../facts/apt-upgrade.js';
import type { Action } from '../model/action.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import { counted } from '../model/counted.js';
import { aboutService } from '../model/gate.js';
import type { Kubernetes } from '../model/kubernetes.js';
import type { Probe } from '../model/remote.js';
import { shortList } from '../model/short-list.js';
import type { ServiceName } from '../model/virtual-service.js';
import { finishInstallation, upgradePackages } from '../shell/apt-upgrade.js';
import { uncordonMarked } from '../shell/drain-node.js';
import {
  decideNodeUpgrade,
  lookAtNodeUpgrade,
  type NodeUpgrade,
  type NodeUpgradeLook,
  type UpgradedNode,
} from './decide-node-upgrade.js';
import { budgetsRemark, drainedNodes, refuseUnowned } from './drained-node.js';
import { claimsRemark } from './own-node-name.js';
import { ageOf } from './package-lists.js';

/** How a host is upgraded. */
export interface NodeUpgradeSite extends UpgradedNode {
  readonly settings: Pick<Kubernetes['settings'], 'drainTimeoutS'>;
  /** Services that have a load balancer there. */
  readonly balancerOf: readonly ServiceName[];
}

/** The resources of a host that is upgraded, in the order in which they are done. */
export function nodeUpgradeSteps(site: NodeUpgradeSite): readonly Resource[] {
  return [
    step('drained', site, ({ drained, through }) => {
      if (drained === undefined) return UNCHANGED;
      refuseUnowned(drained, through);
      const { drainTimeoutS: timeoutS } = site.settings;
      return drainedNodes([drained], { through, timeoutS, cordon: 'marked' });
    }),
    step('finished', site, ({ finished }) => (finished ? finishedOutcome(site) : UNCHANGED)),
    step('packages', site, ({ packages }, { apt }) => upgraded(site, packages, apt)),
    step('reboot', site, ({ reboot }) => rebooted(site, reboot)),
    step('uncordoned', site, uncordoned),
  ];
}

type StepName = 'drained' | 'finished' | 'packages' | 'reboot' | 'uncordoned';

function step(
  name: StepName,
  site: NodeUpgradeSite,
  outcomeOf: (plan: NodeUpgrade, look: NodeUpgradeLook) => Outcome,
): Resource {
  const look = async (probe: Probe): Promise<NodeUpgradeLook> => lookAtNodeUpgrade(site, probe);
  const doubt = DOUBTS[name];
  return {
    address: `node-upgrade:${name}`,
    paths: [],
    async plan(probe) {
      const seen = await look(probe);
      const found = decideNodeUpgrade(site.node.host, seen);
      return typeof found === 'string' ? { kind: 'unknown', because: found } : outcomeOf(found, seen);
    },
    ...(doubt === undefined ? {} : { doubt: async (probe: Probe) => doubt(await look(probe), site.node.host) }),
  };
}

const DOUBTS: Readonly<Partial<Record<StepName, (look: NodeUpgradeLook, host: string) => string | undefined>>> = {
  drained(look, host) {
    const { cluster } = look;
    const found = decideNodeUpgrade(host, look);
    const isDrained = typeof found !== 'string' && found.drained !== undefined;
    if (!('through' in cluster)) return undefined;
    const own = cluster.nodes.filter(({ name }) => name === look.ownName);
    const remarks = [
      claimsRemark(look.ownName, cluster.through, cluster.nodes),
      isDrained ? budgetsRemark(own) : undefined,
    ];
    return remarks.filter((each) => each !== undefined).join('; ') || undefined;
  },
  packages({ apt, lists }) {
    if (lists === 'old') return undefined;
    const kept = apt.keptBack.length === 0 ? '' : `; held or kept back, they stay: ${shortList(apt.keptBack)}`;
    return `what is upgraded is decided by apt's lists, and ${ageOf(apt)}${kept}`;
  },
};

/**
 * Right before a host's services may be away: nobody else installs, and others can do without it. The drain may have taken hours since
 * the play has asked.
 */
function whileSpared({ node, isMember, balancerOf }: NodeUpgradeSite): readonly Action[] {
  const gates = [
    'apt-unlocked',
    ...(node.kind === 'control-plane' ? ['apiserver-can-spare-batch'] : []),
    ...(isMember ? ['etcd-keeps-quorum-without-batch'] : []),
    ...balancerOf.map((name) => aboutService('vip-can-spare-batch', name)),
  ];
  return gates.map((gate) => ({ kind: 'await', gate, parameters: {} }));
}

function finishedOutcome(site: NodeUpgradeSite): Outcome {
  return changed({
    summary: 'finish an installation that was cut off (dpkg --configure -a)',
    diff: [],
    actions: [
      ...whileSpared(site),
      { kind: 'run', command: finishInstallation(), undo: { lasting: 'packages stay installed' } },
    ],
    effect: 'change',
    disruptive: true,
  });
}

function upgraded(site: NodeUpgradeSite, packages: NodeUpgrade['packages'], { upgrades }: AptUpgrade): Outcome {
  if (packages === false) return UNCHANGED;
  if (packages === 'unclear')
    return { kind: 'unknown', because: 'which packages are upgraded is known once the installation is finished' };
  const names = shortList(upgrades.map(({ name }) => name));
  return changed({
    summary: `upgrade ${counted(upgrades.length, 'package')}: ${names} (apt-get upgrade)`,
    diff: upgrades.map(({ name, from, to }) => (from === undefined ? `+ ${name} ${to}` : `~ ${name} ${from} → ${to}`)),
    actions: [
      ...whileSpared(site),
      { kind: 'run', command: upgradePackages(upgrades), undo: { lasting: 'packages stay upgraded' } },
    ],
    // Whatever runs with them may be restarted.
    effect: 'change',
    disruptive: true,
  });
}

function rebooted(site: NodeUpgradeSite, reboot: NodeUpgrade['reboot']): Outcome {
  if (reboot === undefined) return UNCHANGED;
  if (reboot === 'unclear')
    return { kind: 'unknown', because: 'whether the host must be rebooted is known once its packages are upgraded' };
  return changed({
    summary: `reboot: ${reboot.because}`,
    diff: [],
    actions: [...whileSpared(site), { kind: 'reboot-host' }],
    effect: 'restart',
    disruptive: true,
  });
}

function uncordoned({ uncordoned: node, through }: NodeUpgrade): Outcome {
  if (node === undefined) return UNCHANGED;
  const { name, isMarked } = node;
  return changed({
    summary: `have node ${name} take pods again, once it is Ready (kubectl uncordon)`,
    diff: isMarked ? ['an earlier run has cordoned it, and did not come to its end'] : [`through ${through}`],
    actions: [
      { kind: 'await', gate: 'kubelet-ready', parameters: {} },
      { kind: 'run-on', on: through, command: uncordonMarked(name), lasting: 'the node takes pods' },
    ],
    effect: 'change',
    disruptive: false,
  });
}
