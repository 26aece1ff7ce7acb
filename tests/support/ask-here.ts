import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLook } from '../../src/facts/batched-probe.js';
import type { Fact } from '../../src/model/remote.js';
import { createLocalTransport } from './local-transport.js';
import { temporaryDirectory } from './temporary-directory.js';

/** Stand-ins for programs of a host: name → what its shell script does. */
export type Tools = Readonly<Record<string, string>>;

/** How this machine is asked. */
export interface Here {
  readonly tools?: Tools;
  /** The only programs of this machine that are there beside the stand-ins; all where it is absent. */
  readonly only?: readonly string[];
  /** Text of the scripts that is another one here: directories that a test may not use → its own. */
  readonly moved?: Readonly<Record<string, string>>;
}

/** The programs by which any script is run. */
const ALWAYS = ['sh', 'timeout', 'base64'];
const PLACES = ['/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** A directory with stand-ins, first on the path. @returns the path */
function pathWith({ tools = {}, only }: Here): string {
  const bin = join(temporaryDirectory('tools'), 'bin');
  mkdirSync(bin);
  for (const [name, script] of Object.entries(tools))
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  if (only === undefined) return `${bin}:${process.env['PATH'] ?? ''}`;
  for (const name of [...ALWAYS, ...only]) {
    const real = PLACES.map((place) => join(place, name)).find((path) => existsSync(path));
    if (real !== undefined) symlinkSync(real, join(bin, name));
  }
  return bin;
}

/** What facts say of this machine, asked with a real shell, in one script with the frame of a look. */
export async function askHere<V>(fact: Fact<V>, keys: readonly string[], here: Here = {}): Promise<readonly V[]> {
  const transport = createLocalTransport('here', { PATH: pathWith(here) });
  const send = async (_: string, script: string) => {
    const moved = Object.entries(here.moved ?? {}).reduce((text, [from, to]) => text.replaceAll(from, to), script);
    return transport.run({ summary: 'look', script: moved });
  };
  const probe = createLook({ send, token: () => 'a1b2c3d4e5f6' }).probe('here');
  return Promise.all(keys.map((key) => probe.ask(fact, key)));
}
