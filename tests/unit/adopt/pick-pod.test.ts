import { describe, expect, test } from '@jest/globals';
import { pickPod } from '../../../src/adopt/pick-pod.js';
import type { EtcdOnHost, EtcdProcess } from '../../../src/facts/etcd-process.js';
import type { StaticPodFile } from '../../../src/facts/static-pods.js';

const process = (dataDir: string, name = 'cp-1'): EtcdProcess => ({
  ...{ pid: 7, argv: ['etcd', `--name=${name}`, `--data-dir=${dataDir}`], environment: new Map<string, string>() },
  ...{ workingDirectory: '/', program: '/usr/local/bin/etcd', startedBy: { kind: 'container' } },
});

function manifest(name: string, dataDir: string, container = 'etcd'): StaticPodFile {
  const command = ['etcd', '--name=cp-1', `--data-dir=${dataDir}`];
  return { name, text: JSON.stringify({ kind: 'Pod', spec: { containers: [{ name: container, command }] } }) };
}

const FILES = [manifest('kube-apiserver.yaml', '/x', 'kube-apiserver'), manifest('etcd.yaml', '/var/lib/etcd')];

function pick(found: Partial<EtcdOnHost>, files = FILES): string {
  const host = { processes: [process('/var/lib/etcd')], etcdctl: '/usr/bin/etcdctl', ...found };
  const picked = pickPod('cp-1', host, { directory: '/m', files });
  return `${picked.process.pid} ${picked.unit ?? 'no unit'} ${picked.manifest ?? ''}`;
}

describe('the process of a stacked member', () => {
  test('is the one that runs with the name and the data of a manifest', () => {
    expect(pick({})).toBe('7 no unit /m/etcd.yaml');
    expect(pick({ processes: [process('/other'), process('/var/lib/etcd')] })).toBe('7 no unit /m/etcd.yaml');
  });

  test.each<[string, Partial<EtcdOnHost>, readonly StaticPodFile[], RegExp]>([
    ['nothing runs', { processes: [] }, FILES, /etcd is not running here/],
    [
      'another etcd runs',
      { processes: [process('/srv/etcd')] },
      FILES,
      /no manifest in \/m is that of the etcd that runs here/,
    ],
    ['it has another name', { processes: [process('/var/lib/etcd', 'x')] }, FILES, /no manifest in \/m/],
    [
      'two files claim it',
      {},
      [...FILES, manifest('copy.yaml', '/var/lib/etcd')],
      /several etcd run here from manifests/,
    ],
    ['there is no etcdctl', { etcdctl: undefined }, FILES, /etcdctl is not on the PATH/],
  ])('is refused where %s', (_, found, files, why) => {
    expect(() => pick(found, [...files])).toThrow(why);
  });
});
