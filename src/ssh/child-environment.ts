/** Ours: they hold passphrases, and no program that ssh starts has a use for them. */
const OWN_VARIABLE = /^PROVISION_/;

/** The environment for `ssh -G` and for a ProxyCommand, which an inventory may choose: without our secrets. */
export function childEnvironment(env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OWN_VARIABLE.test(name)));
}
