import { createHash } from 'node:crypto';
import { ProvisionError } from '../model/errors.js';
import type { Fact, Probe } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** Larger files are not fetched: nothing that this program manages is near it. */
const LIMIT_BYTES = 1024 * 1024;

/** A file whose content is not given, because it could not be written back as it is. */
export interface UnreadableFile {
  /** `too-large`: larger than 1 MiB. `not-text`: not UTF-8. */
  readonly kind: 'too-large' | 'not-text';
  readonly bytes: number;
}

/**
 * Key: path. The file's text, `undefined` when there is none. Asked only for files that differ. Who builds on the text
 * asks by {@link askText}.
 */
export const fileContent: Fact<string | UnreadableFile | undefined> = {
  name: 'file-contents',
  isConfidential: true,
  script: (paths) =>
    paths
      .map(quote)
      .map(
        (path) =>
          `if [ -f ${path} ]; then printf 'F %s ' "$(stat -L -c %s -- ${path})"; head -c ${LIMIT_BYTES + 1} -- ${path} | base64 -w0; else printf -; fi; echo`,
      )
      .join('\n'),
  parse(stdout, paths) {
    const lines = stdout.split('\n');
    return new Map(
      paths.map((path, index) => {
        const line = lines[index] ?? '';
        if (line === '-') return [path, undefined];
        const [, size, encoded = ''] = /^F (\d*) ([A-Za-z0-9+/=]*)$/.exec(line) ?? [];
        if (size === undefined) throw new Error(`no content came back for ${path}`);
        return [path, readContent(Buffer.from(encoded, 'base64'), Number(size))];
      }),
    );
  },
  evidence: (content) => (typeof content === 'string' ? createHash('sha256').update(content).digest('hex') : content),
};

function readContent(content: Buffer, size: number): string | UnreadableFile {
  if (content.length > LIMIT_BYTES) return { kind: 'too-large', bytes: Math.max(size, content.length) };
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return { kind: 'not-text', bytes: content.length };
  }
}

/**
 * The text of a file, to be read or edited: all of it, and the very same bytes when it is written back.
 * @returns undefined when there is no such file
 * @throws ProvisionError `file-unreadable`, RemoteError
 */
export async function askText(probe: Probe, path: string): Promise<string | undefined> {
  const content = await probe.ask(fileContent, path);
  if (typeof content !== 'object') return content;
  const isLarge = content.kind === 'too-large';
  throw new ProvisionError({
    code: 'file-unreadable',
    message: `${probe.host}: ${path} ${isLarge ? `has ${content.bytes} bytes; at most ${LIMIT_BYTES} are read` : 'is not UTF-8 text'}: it is left as it is`,
    hint: isLarge ? `look at it with: ls -l ${path}` : `find the lines with: grep -naxv '.*' ${path}`,
  });
}
