import { quote } from './quote.js';

/**
 * Where programs are looked for on every host: the usual directories, those for administrators too, whatever the
 * login shell, `/etc/environment` or a sudo without `secure_path` says. What only root may write to.
 */
const REMOTE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What is set for every command; the locale makes messages and formats the same on every host. */
const FIXED = [`PATH=${REMOTE_PATH}`, 'LC_ALL=C', 'SHELL=/bin/sh'];

/** What stays as the login or sudo has set it. */
const KEPT = ['HOME', 'USER', 'LOGNAME'];

/** apt's proxy, which many hosts have only in their environment, under names that no other program reads. */
const APT_PROXIES: Readonly<Record<string, string>> = {
  http_proxy: 'PROVISION_HTTP_PROXY',
  https_proxy: 'PROVISION_HTTPS_PROXY',
  no_proxy: 'PROVISION_NO_PROXY',
};

/** The words that run what follows as words (`sudo …`) in a known locale and with a known PATH. */
export const PLAIN_ENVIRONMENT = `env ${FIXED.join(' ')}`;

/**
 * The words that run what follows as words in the one environment that every remote command has: nothing is inherited,
 * so that no `ETCDCTL_*`, `KUBECONFIG`, `http_proxy`, `BASH_ENV`, `CDPATH` or exported function of the host changes
 * what a command does.
 * @param first a shell command that runs before, in the environment that was found
 */
export function inRemoteEnvironment(first: string): string {
  const kept = KEPT.map((name) => `${name}="\${${name}-}"`);
  const proxies = Object.entries(APT_PROXIES).map(([name, as]) => `\${${name}:+"${as}=$${name}"}`);
  const words = [...FIXED, ...kept, ...proxies].join(' ');
  return `sh -c ${quote(`${first}exec env -i ${words} "$@"`)} sh`;
}

/** Words to put before apt: they give it the host's own proxy again (apt-transport-http(1)). */
export function withAptProxies(): string {
  const words = Object.entries(APT_PROXIES).map(([name, as]) => `\${${as}:+"${name}=$${as}"}`);
  return `env ${words.join(' ')}`;
}
