import { resolve } from 'node:path';
import type { EtcdRelease } from '../model/cluster.js';
import type { Host } from '../model/inventory.js';
import { MarkedText } from '../model/marked-text.js';
import { Secret } from '../model/secret.js';
import type { RELEASE_VARIABLES } from './release-variables.js';
import type { VariableReader } from './variable-reader.js';

/** What a release is read with. */
export interface ReleaseSource {
  /** `etcd_managed` of the cluster. */
  readonly isManaged: boolean;
  /** Where relative paths start. */
  readonly directory: string;
  readonly reader: VariableReader;
}

type ReleaseVariable = keyof typeof RELEASE_VARIABLES;

/** Upstream's own place (etcd.io, "Install"). */
const UPSTREAM = 'https://github.com/etcd-io/etcd/releases/download';

/** The release that a member should run; nothing where it runs the host's package. */
export function readRelease(host: Host, source: ReleaseSource): EtcdRelease | undefined {
  const { isManaged, directory, reader } = source;
  if (reader.readOr(host, 'etcd_install') !== 'release') {
    warnWithoutEffect(host, reader);
    return undefined;
  }
  if (!isManaged) {
    report(
      host,
      reader,
      'etcd_install',
      'release: expected package, for etcd_managed is false: others install its etcd',
    );
    return undefined;
  }
  const version = reader.read(host, 'etcd_version')?.replace(/^v/, '');
  const sha256 = reader.read(host, 'etcd_release_sha256')?.toLowerCase();
  const sums = `take it from SHA256SUMS of the release, ${UPSTREAM}/v${version ?? 'VERSION'}/SHA256SUMS`;
  requireSet(host, reader, 'etcd_version', 'expected a version such as 3.5.16');
  requireSet(host, reader, 'etcd_release_sha256', sums);
  if (version === undefined || sha256 === undefined) return undefined;
  const fetch = reader.readOr(host, 'etcd_release_fetch');
  const upstream = new MarkedText([`${UPSTREAM}/v${version}/etcd-v${version}-linux-amd64.tar.gz`]);
  const tarball = splitUrl(reader.marked(host, 'etcd_release_url') ?? upstream, host, reader);
  const isUrl = URL_START.test(tarball.source);
  if (fetch === 'host' && !isUrl)
    report(
      host,
      reader,
      'etcd_release_fetch',
      `host: expected control, for ${tarball.source} is a file of this machine`,
    );
  if (fetch === 'host' && tarball.query !== undefined)
    report(
      host,
      reader,
      'etcd_release_fetch',
      'host: expected control, for etcd_release_url has a query, which all users of a host would see in its list of processes',
    );
  return { version, sha256, fetch, ...tarball, source: isUrl ? tarball.source : resolve(directory, tarball.source) };
}

const URL_START = /^https?:\/\//;

/** What lets one in stands in a URL after `?`: apart from the rest, which is shown. */
function splitUrl(given: MarkedText, host: Host, reader: VariableReader): Pick<EtcdRelease, 'source' | 'query'> {
  const text = given.reveal();
  const [source = text] = URL_START.test(text) ? text.split(/[?#]/) : [text];
  if (!given.redacted.startsWith(source))
    report(
      host,
      reader,
      'etcd_release_url',
      'only what follows `?` in a URL may be a secret: the rest is seen in plans',
    );
  return { source, query: source === text ? undefined : new Secret(text.slice(source.length)) };
}

function requireSet(host: Host, reader: VariableReader, name: ReleaseVariable, expected: string): void {
  if (host.variables.names().includes(name)) return;
  report(host, reader, name, `is not set, and etcd_install is release: ${expected}`);
}

function report(host: Host, reader: VariableReader, name: ReleaseVariable, message: string): void {
  reader.report('error', host.variables.at(name) ?? host.variables.at('etcd_install'), name, message);
}

/** No error: inventories of other tools set some of them. */
function warnWithoutEffect(host: Host, reader: VariableReader): void {
  for (const name of ['etcd_version', 'etcd_release_url', 'etcd_release_sha256'] as const) {
    const at = host.variables.at(name);
    if (at !== undefined)
      reader.report(
        'warning',
        at,
        name,
        'has no effect while etcd_install is package: the version is that of the package',
      );
  }
}
