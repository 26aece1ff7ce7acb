import { defaulted, optional } from './variable-definition.js';
import { oneOf, text } from './variable-kinds.js';

/** Which etcd the members run. */
export const RELEASE_VARIABLES = {
  etcd_install: defaulted('package', {
    schema: oneOf(['package', 'release']),
    type: 'package or release',
    description:
      'Where etcd comes from: the packages of the host (`etcd-server`, `etcd-client`), or a release tarball in the layout of etcd upstream, ' +
      'unpacked below `/usr/local/lib/etcd`. [How versions change](../runbooks/upgrade-etcd.md).',
  }),
  etcd_version: optional({
    schema: text('a version of etcd such as 3.5.16, from 3.4.0 on', /^v?3\.(?:[4-9]|[1-9]\d{1,3})\.\d{1,4}$/),
    type: 'version',
    fallbackText: 'required with `etcd_install: release`',
    description:
      'Release: the version that the members run. Where it is changed, they are upgraded one after the other, one minor version at a time.',
  }),
  etcd_release_url: optional({
    schema: text(
      'an http or https URL without a password, or a path on the control machine',
      /^(?:https?:\/\/[^\s"'\\@]+|(?!\w+:\/\/)[^~\0\r\n][^\0\r\n]*)$/,
    ),
    mayHoldSecrets: true,
    type: 'URL, or path on the control machine',
    fallbackText: 'the one of etcd upstream for amd64',
    description:
      'Release: where the tarball is: a mirror, or a file on the control machine; a relative path starts at the inventory. Both are sent to the hosts over SSH. ' +
      'What a URL has after `?` may be a secret, and is shown nowhere.',
  }),
  etcd_release_sha256: optional({
    schema: text('the SHA-256 of the tarball: 64 hexadecimal digits', /^[0-9a-fA-F]{64}$/),
    type: 'SHA-256',
    fallbackText: 'required with `etcd_install: release`',
    description:
      'Release: what the tarball must be, as `SHA256SUMS` of the release says. Compared on each host before it is unpacked.',
  }),
  etcd_release_fetch: defaulted('control', {
    schema: oneOf(['control', 'host']),
    type: 'control or host',
    description:
      'Release: who reads a URL. `control`: this machine, once, and the hosts need no network for it. `host`: each host by itself.',
  }),
} as const;
