// The rules and targets as Debian's real promtool reads them.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { describe, expect, jest, test } from '@jest/globals';
import { Document, parse } from 'yaml';
import { rulesFile, targetsFile, type TargetGroup } from '../../src/alerts/alert-files.js';
import { alertRules } from '../../src/alerts/alert-rules.js';
import { templateText } from '../../src/alerts/prometheus-text.js';
import { createProgram } from '../../src/commands/program.js';
import { NASTY_TEXTS } from '../support/nasty-texts.js';
import { promtool } from '../support/promtool.js';
import { SAMPLE_APISERVER, SAMPLE_CLUSTER, SAMPLE_SERVICE, sampleMember } from '../support/sample-cluster.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { verbContext } from '../support/verb-context.js';
import { writeFiles } from '../support/write-inventory.js';

jest.setTimeout(120_000);

const CLUSTER = {
  ...SAMPLE_CLUSTER,
  token: 'sample',
  services: [SAMPLE_SERVICE, SAMPLE_APISERVER],
  hostMetrics: [1, 2, 3].map((number) => ({ host: `etcd-${number}`, address: `10.0.0.${number}`, port: 9380 })),
};

/** Runs promtool on rules beside further files. */
function withFiles(files: Readonly<Record<string, string>>, ...words: readonly string[]) {
  const directory = temporaryDirectory('alerts');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return promtool(...words.map((word) => (Object.hasOwn(files, word) ? join(directory, word) : word)));
}

const RULES = rulesFile(alertRules(CLUSTER, 'inventory.yaml'));

describe('the rules', () => {
  test('are read by promtool, and a wrong one would be noticed', () => {
    const rules = alertRules(CLUSTER, 'inventory.yaml').flatMap((group) => group.rules);
    const { status, said } = withFiles({ 'rules.yaml': RULES }, 'check', 'rules', 'rules.yaml');
    expect([status, said]).toEqual([0, expect.stringContaining(`SUCCESS: ${rules.length} rules found`)]);
    const wrong = RULES.replace('up{', 'up{{');
    expect(withFiles({ 'rules.yaml': wrong }, 'check', 'rules', 'rules.yaml').status).not.toBe(0);
  });

  test('say nothing of a load balancer that is not there, nor of what nobody writes', () => {
    const bare = { ...CLUSTER, hostMetrics: [] };
    const rules = alertRules({ ...bare, services: [] }, 'inventory.yaml');
    expect(rules.map(({ name }) => name)).toEqual(['etcd of sample']);
    const nginx = alertRules({ ...bare, services: [{ ...SAMPLE_SERVICE, proxy: 'nginx' }] }, 'inventory.yaml');
    expect(nginx.map(({ name }) => name)).toEqual(['etcd of sample']);
  });

  test('take texts of the inventory as just those texts', () => {
    const nasty = NASTY_TEXTS.filter((text) => text !== '');
    const groups = nasty.flatMap((token, index) =>
      alertRules({ ...CLUSTER, token, members: [{ ...sampleMember(1), host: token }] }, token).map((group) => ({
        ...group,
        name: `${group.name} ${index}`,
      })),
    );
    const text = rulesFile(groups);
    const { status, said } = withFiles({ 'rules.yaml': text }, 'check', 'rules', 'rules.yaml');
    expect(status === 0 ? '' : said).toBe('');
    // Read back, and as their templates would print them.
    const found = parse(text) as { groups: readonly { rules: readonly { labels: { cluster: string } }[] }[] };
    expect([...new Set(found.groups.flatMap(({ rules }) => rules.map(({ labels }) => labels.cluster)))]).toEqual(
      nasty.map(templateText),
    );
  });

  test('print a text of the inventory as it is', () => {
    const nasty = '{{ $labels.job }} "x" \\ ü';
    const cluster = { ...CLUSTER, token: 'sample', members: [{ ...sampleMember(1), host: nasty }] };
    const fires = scenario({
      input: [],
      at: '10m',
      alert: 'EtcdMemberNotScraped',
      expected: [
        {
          exp_labels: { severity: 'warning', cluster: 'sample', job: 'etcd', host: nasty },
          exp_annotations: {
            summary: `nobody asks etcd on ${nasty} for its metrics`,
            next: 'provision verify {{inventory}}',
          },
        },
      ],
    });
    expect(outcome([fires], rulesFile(alertRules(cluster, '{{inventory}}')))).toBe('');
  });
});

interface Scenario {
  readonly input: readonly (readonly [series: string, values: string])[];
  readonly at: string;
  readonly alert: string;
  readonly expected: readonly Readonly<Record<string, unknown>>[];
}

function scenario({ input, at, alert, expected }: Scenario): unknown {
  return {
    interval: '15s',
    input_series: input.map(([series, values]) => ({ series, values })),
    alert_rule_test: [{ eval_time: at, alertname: alert, exp_alerts: expected }],
  };
}

/** What `promtool test rules` has against it; nothing where all is as it should be. */
function outcome(tests: readonly unknown[], rules = RULES): string {
  const text = new Document({ rule_files: ['rules.yaml'], evaluation_interval: '15s', tests }).toString({
    lineWidth: 0,
  });
  const { status, said } = withFiles({ 'rules.yaml': rules, 'tests.yaml': text }, 'test', 'rules', 'tests.yaml');
  return status === 0 ? '' : said;
}

const ofHost = (metric: string, job: string, host: string, more = ''): string =>
  `${metric}{job="${job}", cluster="sample", host="${host}"${more}}`;

const HOSTS = ['etcd-1', 'etcd-2', 'etcd-3'];

/** A healthy cluster for a quarter of an hour, but for what a test says. */
function series(changes: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  const healthy = HOSTS.flatMap(
    (host) =>
      [
        [ofHost('up', 'etcd', host), '1x80'],
        [ofHost('etcd_server_has_leader', 'etcd', host), '1x80'],
        [ofHost('etcd_server_leader_changes_seen_total', 'etcd', host), '1x80'],
        [ofHost('etcd_server_proposals_failed_total', 'etcd', host), '0x80'],
        [ofHost('etcd_mvcc_db_total_size_in_bytes', 'etcd', host), '100x80'],
        [ofHost('etcd_server_quota_backend_bytes', 'etcd', host), '1000x80'],
        [ofHost('etcd_disk_wal_fsync_duration_seconds_bucket', 'etcd', host, ', le="0.1"'), '0+10x80'],
        [ofHost('etcd_disk_wal_fsync_duration_seconds_bucket', 'etcd', host, ', le="4"'), '0+10x80'],
        [ofHost('etcd_disk_wal_fsync_duration_seconds_bucket', 'etcd', host, ', le="+Inf"'), '0+10x80'],
        [ofHost('etcd_disk_backend_commit_duration_seconds_bucket', 'etcd', host, ', le="0.1"'), '0+10x80'],
        [ofHost('etcd_disk_backend_commit_duration_seconds_bucket', 'etcd', host, ', le="4"'), '0+10x80'],
        [ofHost('etcd_disk_backend_commit_duration_seconds_bucket', 'etcd', host, ', le="+Inf"'), '0+10x80'],
        [ofHost('up', 'etcd-load-balancer', host), '1x80'],
        [ofHost('haproxy_backend_active_servers', 'etcd-load-balancer', host, ', proxy="etcd"'), '3x80'],
        [
          ofHost('provision_virtual_ip_held', 'etcd-host', host, ', service="etcd"'),
          host === 'etcd-1' ? '1x80' : '0x80',
        ],
        [
          ofHost('provision_virtual_ip_held', 'etcd-host', host, ', service="kube-apiserver"'),
          host === 'etcd-2' ? '1x80' : '0x80',
        ],
        [ofHost('provision_load_balancer_running', 'etcd-host', host, ', service="etcd"'), '1x80'],
        [ofHost('provision_load_balancer_running', 'etcd-host', host, ', service="kube-apiserver"'), '1x80'],
        [
          ofHost('provision_certificate_not_after_seconds', 'etcd-host', host, ', path="/etc/etcd/pki/server.crt"'),
          '9000000x80',
        ],
        [ofHost('up', 'etcd-host', host), '1x80'],
      ] as const,
  );
  const found = healthy.map(([name, values]) => {
    const own = Object.entries(changes).find(
      ([part]) =>
        name.startsWith(part.split(' ')[0] ?? '') &&
        part
          .split(' ')
          .slice(1)
          .every((word) => name.includes(word)),
    );
    return [name, own?.[1] ?? values] as const;
  });
  const unused = Object.keys(changes).filter(
    (part) => !healthy.some(([name]) => name.startsWith(part.split(' ')[0] ?? '')),
  );
  expect(unused).toEqual([]);
  return found;
}

const ALERTS = [
  ...new Set(alertRules(CLUSTER, 'inventory.yaml').flatMap(({ rules }) => rules.map(({ alert }) => alert))),
];

/** The alerts that fire at the end of a story, each as often as it does. */
function firing(changes: Readonly<Record<string, string>>, at = '19m'): readonly string[] {
  // An alert that is expected to be silent, and is not, is named in what promtool says.
  const silent = {
    interval: '15s',
    input_series: series(changes).map(([name, values]) => ({ series: name, values })),
    alert_rule_test: ALERTS.map((alertname) => ({ eval_time: at, alertname, exp_alerts: [] })),
  };
  const said = outcome([silent]);
  return [
    ...said.matchAll(/alertname: (\w+), time: \S+\s*\n\s*exp:\[[^\]]*\],?\s*\n\s*got:\[([\s\S]*?)\n?\s*\]\s*\n/g),
  ].flatMap(([, name = '', got = '']) => Array.from(got.matchAll(/Labels:/g), () => name));
}

describe('what fires', () => {
  test('of two clusters that one Prometheus asks, of the name that most have, is of one of them only', () => {
    const addressed = (ip: string) => {
      const service = { ...SAMPLE_SERVICE, endpoint: { ...SAMPLE_SERVICE.endpoint, ip } };
      const cluster = { ...CLUSTER, token: SAMPLE_CLUSTER.token, services: [service] };
      const label = `etcd-cluster at ${ip}`;
      const up = HOSTS.map((host) => `up{job="etcd", cluster="${label}", host="${host}"}`);
      const held = HOSTS.map(
        (host) => `provision_virtual_ip_held{job="etcd-host", cluster="${label}", host="${host}", service="etcd"}`,
      );
      return { label, up, held, groups: alertRules(cluster, `${ip}.yaml`) };
    };
    const [staging, production] = [addressed('10.1.0.100'), addressed('10.2.0.100')] as const;
    const values = ({ up, held }: typeof staging, answering: readonly number[]) => [
      ...up.map((name, index) => ({ series: name, values: answering.includes(index) ? '1x80' : '0x80' })),
      ...held.map((name, index) => ({ series: name, values: index === 0 ? '1x80' : '0x80' })),
    ];
    const lost = {
      exp_labels: { severity: 'critical', cluster: production.label },
      exp_annotations: {
        summary: 'fewer than 2 of 3 members answer: no quorum',
        next: 'provision verify 10.2.0.100.yaml',
      },
    };
    const tests = [
      {
        interval: '15s',
        // Four of six answer: one of production.
        input_series: [...values(staging, [0, 1, 2]), ...values(production, [1])],
        alert_rule_test: [
          { eval_time: '19m', alertname: 'EtcdInsufficientMembers', exp_alerts: [lost] },
          { eval_time: '19m', alertname: 'EtcdVirtualIpHolders', exp_alerts: [] },
        ],
      },
    ];
    expect(outcome(tests, rulesFile([...staging.groups, ...production.groups]))).toBe('');
  });

  test.each<readonly [string, Readonly<Record<string, string>>, readonly string[]]>([
    ['nothing, of a healthy cluster', {}, []],
    [
      'one member stopped: just that',
      { 'up{job="etcd", etcd-3': '0x80', haproxy_backend_active_servers: '2x80' },
      ['EtcdMemberDown'],
    ],
    [
      'two members stopped: no quorum either',
      {
        'up{job="etcd", etcd-2': '0x80',
        'up{job="etcd", etcd-3': '0x80',
        haproxy_backend_active_servers: '1x80',
      },
      [
        'EtcdMemberDown',
        'EtcdMemberDown',
        'EtcdInsufficientMembers',
        ...Array<string>(3).fill('EtcdLoadBalancerFewBackends'),
      ],
    ],
    ['no leader', { 'etcd_server_has_leader{ etcd-2': '0x80' }, ['EtcdNoLeader']],
    ['many elections', { 'etcd_server_leader_changes_seen_total{ etcd-1': '0+1x80' }, ['EtcdLeaderChanges']],
    ['failed proposals', { 'etcd_server_proposals_failed_total{ etcd-1': '0+900x80' }, ['EtcdFailedProposals']],
    [
      'a slow disk',
      { 'etcd_disk_wal_fsync_duration_seconds_bucket{ etcd-2 le="0.1"': '0+1x80' },
      ['EtcdSlowFsync', 'EtcdVerySlowFsync'],
    ],
    [
      'slow commits',
      { 'etcd_disk_backend_commit_duration_seconds_bucket{ etcd-2 le="0.1"': '0+1x80' },
      ['EtcdSlowCommits'],
    ],
    ['a database near its quota', { 'etcd_mvcc_db_total_size_in_bytes{ etcd-1': '900x80' }, ['EtcdDatabaseNearQuota']],
    [
      'a database at its quota',
      { 'etcd_mvcc_db_total_size_in_bytes{ etcd-1': '960x80' },
      ['EtcdDatabaseNearQuota', 'EtcdDatabaseAtQuota'],
    ],
    ['a dead HAProxy', { 'up{job="etcd-load-balancer", etcd-2': '0x80' }, ['EtcdLoadBalancerDown']],
    [
      'a HAProxy that sees fewer than answer',
      { 'haproxy_backend_active_servers{ etcd-2': '2x80' },
      ['EtcdLoadBalancerSeesFewer'],
    ],
    ['nobody holds the virtual IP', { 'provision_virtual_ip_held{ service="etcd"': '0x80' }, ['EtcdVirtualIpHolders']],
    ['two hold it', { 'provision_virtual_ip_held{ service="etcd"': '1x80' }, ['EtcdVirtualIpHolders']],
    [
      'a load balancer stopped that shows no figures',
      { 'provision_load_balancer_running{ etcd-2 service="kube-apiserver"': '0x80' },
      ['EtcdLoadBalancerStopped'],
    ],
    ['a host that tells nothing any more', { 'up{job="etcd-host", etcd-3': '0x80' }, ['EtcdHostSilent']],
  ])('%s', (_, changes, expected) => {
    expect(firing(changes)).toEqual(expected);
  });

  test('certificates that end', () => {
    const soon = { 'provision_certificate_not_after_seconds{ etcd-1': `${10 * 86_400}x400` };
    const longer = series(soon).map(([name, values]) => [name, values.replace('x80', 'x400')] as const);
    const expected = {
      exp_labels: {
        ...{ severity: 'warning', cluster: 'sample', job: 'etcd-host', host: 'etcd-1' },
        path: '/etc/etcd/pki/server.crt',
      },
      exp_annotations: {
        summary: '/etc/etcd/pki/server.crt on etcd-1 ends in 9d 22h 30m 0s',
        next: 'provision verify inventory.yaml',
      },
    };
    const warns = { at: '90m', alert: 'EtcdCertificateExpires', expected: [expected] };
    const silent = { at: '90m', alert: 'EtcdCertificateEnds', expected: [] };
    expect(outcome([warns, silent].map((each) => scenario({ input: longer, ...each })))).toBe('');
  });
});

describe('the verb', () => {
  const INVENTORY = `[etcd]
etcd-1 ip=10.0.1.10
etcd-2 ip=10.0.1.11
etcd-3 ip=10.0.1.12
[all:vars]
etcd_lb_ip=10.0.1.100
`;

  async function write(variables: string, directory = temporaryDirectory('alerts')) {
    const inventory = join(writeFiles({ 'hosts.ini': `${INVENTORY}${variables}` }), 'hosts.ini');
    const [rules, targets] = [join(directory, 'rules.yaml'), join(directory, 'targets.yaml')];
    const out = new PassThrough();
    const words = ['alerts', inventory, '-o', rules, '--targets', targets];
    const program = (await createProgram(verbContext(out, words, {}))).exitOverride();
    await program.parseAsync(words, { from: 'user' });
    out.end();
    return { rules, targets, said: await textOf(out) };
  }

  test('writes rules, and targets that Prometheus takes', async () => {
    const { rules, targets, said } = await write('etcd_metrics_port=2381\nhaproxy_metrics_port=8405\n');
    expect(promtool('check', 'rules', rules).status).toBe(0);
    const config = join(temporaryDirectory('alerts'), 'prometheus.yml');
    const scrape = { job_name: 'etcd', file_sd_configs: [{ files: [targets] }] };
    writeFileSync(config, new Document({ rule_files: [rules], scrape_configs: [scrape] }).toString());
    const checked = promtool('check', 'config', config);
    expect(checked.status === 0 ? '' : checked.said).toBe('');
    const found = parse(readFileSync(targets, 'utf8')) as readonly TargetGroup[];
    expect(found.map(({ targets: at, labels }) => `${labels.job} ${labels.host} ${at.join()}`)).toEqual([
      'etcd etcd-1 10.0.1.10:2381',
      'etcd etcd-2 10.0.1.11:2381',
      'etcd etcd-3 10.0.1.12:2381',
      'etcd-load-balancer etcd-1 10.0.1.10:8405',
      'etcd-load-balancer etcd-2 10.0.1.11:8405',
      'etcd-load-balancer etcd-3 10.0.1.12:8405',
    ]);
    expect(said).not.toContain('etcd_metrics_port');
    expect(said).toContain('etcd_host_metrics_port is not set');
    expect([rules, targets].map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600]);
    expect(said).toMatch(new RegExp(`: chmod a\\+r ${rules} ${targets}\n$`));
  });

  test('says what nobody shows', async () => {
    const { said } = await write('');
    expect(said).toContain('etcd_metrics_port is not set for every member');
    expect(said).toContain('haproxy_metrics_port is not set');
  });

  test('says what nginx shows to nobody, and what tells of it', async () => {
    const { said, rules } = await write('etcd_metrics_port=2381\netcd_host_metrics_port=9380\netcd_lb_proxy=nginx\n');
    expect(said).toContain('nginx shows no figures');
    expect(said).not.toContain('haproxy_metrics_port');
    const text = readFileSync(rules, 'utf8');
    expect(text).toContain('EtcdLoadBalancerStopped');
    expect(text).not.toContain('haproxy_');
  });

  test('replaces its own files, and no others', async () => {
    const directory = temporaryDirectory('alerts');
    await write('', directory);
    const { targets } = await write('etcd_metrics_port=2381\n', directory);
    expect(readFileSync(targets, 'utf8')).toContain('2381');
    writeFileSync(targets, 'mine\n');
    await expect(write('', directory)).rejects.toMatchObject({ code: 'alerts-in-the-way' });
    expect(readFileSync(targets, 'utf8')).toBe('mine\n');
    expect(existsSync(join(directory, 'rules.yaml'))).toBe(true);
  });

  test('targets are texts as well', () => {
    const groups = NASTY_TEXTS.map((host) => ({ targets: ['x:1'], labels: { job: 'etcd', cluster: host, host } }));
    expect(parse(targetsFile(groups))).toEqual(groups);
  });
});
