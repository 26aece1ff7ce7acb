import { claimOf, namesAddress } from '../facts/address-claim.js';
import { askText } from '../facts/file-content.js';
import { fileOrigin } from '../facts/file-origin.js';
import { unitCommand } from '../facts/unit-command.js';
import { isInUse, unitState, type UnitState } from '../facts/unit-state.js';
import type { Action } from '../model/action.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { daemonReload } from '../shell/service-command.js';
import { withoutMark, type MarkedUnit } from './down-mark.js';
import { stopForGood } from './stop-for-good.js';

/** A program that a load balancer runs. */
export interface BalancerProgram {
  /** Without `.service`. */
  readonly unit: string;
  readonly configFile: string;
  /** The configuration files that it reads when it is started so. @param argv the program first */
  readonly reads: (argv: readonly string[]) => readonly string[];
}

/** What a former load balancer of a service may have left. */
export interface FreedBalancerOptions {
  readonly service: string;
  /** Absent where the inventory does not name it any more, for others run the balancer. */
  readonly vip: string | undefined;
  /** Of the service's backends: with the virtual IP, what tells its configuration from that of another cluster. */
  readonly addresses: readonly string[];
  readonly keepalived: readonly BalancerProgram[];
  readonly proxies: readonly BalancerProgram[];
  /** Further files; they begin with our header. */
  readonly files: readonly string[];
  /** Units that leave a mark when they end; their drop-ins begin with our header. */
  readonly marked: readonly MarkedUnit[];
  /** Authorities and certificates: they can't say whose they are, and go with a configuration of ours. */
  readonly certificates: readonly string[];
}

/**
 * A host that was a load balancer of a service, and is none any more: what provision set up for it is stopped, disabled and
 * removed. What others wrote stays, and so does a configuration that names neither the virtual IP nor a backend: the
 * host may be a load balancer of another cluster by now.
 */
export function freedBalancer(options: FreedBalancerOptions): Resource {
  const { service, vip, addresses, keepalived, proxies } = options;
  return {
    address: `freed-balancer:${service}`,
    paths: [],
    async plan(probe) {
      const [vrrp, proxy, files, certificates] = await Promise.all([
        Promise.all(keepalived.map((each) => lookAt(each, probe))),
        Promise.all(proxies.map((each) => lookAt(each, probe))),
        found(options.files, probe),
        found(options.certificates, probe),
      ]);
      if (vip !== undefined) await refuseOthers(vip, vrrp, probe);
      const ours = [...vrrp, ...proxy].filter(({ isOurs }) => isOurs);
      if (!ours.some(({ text }) => [vip ?? [], addresses].flat().some((each) => namesAddress(text, each))))
        return UNCHANGED;
      const stopped = ours.filter(({ isRun, state }) => isRun && isInUse(state));
      const units = ours.filter(({ hasUnitFile }) => hasUnitFile).map(({ unitFile }) => unitFile);
      const dropIns = await found(
        options.marked.map(({ dropIn }) => dropIn),
        probe,
      );
      const marked = options.marked.filter((_, index) => dropIns[index]?.kind === 'ours');
      const first = [
        ...files.filter(({ kind }) => kind === 'ours').map(({ path }) => path),
        ...certificates.filter(({ kind }) => kind !== 'absent').map(({ path }) => path),
        ...units,
      ];
      // Last, that of the proxy after that of keepalived: while one is there, the next run finishes one that was cut off.
      const last = ours.map(({ configFile }) => configFile);
      return changed({
        summary: `free the host of the load balancer of ${service}`,
        diff: [
          ...stopped.map(({ unit, state }) => `stop and disable ${unit}${state.active ? ': its connections end' : ''}`),
          ...[...marked.map(({ dropIn }) => dropIn), ...first, ...last].map((path) => `- ${path}`),
        ],
        actions: [
          ...marked.flatMap(withoutMark),
          ...stopped.flatMap(({ unit, state }) => stopForGood(unit, state)),
          ...first.map(removal),
          ...(units.length === 0 ? [] : [FORGET]),
          ...last.map(removal),
        ],
        effect: 'delete',
        disruptive: stopped.some(({ state }) => state.active),
      });
    },
  };
}

/** A program as its host has it. */
interface Seen extends BalancerProgram {
  readonly state: UnitState;
  readonly text: string;
  /** Whether we wrote its configuration. */
  readonly isOurs: boolean;
  /** Whether its unit reads that. */
  readonly isRun: boolean;
  readonly unitFile: string;
  /** Whether that is there, and ours. */
  readonly hasUnitFile: boolean;
}

async function lookAt(program: BalancerProgram, probe: Probe): Promise<Seen> {
  const { unit, configFile, reads } = program;
  const unitFile = `/etc/systemd/system/${unit}.service`;
  const [state, origin, text = '', unitOrigin, { running, next }] = await Promise.all([
    probe.ask(unitState, unit),
    probe.ask(fileOrigin, configFile),
    askText(probe, configFile),
    probe.ask(fileOrigin, unitFile),
    probe.ask(unitCommand, unit),
  ]);
  const read = reads(state.active ? running : next);
  const isRun = read.includes(configFile);
  const others = read.filter((path) => path !== configFile);
  if (origin.kind === 'ours' && state.active && isRun && others.length > 0)
    throw servesOthers(probe.host, program, others);
  return {
    ...program,
    state,
    text,
    isOurs: origin.kind === 'ours',
    isRun,
    unitFile,
    hasUnitFile: unitOrigin.kind === 'ours',
  };
}

async function found(paths: readonly string[], probe: Probe): Promise<readonly { path: string; kind: string }[]> {
  return Promise.all(paths.map(async (path) => ({ path, kind: (await probe.ask(fileOrigin, path)).kind })));
}

/** What is not ours is not stopped, and no new load balancer may start beside it. */
async function refuseOthers(vip: string, vrrp: readonly Seen[], probe: Probe): Promise<void> {
  if (vrrp.some(({ isOurs, isRun, state }) => isOurs && isRun && state.active)) return;
  const claims = await Promise.all(
    vrrp
      .filter(({ isOurs }) => !isOurs)
      .map(async (keepalived) => ({ unit: keepalived.unit, claim: await claimOf({ vip, keepalived }, probe) })),
  );
  const [first] = claims.filter(({ claim }) => claim !== undefined);
  if (first === undefined) return;
  throw new ProvisionError({
    code: 'former-balancer',
    message: `${probe.host} ${first.claim ?? ''}, and not by a keepalived of this program: another one is not stopped`,
    hint: [
      `ssh ${probe.host} ip -br address show to ${vip}   shows whether it has the address`,
      `ssh ${probe.host} sudo systemctl disable --now ${first.unit}   when nothing else uses it; then apply again`,
    ].join('\n'),
  });
}

function servesOthers(host: string, { unit, configFile }: BalancerProgram, others: readonly string[]): ProvisionError {
  return new ProvisionError({
    code: 'former-balancer',
    message: `${host}: ${unit} reads ${others.join(', ')} beside ${configFile}: it is not stopped, for it may serve others`,
    hint: `take ${configFile} out of it by hand: ssh ${host} systemctl cat ${unit}; remove that file, restart ${unit}, then again`,
  });
}

function removal(path: string): Action {
  return { kind: 'remove-file', path };
}

/** systemd keeps a unit in mind whose file is gone. */
const FORGET: Action = { kind: 'run', command: daemonReload(), undo: daemonReload() };
