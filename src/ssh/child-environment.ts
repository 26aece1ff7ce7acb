/** Ours, which hold passphrases, and those of a collector, whose address and headers may: no program that ssh starts has a use for them. */
const OWN_VARIABLE = /^PROVISION_|^OTEL_EXPORTER_OTLP_/;

/** The environment for `ssh -G` and for a ProxyCommand, which an inventory may choose: without our secrets. */
export function childEnvironment(env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OWN_VARIABLE.test(name)));
}
