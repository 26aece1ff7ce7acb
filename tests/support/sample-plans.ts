import type { Change, Effect, Outcome } from '../../src/model/change.js';
import { contentOf, plainContent } from '../../src/model/content.js';
import type { Plan, PlannedHost, PlannedPlay, PlannedStep } from '../../src/model/plan.js';
import { Secret } from '../../src/model/secret.js';
import { unifiedDiff } from '../../src/resources/unified-diff.js';

/** A secret that stands in the sample plans, and must be in nothing that is shown. */
export const PLANTED = 'hunter2-planted';

const ETCD_HOSTS = ['etcd-1', 'etcd-2', 'etcd-3'] as const;

/** A step that changes what the summary says, and more of it where that is given. */
export function change(address: string, what: Partial<Change> & { readonly summary: string }): PlannedStep {
  return {
    address,
    outcome: {
      kind: 'change',
      change: { diff: [], actions: [], effect: effectOf(what.summary), disruptive: false, ...what },
    },
  };
}

/** What these plans' own words say. */
function effectOf(summary: string): Effect {
  if (/^(?:create|install)/.test(summary)) return 'create';
  return (/\b(restart|reload|start)\b/.exec(summary)?.[1] as Effect | undefined) ?? 'change';
}

function unknown(address: string, because: string): PlannedStep {
  return { address, outcome: { kind: 'unknown', because } satisfies Outcome };
}

function play(name: string, hosts: readonly PlannedHost[], more: Partial<PlannedPlay> = {}): PlannedPlay {
  return {
    name,
    order: 'inventory',
    batchSize: undefined,
    batches: [{ hosts }],
    leftOut: [],
    gatesBefore: [],
    gatesAfter: [],
    ...more,
  };
}

function plan(...plays: readonly PlannedPlay[]): Plan {
  return {
    ...{ tool: '0.1.0', inventoryDigest: 'ab'.repeat(32), playbook: 'playbooks/site.yml' },
    ...{ playbookDigest: 'cd'.repeat(32), limit: undefined, away: [], plays },
  };
}

function installPackage(name: string): PlannedStep {
  const summary = `install ${name}`;
  const script = `apt-get install --yes ${name}`;
  return change(`package:${name}`, {
    summary,
    actions: [
      {
        kind: 'run',
        command: { summary, script, timeoutMs: 600_000 },
        undo: { lasting: 'packages stay installed' },
      },
    ],
  });
}

function writeEnvironment(index: number, before?: string): PlannedStep {
  const path = '/etc/default/etcd';
  const text = `ETCD_NAME=etcd-${index}\nETCD_LISTEN_CLIENT_URLS=https://192.0.2.1${index}:2379\nETCD_SNAPSHOT_COUNT=100000\n`;
  return change(`file:${path}`, {
    summary: `${before === undefined ? 'create' : 'change'} ${path}`,
    diff: unifiedDiff(path, before, text),
    actions: [{ kind: 'write-file', path, content: plainContent(text), owner: 'root', group: 'root', mode: '0644' }],
  });
}

function issueServer(index: number): PlannedStep {
  return change('certificate:etcd-server', {
    summary: 'issue etcd-server: /etc/etcd/pki/server.crt is missing',
    diff: ['valid for 365 days, as a server and a client', `etcd-${index}, localhost, 192.0.2.1${index}, 192.0.2.10`],
    actions: [
      {
        ...{ kind: 'issue-certificate', certificate: 'etcd-server', owner: 'etcd', group: 'etcd', mode: '0600' },
        profile: {
          ...{
            commonName: `etcd-${index}`,
            organizations: [],
            dnsNames: [`etcd-${index}`],
            ipAddresses: ['192.0.2.10'],
          },
          ...{ usages: ['server', 'client'], days: 365, keyType: 'ecdsa-p256', keepPublicKey: null },
        },
        destination: {
          layout: 'pair',
          certificatePath: '/etc/etcd/pki/server.crt',
          keyPath: '/etc/etcd/pki/server.key',
        },
      },
    ],
  });
}

function writeKeepalived(): PlannedStep {
  const path = '/etc/keepalived/keepalived.conf';
  const content = contentOf('authentication {\n  auth_type PASS\n  auth_pass ', new Secret(PLANTED), '\n}\n');
  const before = 'authentication {\n  auth_type AH\n  auth_pass old-' + PLANTED + '\n}\n';
  return change(`file:${path}`, {
    summary: `change ${path}`,
    diff: unifiedDiff(path, before, content.redacted),
    actions: [
      {
        ...{ kind: 'write-file', path, content, owner: 'root', group: 'root', mode: '0640' },
        validate: 'keepalived --config-test --use-file="$1"',
      },
      {
        kind: 'run',
        command: { summary: 'feed a secret', script: 'cat >/dev/null', stdin: new Secret(PLANTED) },
        undo: 'nothing',
      },
    ],
  });
}

function restart(unit: string, because: string): PlannedStep {
  const command = { summary: `restart ${unit}`, script: `systemctl restart ${unit}` };
  return change(`service:${unit}`, {
    summary: `restart ${unit}: ${because}`,
    disruptive: true,
    actions: [{ kind: 'run', command, undo: command }],
  });
}

/** Nothing is there yet: what can be done is, and the rest is known after apply. */
export const BARE_HOSTS = plan(
  play(
    'etcd',
    ETCD_HOSTS.map((host, index) => ({
      host,
      steps: [
        installPackage('etcd-server'),
        writeEnvironment(index + 1),
        issueServer(index + 1),
        unknown('service:etcd', 'the package etcd-server is not installed'),
      ],
      unchanged: 1,
    })),
    { gatesAfter: ['etcd-healthy'] },
  ),
  play(
    'kube-apiserver',
    ['cp-1', 'cp-2'].map((host) => ({
      host,
      steps: [unknown('static-pod:kube-apiserver', 'nothing answers at https://192.0.2.10:2379 yet')],
      unchanged: 0,
    })),
  ),
);

/** All is as it should be. */
export const NOTHING_TO_DO = plan(
  play(
    'etcd',
    ETCD_HOSTS.map((host) => ({ host, steps: [], unchanged: 12 })),
  ),
);

/** One host after another, between gates; one of four has nothing to do. */
export const ROLLING_RESTART = plan(
  play('load balancer', [{ host: 'etcd-1', steps: [], unchanged: 9 }]),
  play('etcd', [], {
    batches: [2, 3, 1].map((index) => ({
      hosts: [
        {
          host: `etcd-${index}`,
          steps: [
            writeEnvironment(
              index,
              `ETCD_NAME=etcd-${index}\nETCD_LISTEN_CLIENT_URLS=https://192.0.2.1${index}:2379\nETCD_SNAPSHOT_COUNT=10000\n`,
            ),
            restart('etcd', '/etc/default/etcd changes'),
          ],
          unchanged: 8,
        },
      ],
    })),
    gatesBefore: ['etcd-healthy'],
    gatesAfter: ['etcd-healthy', 'vip-answers'],
  }),
);

/** Thirty hosts that get the same, but one that has it already and one whose file is another. */
export const THIRTY_HOSTS = plan(
  play(
    'load balancer',
    Array.from({ length: 30 }, (_, index) => {
      const host = `node-${String(index + 1).padStart(2, '0')}`;
      if (index === 6) return { host, steps: [], unchanged: 5 };
      const before = index === 20 ? 'maxconn 1000\n# by hand\n' : 'maxconn 1000\n';
      const path = '/etc/haproxy/haproxy.cfg';
      const steps = [
        change(`file:${path}`, { summary: `change ${path}`, diff: unifiedDiff(path, before, 'maxconn 4096\n') }),
        change('service:haproxy', { summary: `reload haproxy: ${path} changes` }),
      ];
      return { host, steps, unchanged: 3 };
    }),
  ),
);

/** A plan with a secret, an old secret on the host, and text that would paint the terminal. */
export const SECRETS_AND_ESCAPES = plan(
  play('keepalived', [
    {
      host: 'etcd-1',
      steps: [
        writeKeepalived(),
        change('file:/etc/motd', {
          summary: 'change /etc/motd\u001b[2J',
          diff: unifiedDiff('/etc/motd', '\u001b[31mred\u202edlrow\n', 'calm\r\n'),
        }),
        unknown('service:x', 'it said \u001b]0;title\u0007'),
      ],
      unchanged: 0,
    },
  ]),
);
