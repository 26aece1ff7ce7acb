import { describe, expect, test } from '@jest/globals';
import { askAppliedObjects, askObject } from '../../../src/shell/apply-manifest.js';
import { aptGet, updateLists } from '../../../src/shell/apt.js';
import { backupDirectory, copyName, stageOf } from '../../../src/shell/kept-copy.js';
import { remotePayload } from '../../../src/shell/remote-command.js';
import { requestedKeyPath } from '../../../src/shell/request-certificate.js';
import { scheduledSnapshotScript } from '../../../src/shell/scheduled-snapshot.js';
import { shutAt } from '../../../src/shell/shut-port.js';
import { smokeNamespace, startSmokeTest } from '../../../src/shell/smoke-test.js';
import {
  SNAPSHOT_DELAY_S,
  SNAPSHOT_FILES,
  SNAPSHOT_NAMES,
  SNAPSHOT_TIMER,
  SNAPSHOT_UNIT,
  snapshotNames,
} from '../../../src/shell/snapshot-unit.js';
import { unitName } from '../../../src/shell/unit-name.js';
import { sampleMember } from '../../support/sample-cluster.js';

describe('an object is asked for by the words that kubectl finds it by', () => {
  test.each([
    ['v1', 'ConfigMap', 'net', 'ConfigMap cfg -n net'],
    ['apps/v1', 'DaemonSet', 'net', 'DaemonSet.v1.apps cfg -n net'],
    ['net.example/v1beta1', 'Pool', '', 'Pool.v1beta1.net.example cfg -n default'],
    ['v1', "it's", "n's", String.raw`'it'\''s' cfg -n 'n'\''s'`],
  ])('%s %s in %j', (apiVersion, kind, namespace, words) => {
    expect(askObject({ apiVersion, kind, namespace, name: 'cfg' })).toContain(
      `--request-timeout=30s get ${words} --ignore-not-found -o 'jsonpath={range .metadata.managedFields[*]}{.manager}/{.operation} {end}' 2>&4`,
    );
  });

  test('and the list of what was applied', () => {
    expect(askAppliedObjects()).toContain(
      `-n kube-system get configmap provision-network --ignore-not-found -o 'jsonpath={.data.objects}' 2>&4`,
    );
  });
});

test('apt waits for others, and trusts nothing that is not signed', () => {
  const proxies = ['http', 'https', 'no'].map((name) => {
    const own = `PROVISION_${name.toUpperCase()}_PROXY`;
    return `\${${own}:+"${name}_proxy=$${own}"}`;
  });
  const apt = `env ${proxies.join(' ')} apt-get -q -o DPkg::Lock::Timeout=600`;
  expect(aptGet()).toBe(apt);
  expect(updateLists()).toBe(
    `${apt} -o APT::Update::Error-Mode=any -o Acquire::AllowInsecureRepositories=false -o Acquire::AllowWeakRepositories=false -o Acquire::AllowDowngradeToInsecureRepositories=false update`,
  );
});

describe('a port of a URL', () => {
  test.each<[string, Parameters<typeof shutAt>[1], string]>([
    ['https://10.0.0.1:2379/x', 'another-host', "shut 10.0.0.1 2379 '' address"],
    ['https://10.0.0.1', 'another-host', "shut 10.0.0.1 443 '' address"],
    ['http://10.0.0.1', 'another-host', "shut 10.0.0.1 80 '' address"],
    ['https://[fd00::1]:2379', 'another-host', "shut fd00::1 2379 '' address"],
    ['https://etcd-1:2379', 'another-host', "shut etcd-1 2379 '' ''"],
    ['https://etcd-1:2379', 'own-host', "shut etcd-1 2379 '' ''"],
    ['https://10.0.0.1:2379', 'own-host', "shut 10.0.0.1 2379 ': (0100000A|0{8}|0{32}):094B 0+:0000 0A ' address"],
    ['https://localhost:80', 'own-host', "shut localhost 80 ': (0100007F|0{8}|0{32}):0050 0+:0000 0A ' ''"],
    [
      'https://[fd00::1]:65535',
      'own-host',
      "shut fd00::1 65535 ': (000000FD000000000000000001000000|0{8}|0{32}):FFFF 0+:0000 0A ' address",
    ],
    ['unix:///run/etcd', 'own-host', 'false'],
    ['xhttps://10.0.0.1:1', 'own-host', 'false'],
    ['httpsx://10.0.0.1:1', 'own-host', 'false'],
    ['nothing', 'own-host', 'false'],
    ['', 'another-host', 'false'],
  ])('%s, asked from %s', (url, from, command) => {
    expect(shutAt(url, from)).toBe(command);
  });
});

describe('snapshots on a schedule', () => {
  test('are saved by a script that says who wrote it, and for what', () => {
    const snapshots = { onCalendar: 'hourly', directory: '/s', keep: 3 };
    const script = scheduledSnapshotScript({ cluster: 'c', member: sampleMember(1), snapshots });
    expect(script.split('\n').slice(0, 3)).toEqual([
      '#!/bin/sh',
      '# Written by provision: changes made here are replaced. provision-etcd-snapshot.service runs it.',
      '# Saves a verified snapshot of the etcd member of this host, and keeps the last ones.',
    ]);
  });

  test('have their places, and each host its own names', () => {
    expect([SNAPSHOT_UNIT, SNAPSHOT_TIMER, SNAPSHOT_DELAY_S]).toEqual([
      'provision-etcd-snapshot',
      'provision-etcd-snapshot.timer',
      300,
    ]);
    expect(SNAPSHOT_FILES).toEqual({
      timer: '/etc/systemd/system/provision-etcd-snapshot.timer',
      service: '/etc/systemd/system/provision-etcd-snapshot.service',
      script: '/usr/local/lib/provision/etcd-snapshot',
    });
    expect(snapshotNames('a/b c.d-1')).toEqual({
      prefix: 'etcd-a_b_c.d-1-',
      stamp: 'last-good-a_b_c.d-1',
      stage: '.new-a_b_c.d-1',
    });
  });

  test.each([
    ['etcd-1-2026.db', true],
    ['etcd-1-2026.db.json', true],
    ['last-good-etcd-1', true],
    ['.new-etcd-1', true],
    ['lost+found', true],
    ['my-etcd-1.db', false],
    ['etcd-1.db.bak', false],
    ['x-last-good-a', false],
    ['lost+found2', false],
    ['.new-', false],
    ['member', false],
  ])('%s may be in their directory: %s', (name, expected) => {
    expect(SNAPSHOT_NAMES.test(name)).toBe(expected);
  });
});

test('what a smoke test makes', () => {
  const made = startSmokeTest('0a', { image: 'i:1', command: ['a', '$(b)'], count: 2, tolerated: ['t'] });
  const namespace = 'provision-smoke-test-0a';
  expect(smokeNamespace('0a')).toBe(namespace);
  expect(JSON.parse(typeof made.stdin === 'string' ? made.stdin : '')).toEqual({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: {
          name: namespace,
          labels: {
            'app.kubernetes.io/managed-by': 'provision',
            'app.kubernetes.io/name': 'smoke-test',
            'provision/run': '0a',
          },
        },
      },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'smoke-test', namespace },
        spec: {
          replicas: 2,
          selector: { matchLabels: { app: 'smoke-test' } },
          template: {
            metadata: { labels: { app: 'smoke-test' } },
            spec: {
              automountServiceAccountToken: false,
              terminationGracePeriodSeconds: 0,
              containers: [
                {
                  name: 'smoke-test',
                  image: 'i:1',
                  imagePullPolicy: 'IfNotPresent',
                  command: ['a', '$(b)'],
                  resources: { requests: { cpu: '10m', memory: '16Mi' } },
                  readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
                },
              ],
              tolerations: [{ key: 't', operator: 'Exists' }],
              affinity: {
                podAntiAffinity: {
                  requiredDuringSchedulingIgnoredDuringExecution: [
                    { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'smoke-test' } } },
                  ],
                },
              },
            },
          },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'smoke-test', namespace },
        spec: { selector: { app: 'smoke-test' }, ports: [{ port: 8080 }] },
      },
    ],
  });
  expect(made.script).toContain(
    `-o 'go-template={{range .items}}{{.metadata.name}} {{.metadata.creationTimestamp}} {{.status.phase}}{{"\\n"}}{{end}}'`,
  );
  const plain = startSmokeTest('0a', { image: 'i:1', command: [], count: 2, tolerated: [] });
  expect(typeof plain.stdin === 'string' ? plain.stdin : 'command').not.toContain('command');
});

test('what is sent to a host is the token, the script, and its input where there is one', () => {
  const sent = (script: string, stdin: string): string =>
    remotePayload('token', Buffer.from(script), Buffer.from(stdin)).toString();
  expect([sent('script', 'input'), sent('script', '')]).toEqual(['token\nscript.\ninput.\n', 'token\nscript.\n']);
});

test('units, keys that wait, copies and stages have their names', () => {
  expect(['etcd', 'a@b', 'x.socket', 'x.timer', 'x.timer2'].map(unitName)).toEqual([
    ...['etcd.service', 'a@b.service', 'x.socket', 'x.timer', 'x.timer2.service'],
  ]);
  expect(requestedKeyPath('etcd-server')).toBe('/var/lib/provision/requests/etcd-server.key');
  expect(copyName(Date.UTC(2026, 10, 27, 1, 2, 3, 4), 5)).toBe('20261127T010203.004Z.5');
  const [short, long] = [200, 201].map((length) => backupDirectory('x'.repeat(length)));
  expect(short).toBe(`/var/backups/provision/${'x'.repeat(200)}`);
  expect(long).toMatch(/^\/var\/backups\/provision\/sha256-[0-9a-f]{64}$/);
  expect(stageOf('/a/b c')).toEqual({
    lines: ['enter /a', "stage '.provision-new.b c'"],
    target: "'../b c'",
    directory: '..',
  });
  expect(stageOf(`/a/${'x'.repeat(200)}`).lines[1]).toBe(`stage .provision-new.${'x'.repeat(200)}`);
  expect(stageOf(`/a/${'x'.repeat(201)}`).lines[1]).toMatch(/^stage \.provision-new\.[0-9a-f]{64}$/);
  expect(stageOf('/a/b', '/s')).toEqual({
    lines: ['enter /a', 'only_root /a', 'enter /s', 'only_root /s', 'stage .provision-new.b'],
    target: '/a/b',
    directory: '/a',
  });
});
