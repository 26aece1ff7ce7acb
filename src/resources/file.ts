import { createHash } from 'node:crypto';
import { fileContent, type UnreadableFile } from '../facts/file-content.js';
import { fileOrigin } from '../facts/file-origin.js';
import { fileState, type FileState } from '../facts/file-state.js';
import type { Ownership, WriteFile } from '../model/action.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import type { Content } from '../model/content.js';
import { counted } from '../model/counted.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { unifiedDiff } from './unified-diff.js';

/** A file that a host should have. */
export interface FileOptions extends Ownership {
  readonly path: string;
  /** The whole file; a function when it depends on what is found on the host. */
  readonly content: Content | ((probe: Probe) => Promise<Content>);
  /** Shell command that must accept the staged file (`"$1"`) before it lands. */
  readonly validate?: string | undefined;
  /** How long that may take, in milliseconds, where it is more than any command. */
  readonly validateMs?: number | undefined;
  /** Where to stage it, on the same file system; default: beside the file. */
  readonly stagingDirectory?: string | undefined;
  /** Given: what another tool wrote there is no longer replaced without a word. Its content needs our header. */
  readonly foreign?: ForeignFiles | undefined;
}

/** What becomes of a file that neither this program nor a package wrote. */
export interface ForeignFiles {
  /** Paths that the inventory gives up (`provision_replace_files`); any other is refused. */
  readonly replace: readonly string[];
  /** What to do instead, for the hint. */
  readonly wayOut: string;
}

/** A file with just this content, owner and mode. */
export function file(options: FileOptions): Resource {
  return {
    address: `file:${options.path}`,
    paths: [options.path],
    async plan(probe) {
      const [content, state] = await Promise.all([
        typeof options.content === 'function' ? options.content(probe) : options.content,
        probe.ask(fileState, options.path),
      ]);
      return decide(options, content, state, probe);
    },
  };
}

async function decide(options: FileOptions, content: Content, state: FileState, probe: Probe): Promise<Outcome> {
  refuseForeignLink(options.path, state);
  const gone = state.link === undefined ? [] : [`- a symbolic link to ${state.link.target}`, '+ a file'];
  if (state.kind === 'absent')
    return write(options, content, 'create', [...gone, ...diffOf(options.path, undefined, content.redacted)]);
  if (state.kind !== 'file') throw notAFile(options.path, state.kind);
  if (state.sha256 !== sha256(content.reveal())) {
    const [found, isForeign] = await Promise.all([probe.ask(fileContent, options.path), refuseForeign(options, probe)]);
    const diff = [...gone, ...diffOf(options.path, found ?? '', content.redacted)];
    return write(options, content, isForeign ? 'replace' : 'update', diff);
  }
  const diff = ownershipDiff(options, state);
  // Rewritten: what is there may have another name somewhere else (a hard link), which must keep its owner.
  return diff.length === 0 ? UNCHANGED : write(options, content, 'set owner and mode of', [...gone, ...diff]);
}

function write(options: FileOptions, content: Content, verb: string, diff: readonly string[]): Outcome {
  const { path, owner, group, mode, validate, validateMs, stagingDirectory } = options;
  const action: WriteFile = {
    kind: 'write-file',
    path,
    content,
    owner,
    group,
    mode,
    validate,
    validateMs,
    stagingDirectory,
  };
  return changed({
    summary: `${verb} ${path}${verb === 'replace' ? ', which provision did not write' : ''} (${owner}:${group} ${mode})`,
    diff,
    actions: [action],
    // What ran with it ends.
    effect: verb === 'create' ? 'create' : 'change',
    disruptive: verb === 'replace',
  });
}

/** @returns whether the file belongs to another tool, and may be replaced @throws ProvisionError `file-not-ours` */
async function refuseForeign({ path, foreign }: FileOptions, probe: Probe): Promise<boolean> {
  if (foreign === undefined) return false;
  const origin = await probe.ask(fileOrigin, path);
  if (origin.kind !== 'foreign') return false;
  const what = `${counted(origin.lines, 'line')} besides comments`;
  const because = 'was written neither by this program nor by its package';
  return givenUp(foreign, { host: probe.host, path, what, because });
}

/** A file of another tool. */
export interface ForeignFile {
  readonly host: string;
  readonly path: string;
  /** What it holds, in a few words. */
  readonly what: string;
  /** How it is known to be another tool's. */
  readonly because: string;
}

/**
 * Whether the inventory gives up a file of another tool.
 * @returns true @throws ProvisionError `file-not-ours` when it does not
 */
export function givenUp(foreign: ForeignFiles, { host, path, what, because }: ForeignFile): true {
  if (foreign.replace.includes(path)) return true;
  throw new ProvisionError({
    code: 'file-not-ours',
    message: `${host}: ${path} (${what}) ${because}: it is left as it is`,
    hint: `${foreign.wayOut}\nto give it up, and what runs with it: provision_replace_files: ['${path}']`,
  });
}

/** What a file holds now: it may be nothing that can be shown. */
type Found = string | UnreadableFile | undefined;

function diffOf(path: string, before: Found, after: string): readonly string[] {
  if (typeof before !== 'object') return unifiedDiff(path, before, after);
  const what = before.kind === 'too-large' ? 'large' : 'binary';
  return [`${what} file differs (${before.bytes} → ${Buffer.byteLength(after)} bytes)`];
}

/** What differs in owner and mode, as diff lines; none where nothing does. */
export function ownershipDiff(wanted: Ownership, found: Ownership): readonly string[] {
  const from = `${found.owner}:${found.group} ${found.mode}`;
  const to = `${wanted.owner}:${wanted.group} ${wanted.mode}`;
  return from === to ? [] : [`- ${from}`, `+ ${to}`];
}

/**
 * A link of one user to what belongs to another was perhaps put there to have that changed.
 * @throws ProvisionError `foreign-link`
 */
export function refuseForeignLink(path: string, state: FileState): void {
  if (state.kind === 'absent' || state.link === undefined || state.link.owner === state.owner) return;
  throw new ProvisionError({
    code: 'foreign-link',
    message: `${path} is a symbolic link of ${state.link.owner} to ${state.link.target}, which belongs to ${state.owner}: neither is touched`,
    hint: `look at it with: ls -l ${path}; remove the link, or name the file that it leads to`,
  });
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

function notAFile(path: string, kind: string): ProvisionError {
  return new ProvisionError({
    code: 'not-a-file',
    message: `${path} is a ${kind === 'directory' ? 'directory' : 'special file'}; a file was expected`,
    hint: `look at it with: ls -ld ${path}`,
  });
}
