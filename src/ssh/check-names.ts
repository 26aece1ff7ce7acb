import { RemoteError } from '../model/errors.js';

/**
 * What a shell would not take as part of a word (ssh.c, valid_hostname and valid_ruser): a ProxyCommand has these names
 * in it, and runs in a shell. ssh refuses them too, since 9.6; an older one, or none, leaves it to us.
 */
const UNSAFE_ADDRESS = /^-|['`"$\\;&<>|(){}\s\p{Cc}]/u;
const UNSAFE_USER = /^-|['`";&<>|(){}\p{Cc}]|\$\(|\s-|\\$/u;

/** @throws RemoteError when an address or a user could be run as a command */
export function checkNames(host: string, names: { readonly address: string; readonly user: string | undefined }): void {
  if (UNSAFE_ADDRESS.test(names.address))
    throw unsafe(host, 'ansible_host', names.address, 'an address or a host name');
  if (names.user !== undefined && UNSAFE_USER.test(names.user))
    throw unsafe(host, 'ansible_user', names.user, 'a user name');
}

function unsafe(host: string, variable: string, value: string, expected: string): RemoteError {
  return new RemoteError({
    code: 'ssh-config-invalid',
    host,
    message: `${host}: '${value}' is not ${expected}: it has characters that a shell could run`,
    hint: `check ${variable} of ${host}, its ProxyJump, and HostName and User in ~/.ssh/config`,
  });
}
