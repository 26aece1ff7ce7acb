import { packageState, type PackageState } from '../facts/packages.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import { ProvisionError } from '../model/errors.js';
import type { Command, Probe } from '../model/remote.js';
import { quote } from '../shell/quote.js';
import { APT_LOCK_WAIT_S, aptGet, requireSource, type PackageSource } from '../shell/apt.js';

/** Lock wait, and as long again for downloading and unpacking. */
const INSTALL_TIMEOUT_MS = 2 * APT_LOCK_WAIT_S * 1000;

/** Debian packages that a host should have. */
export interface PackagesOptions {
  /** `haproxy`, or `haproxy=2.6.12-1` for just that version, or `haproxy=2.6.*` for any that begins so. */
  readonly names: readonly string[];
  /** Units that the installation must not start: they are masked in /run meanwhile. */
  readonly keepStopped?: readonly string[];
  /** Packages whose unit of the same name is not wanted: where one is installed here, that is neither started nor enabled. */
  readonly keepDisabled?: readonly string[];
  /** From there, and from nowhere else. */
  readonly source?: PackageSource;
}

interface Wanted {
  readonly name: string;
  readonly version: string | undefined;
  readonly state: PackageState;
}

/** Packages, installed by apt; nothing is upgraded unless its version is named. */
export function packages(options: PackagesOptions): Resource {
  return {
    address: `packages:${options.names.join(',')}`,
    paths: [],
    async plan(probe) {
      const wanted = await Promise.all(options.names.map((spec) => lookUp(spec, probe)));
      return decide(
        wanted.filter(({ state, version }) => state.installed === undefined || differs(state.installed, version)),
        options,
      );
    },
  };
}

async function lookUp(spec: string, probe: Probe): Promise<Wanted> {
  const [name = spec, version] = spec.split('=', 2);
  return { name, version, state: await probe.ask(packageState, name) };
}

function differs(installed: string, wanted: string | undefined): boolean {
  return wanted !== undefined && !isVersion(installed, wanted);
}

/** Whether a version is the one that is wanted, or one of those that begin as it says. */
export function isVersion(found: string, wanted: string): boolean {
  return wanted.endsWith('*') ? found.startsWith(wanted.slice(0, -1)) : found === wanted;
}

function decide(missing: readonly Wanted[], { keepStopped = [], keepDisabled = [], source }: PackagesOptions): Outcome {
  if (missing.length === 0) return UNCHANGED;
  for (const { name, state } of missing) if (state.held) throw heldError(name, state);
  const specs = missing.map(({ name, version, state }) => {
    const exact = version ?? state.candidate;
    return exact === undefined ? name : `${name}=${exact}`;
  });
  const idle = keepDisabled.filter((unit) => missing.some(({ name }) => name === unit));
  const names = missing.map(({ name }) => name).join(', ');
  return changed({
    summary: `install ${names}`,
    diff: missing.map(({ name, version, state }) => describe(name, version, state)),
    actions: [
      // apt waits too, but says nothing that anybody sees: it covers who comes between.
      { kind: 'await', gate: 'apt-unlocked', parameters: {} },
      {
        kind: 'run',
        command: installCommand(specs, { keepStopped: [...keepStopped, ...idle], idle, source }),
        undo: { lasting: 'packages stay installed' },
      },
    ],
    effect: missing.every(({ state }) => state.installed === undefined) ? 'create' : 'change',
    disruptive: false,
    installs: specs,
  });
}

function describe(name: string, version: string | undefined, state: PackageState): string {
  const to = version ?? state.candidate ?? '(version known after apt-get update)';
  return state.installed === undefined ? `+ ${name} ${to}` : `~ ${name} ${state.installed} → ${to}`;
}

function heldError(name: string, state: PackageState): ProvisionError {
  return new ProvisionError({
    code: 'package-held',
    message: `package ${name} is on hold at ${state.installed ?? 'not installed'}, and would have to change`,
    hint: `apt-mark unhold ${name}   (or name the held version in the playbook)`,
  });
}

/** How packages are installed. */
interface Installation {
  readonly keepStopped: readonly string[];
  readonly idle: readonly string[];
  readonly source: PackageSource | undefined;
}

function installCommand(specs: readonly string[], { keepStopped, idle, source }: Installation): Command {
  const units = keepStopped.map((unit) => quote(`${unit}.service`)).join(' ');
  const known = specs.every((spec) => spec.includes('='));
  const apt = aptGet();
  const words = specs.map(quote).join(' ');
  return {
    summary: `apt-get install ${specs.join(' ')}`,
    timeoutMs: INSTALL_TIMEOUT_MS,
    script: [
      'set -eu',
      'export DEBIAN_FRONTEND=noninteractive',
      // A runtime mask is gone after a reboot, and an interrupted run here is healed by the service resource.
      ...(units === ''
        ? []
        : [`trap 'systemctl unmask --runtime --quiet ${units}' EXIT`, `systemctl mask --runtime --quiet ${units}`]),
      ...(known ? [] : [`${apt} update`]),
      ...(source === undefined ? [] : requireSource(specs, source)),
      `install() { ${apt} -y${source === undefined ? '' : ' -o APT::Get::AllowUnauthenticated=false'} --no-install-recommends -o Dpkg::Options::=--force-confold install ${words}; }`,
      // What an interrupted dpkg was doing is kept in this directory, and until that is finished apt refuses. Not
      // looked at before the first try: that waits until no other dpkg is at work.
      // A shell goes on after a list like this one, whatever `set -e` says of its end.
      'install || { [ -n "$(ls /var/lib/dpkg/updates)" ] && dpkg --force-confold --configure -a && install; } || exit',
      ...(idle.length === 0
        ? []
        : [`systemctl disable --quiet ${idle.map((unit) => quote(`${unit}.service`)).join(' ')}`]),
    ].join('\n'),
  };
}
