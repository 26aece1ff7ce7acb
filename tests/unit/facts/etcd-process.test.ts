import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { ETCD, etcdOnHost, settingPlaces, type EtcdOnHost } from '../../../src/facts/etcd-process.js';
import { fixture } from '../../support/fixture.js';
import { writeFiles } from '../../support/write-inventory.js';
import { scratch } from '../../support/scratch.js';

function parse(text: string): EtcdOnHost | undefined {
  return etcdOnHost.parse(text, [ETCD]).get(ETCD);
}

describe('a running etcd', () => {
  test('of the package: its environment, and the files that it came from', () => {
    expect(parse(fixture('facts/etcd-process-package.txt'))).toMatchObject({
      etcdctl: '/usr/bin/etcdctl',
      processes: [
        {
          pid: 239,
          argv: ['/usr/bin/etcd'],
          environment: new Map([
            ['ETCD_NAME', 'etcd-1-dev'],
            ['ETCD_DATA_DIR', '/var/lib/etcd/default'],
            ['ETCD_LISTEN_CLIENT_URLS', 'https://192.0.2.11:2379,https://127.0.0.1:2379'],
            ['ETCD_ADVERTISE_CLIENT_URLS', 'https://192.0.2.11:2379'],
            ['ETCD_TRUSTED_CA_FILE', '/etc/ssl/etcd/certificate/ca.crt'],
            ['ETCD_CERT_FILE', '/etc/ssl/etcd/certificate/etcd-1-dev_cert.pem'],
            ['ETCD_KEY_FILE', '/etc/ssl/etcd/private/etcd-1-dev_key.pem'],
            ['ETCD_PEER_CERT_FILE', '/etc/ssl/etcd/certificate/etcd-1-dev_cert.pem'],
            ['ETCD_PEER_KEY_FILE', '/etc/ssl/etcd/private/etcd-1-dev_key.pem'],
          ]),
          workingDirectory: '/',
          program: '/usr/bin/etcd',
          startedBy: {
            kind: 'unit',
            unit: 'etcd',
            files: { unit: ['/lib/systemd/system/etcd.service'], environment: ['/etc/default/etcd'] },
          },
        },
      ],
    });
  });

  test('of a unit with flags, and of a unit of another name', () => {
    const [withFlags] = parse(fixture('facts/etcd-process-flags.txt'))?.processes ?? [];
    expect(withFlags?.argv.slice(0, 5)).toEqual([
      '/usr/local/bin/etcd',
      '--name',
      'etcd-2-dev',
      '--data-dir',
      '/var/lib/etcd/etcd-2-dev',
    ]);
    const [withFile] = parse(fixture('facts/etcd-process-yaml.txt'))?.processes ?? [];
    expect(withFile).toMatchObject({
      argv: ['/usr/local/bin/etcd', '--config-file', '/etc/etcd/etcd.conf.yml'],
      startedBy: { kind: 'unit', unit: 'etcd-member' },
    });
  });

  test.each([
    ['/system.slice/docker-0123abc.scope', { kind: 'container' }],
    [
      '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-0123.scope',
      { kind: 'container' },
    ],
    ['/user.slice/user-0.slice/session-3.scope', { kind: 'other', cgroup: '/user.slice/user-0.slice/session-3.scope' }],
  ])('in the cgroup %s', (cgroup, startedBy) => {
    const text = fixture('facts/etcd-process-flags.txt')
      .replace(/^C .*$/m, `C ${Buffer.from(`0::${cgroup}\n`).toString('base64')}`)
      .replace(/^U .*\n/m, '');
    expect(parse(text)?.processes.map((process) => process.startedBy)).toEqual([startedBy]);
  });

  test('is no gateway and no proxy of etcd', () => {
    const argv = Buffer.from('/usr/bin/etcd\0gateway\0start\0').toString('base64');
    expect(parse(fixture('facts/etcd-process-flags.txt').replace(/^A .*$/m, `A ${argv}`))?.processes).toEqual([]);
  });

  test('there is none, and no etcdctl', () => {
    expect(parse('T \n')).toEqual({ processes: [], etcdctl: undefined });
  });
});

describe('where settings are written', () => {
  const PACKAGE = ['/etc/default/etcd', '/lib/systemd/system/etcd.service', '/etc/none'];

  test('is read from what a host printed', () => {
    const found = settingPlaces.parse(fixture('facts/etcd-setting-places-package.txt'), PACKAGE);
    expect(found.get('/etc/default/etcd')?.lines.get('ETCD_CERT_FILE')).toBe(10);
    expect(found.get('/etc/default/etcd')?.changedAt).toBe(1795237489);
    expect(found.get('/lib/systemd/system/etcd.service')?.lines.get('ETCD_DATA_DIR')).toBe(11);
    expect(found.get('/etc/none')).toEqual({ lines: new Map(), changedAt: undefined });
  });

  test('is asked without letting a value leave the host; comments do not count', () => {
    const directory = writeFiles({
      'etcd.env': [
        '# ETCD_NAME=old',
        'ETCD_NAME="one"',
        'ETCD_INITIAL_CLUSTER_TOKEN=planted-secret',
        'DAEMON_ARGS="--cert-file=/x.pem -key-file /planted-secret"',
      ].join('\n'),
    });
    const path = `${directory}/etcd.env`;
    const { stdout } = spawnSync('sh', ['-c', settingPlaces.script([path])], { encoding: 'utf8', cwd: scratch() });
    expect(stdout).not.toContain('planted-secret');
    expect(settingPlaces.parse(stdout, [path]).get(path)?.lines).toEqual(
      new Map([
        ['ETCD_NAME', 2],
        ['--cert-file', 4],
        ['-key-file', 4],
      ]),
    );
  });
});
