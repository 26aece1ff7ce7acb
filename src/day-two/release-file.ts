import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SendRelease } from '../model/action.js';
import { ProvisionError } from '../model/errors.js';
import { fileReason } from '../model/file-reason.js';
import { PRODUCT_TITLES } from '../model/kubernetes.js';
import type { StdinFile } from '../model/remote.js';

type Release = SendRelease['release'];

/** Ten times what a tarball of etcd has, three times what one of containerd has. */
const MOST_BYTES = 256 * 1024 * 1024;

/** How long a server may say nothing, in milliseconds. */
const SILENCE_MS = 60_000;

/**
 * The tarball of a release as a file of this machine, which is read each time that it is sent. One at a URL is downloaded into
 * `cache`, once: whole, or not there.
 * @param say reports a download
 * @throws ProvisionError `release-unreadable`, `release-differs`
 */
export async function openRelease(release: Release, cache: string, say: (message: string) => void): Promise<StdinFile> {
  const { source, sha256 } = release;
  if (!/^https?:\/\//.test(source)) return asStdin(release, source);
  const { file, ending } = wordsOf(release);
  const path = join(cache, `${file}-${sha256.slice(0, 12)}${ending}`);
  if ((await stat(path).catch(() => undefined)) === undefined) {
    await download(release, path, cache);
    say(`downloaded ${source} to ${path}`);
  }
  return asStdin(release, path);
}

async function asStdin(release: Release, path: string): Promise<StdinFile> {
  const { sha256 } = release;
  const read = (): AsyncIterable<Uint8Array> => createReadStream(path, { highWaterMark: 256 * 1024 });
  const found = await measure(read(), MOST_BYTES).catch((cause: unknown) => {
    throw unreadable(release, path, cause);
  });
  if (found.sha256 !== sha256) throw differs(release, path, found.sha256);
  return { bytes: found.bytes, sha256, read };
}

async function measure(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  take: (chunk: Uint8Array) => Promise<void> = () => Promise.resolve(),
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new RangeError(`it has more than ${maxBytes / 1024 / 1024} MiB`);
    hash.update(chunk);
    await take(chunk);
  }
  return { bytes, sha256: hash.digest('hex') };
}

async function download(release: Release, path: string, cache: string): Promise<void> {
  await mkdir(cache, { recursive: true, mode: 0o700 });
  const part = `${path}.${process.pid}.part`;
  const file = await open(part, 'w', 0o600);
  try {
    const found = await measure(
      bodyOf(`${release.source}${release.query?.reveal() ?? ''}`),
      MOST_BYTES,
      async (chunk) => {
        await file.writeFile(chunk);
      },
    ).catch((cause: unknown) => {
      throw unreadable(release, release.source, cause);
    });
    if (found.sha256 !== release.sha256) throw differs(release, release.source, found.sha256);
    await file.sync();
    await rename(part, path);
  } finally {
    await file.close();
    await rm(part, { force: true });
  }
}

async function* bodyOf(url: string): AsyncGenerator<Uint8Array> {
  const ended = new AbortController();
  const watch = setTimeout(() => {
    ended.abort(new Error(`nothing came for ${SILENCE_MS / 1000} s`));
  }, SILENCE_MS);
  try {
    const response = await fetch(url, { signal: ended.signal });
    if (!response.ok || response.body === null) throw new Error(`the server answered ${response.status}`);
    for await (const chunk of response.body) {
      watch.refresh();
      yield chunk;
    }
  } finally {
    clearTimeout(watch);
  }
}

/** How a release is spoken of. */
interface ReleaseWords {
  readonly title: string;
  /** In the cache, without its digest. */
  readonly file: string;
  readonly ending: string;
  /** The variables that name it. */
  readonly url: string;
  readonly digest: string;
  /** What else helps where it can't be read. */
  readonly wayOut: string;
}

function wordsOf(release: Release): ReleaseWords {
  if (!('product' in release)) {
    const { version } = release;
    const wayOut = '; where only the hosts reach it: etcd_release_fetch: host';
    const variables = { url: 'etcd_release_url', digest: 'etcd_release_sha256' };
    return { title: `etcd ${version}`, file: `etcd-${version}`, ending: '.tar.gz', ...variables, wayOut };
  }
  const { product } = release;
  const variables = { url: `kube_cluster_${product}_release`, digest: `kube_cluster_${product}_sha256` };
  const ending = product === 'runc' ? '' : '.tar.gz';
  return { title: PRODUCT_TITLES[product], file: product, ending, ...variables, wayOut: '' };
}

function unreadable(release: Release, place: string, cause: unknown): ProvisionError {
  const { query } = release;
  const { title, url, wayOut } = wordsOf(release);
  const reason = fileReason(reasonOf(cause));
  return new ProvisionError({
    code: 'release-unreadable',
    message: `${title}: ${place} cannot be read: ${query === undefined ? reason : reason.replaceAll(query.reveal(), '')}`,
    hint: `name a mirror or a file with ${url}${wayOut}`,
    // What Node says may have the whole URL.
    cause: query === undefined ? cause : undefined,
  });
}

/** What fetch says is only that it failed; why is the cause. */
function reasonOf(error: unknown): string {
  const { message = String(error), cause } = Object(error) as { readonly message?: string; readonly cause?: unknown };
  return cause === undefined ? message : `${message}: ${reasonOf(cause)}`;
}

function differs(release: Release, place: string, found: string): ProvisionError {
  const { title, digest } = wordsOf(release);
  return new ProvisionError({
    code: 'release-differs',
    message: `${title}: ${place} has SHA-256 ${found}, and ${digest} is ${release.sha256}: it was sent to no host`,
    hint: 'compare it with SHA256SUMS of the release; where the file is damaged, remove it',
  });
}
