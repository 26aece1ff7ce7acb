// How releases of containerd, runc and the CNI plugins are unpacked and led to, in a real shell with the real tar; programs are stand-ins.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { nodeReleaseKey, seenNodeRelease, type SeenNodeRelease } from '../../src/facts/node-release.js';
import type { NodeProduct, NodeRelease } from '../../src/model/kubernetes.js';
import {
  linkBackNodeRelease,
  linkNodeRelease,
  NODE_RELEASES,
  nodeReleaseDirectory,
  unpackNodeRelease,
} from '../../src/shell/node-release.js';
import { scratch } from '../support/scratch.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

let directory = '';
let releases = '';
let links = '';

beforeEach(() => {
  directory = temporaryDirectory('node-release');
  releases = join(directory, 'releases');
  links = join(directory, 'links');
  mkdirSync(links);
});

/** A program that is asked for its version, or a plugin, which takes no argument. */
const SAYS = `#!/bin/sh
case \${0##*/}:$* in loopback: | containerd:--version | runc:--version) echo "a version" ;; *) exit 1 ;; esac
`;
const CONTAINERD = ['bin/containerd', 'bin/containerd-shim-runc-v2', 'bin/ctr'];
const PLUGINS = ['./loopback', './bridge', './host-local', './portmap'];

interface Made {
  readonly release: NodeRelease;
  readonly bytes: Buffer;
}

/** A tarball of these entries, each a program that says something. */
function tarball(
  product: NodeProduct,
  entries: readonly string[],
  more: (place: string) => readonly string[] = () => [],
): Made {
  const place = temporaryDirectory('made');
  for (const entry of entries) {
    mkdirSync(dirname(join(place, entry)), { recursive: true });
    writeFileSync(join(place, entry), SAYS);
  }
  const { stdout, status, stderr } = spawnSync('tar', ['-C', place, '-czPf', '-', ...entries, ...more(place)]);
  if (status !== 0) throw new Error(String(stderr));
  return released(product, stdout);
}

function released(product: NodeProduct, bytes: Buffer): Made {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { bytes, release: { product, source: '/srv/file', sha256 } };
}

function run(script: string, input: Uint8Array = Buffer.alloc(0)) {
  const here = script.replaceAll(NODE_RELEASES, releases);
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
  return spawnSync('sh', ['-c', here], { env, input, encoding: 'utf8', cwd: scratch() });
}

const unpack = ({ release, bytes }: Made) => run(unpackNodeRelease(release).script, bytes);
const here = (release: NodeRelease): string => nodeReleaseDirectory(release).replace(NODE_RELEASES, releases);
const link = (release: NodeRelease) => run(linkNodeRelease({ release, links }).script);

function seen({ product, sha256 }: NodeRelease): SeenNodeRelease | undefined {
  const key = nodeReleaseKey(product, nodeReleaseDirectory({ product, sha256 }), links);
  return seenNodeRelease.parse(run(seenNodeRelease.script([key])).stdout, [key]).get(key);
}

describe('a release', () => {
  test.each<[NodeProduct, () => Made, readonly string[]]>([
    [
      'containerd',
      () => tarball('containerd', [...CONTAINERD, 'bin/containerd-stress', 'share/man/x']),
      ['containerd', 'containerd-shim-runc-v2', 'containerd-stress', 'ctr'],
    ],
    [
      'cni',
      () => tarball('cni', [...PLUGINS, './LICENSE', './README.md']),
      ['bridge', 'host-local', 'loopback', 'portmap'],
    ],
    ['runc', () => released('runc', Buffer.from(SAYS)), ['runc']],
  ])('of %s is unpacked, found by links, and taken back', (_, make, names) => {
    const made = make();
    expect(seen(made.release)?.isThere).toBe(false);
    expect(unpack(made)).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(here(made.release)).toSorted()).toEqual(names);
    for (const path of [here(made.release), ...names.map((name) => join(here(made.release), name))])
      expect([path, (statSync(path).mode & 0o7777).toString(8)]).toEqual([path, '755']);
    // It is there: what is sent is not read.
    expect(run(unpackNodeRelease(made.release).script, Buffer.from('x'))).toMatchObject({ status: 0, stderr: '' });
    expect(seen(made.release)).toMatchObject({ isThere: true, unlinked: names, foreign: [], current: undefined });
    expect(link(made.release)).toMatchObject({ status: 0, stderr: '' });
    for (const name of names) expect(readlinkSync(join(links, name))).toBe(join(here(made.release), name));
    expect(seen(made.release)).toMatchObject({ unlinked: [], current: here(made.release) });
    const back = linkBackNodeRelease({ release: made.release, links }, undefined);
    expect(run(back.script)).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(links)).toEqual([]);
  });

  test('in place of another one: links of what it has not go, and the way back leads to the other one', () => {
    const old = tarball('cni', [...PLUGINS, './vlan']);
    const made = tarball('cni', [...PLUGINS, './tap']);
    for (const each of [old, made]) expect(unpack(each).status).toBe(0);
    link(old.release);
    writeFileSync(join(links, 'flannel'), 'of a network of pods');
    expect(seen(made.release)).toMatchObject({ foreign: [], current: here(old.release) });
    expect(link(made.release)).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(links).toSorted()).toEqual(['bridge', 'flannel', 'host-local', 'loopback', 'portmap', 'tap']);
    const back = linkBackNodeRelease({ release: made.release, links }, nodeReleaseDirectory(old.release));
    expect(run(back.script)).toMatchObject({ status: 0, stderr: '' });
    expect(readlinkSync(join(links, 'vlan'))).toBe(join(here(old.release), 'vlan'));
    expect(existsSync(join(links, 'tap'))).toBe(false);
  });

  test('what others have among CNI plugins is passed over', () => {
    const made = tarball('cni', PLUGINS);
    unpack(made);
    writeFileSync(join(links, 'bridge'), 'of others');
    expect(link(made.release)).toMatchObject({ status: 0, stderr: '' });
    expect(seen(made.release)).toMatchObject({ unlinked: [], foreign: ['bridge'] });
    expect(lstatSync(join(links, 'bridge')).isSymbolicLink()).toBe(false);
  });

  test('is none of ours where others can write, also one that is there', () => {
    const made = released('runc', Buffer.from(SAYS));
    mkdirSync(here(made.release), { recursive: true });
    chmodSync(releases, 0o777);
    expect(unpack(made)).toEqual(
      expect.objectContaining({ status: 1, stderr: `others than root can write on the way to ${releases}\n` }),
    );
  });

  test('that can only be unpacked in part leaves nothing', () => {
    const { bytes } = tarball('containerd', CONTAINERD);
    const cut = released('containerd', Buffer.concat([bytes.subarray(0, bytes.length - 40), Buffer.alloc(40)]));
    expect(unpack(cut).status).toBe(1);
    expect(readdirSync(releases)).toEqual([]);
  });

  test('what others have in place of a link stays, and is seen', () => {
    const made = tarball('containerd', CONTAINERD);
    unpack(made);
    writeFileSync(join(links, 'ctr'), 'of others');
    expect(seen(made.release)?.foreign).toEqual(['ctr']);
    expect(link(made.release)).toMatchObject({ status: 1, stderr: expect.stringContaining('is of others') as unknown });
  });

  test.each<[string, () => Made, string]>([
    [
      'that is another file',
      () => ({ ...released('runc', Buffer.from(SAYS)), bytes: Buffer.from('x') }),
      'was expected: nothing was unpacked',
    ],
    ['that is no tarball', () => released('cni', Buffer.from('<html>')), 'is no tarball'],
    ['without any program', () => tarball('containerd', ['share/x']), 'has no containerd: it is no release'],
    ['without a program', () => tarball('containerd', CONTAINERD.slice(0, 2)), 'has no ctr'],
    ['that does not run here', () => released('runc', Buffer.from('\x7fELF of another machine')), 'does not run here'],
    [
      'with a link in place of a program',
      () =>
        tarball('containerd', CONTAINERD.slice(0, 2), (place) => {
          symlinkSync('/etc/passwd', join(place, 'bin', 'ctr'));
          return ['bin/ctr'];
        }),
      'has no ctr',
    ],
  ])('%s changes nothing', (_, make, told) => {
    const made = make();
    expect(unpack(made)).toMatchObject({ status: 1, stderr: expect.stringContaining(told) as unknown });
    expect(readdirSync(releases)).toEqual([]);
  });
});
