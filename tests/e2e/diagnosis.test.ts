import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, expect, test } from '@jest/globals';
import type { DiagnosisJson } from '../../src/diagnosis/diagnosis-schema.js';
import type { CauseName } from '../../src/diagnosis/finding.js';
import { cutNetwork, restoreNetwork } from '../../src/lab/faults.js';
import { overlayChanges, overlayDifference } from '../../src/lab/overlay.js';
import { waitUntil } from '../../src/lab/process.js';
import { makeAuthority } from '../../src/pki/issue.js';
import type { SigningAuthority } from '../../src/pki/signing-authority.js';
import { expireCertificate } from '../support/expire-certificate.js';
import { describeOnLab, type TestLab } from '../support/lab.js';
import {
  countSessions,
  endOf,
  etcdctl,
  inventoryWith,
  passphraseFile,
  runVerb,
  sessionsOn,
} from '../support/main-job.js';
import { circumstancesAt } from '../support/test-authority.js';

/** For a machine ten times slower than this one. */
const PATIENCE_MS = 180_000;
const DAY_MS = 24 * 60 * 60 * 1000;
const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const DATA = '/var/lib/etcd/default';
const KEPT = '/root/kept';
const SERVER = '/etc/etcd/pki/server.crt';
const DROP_IN = '/etc/systemd/system/etcd.service.d/90-fault.conf';
const LOCAL = 'https://127.0.0.1:2379';

const DATE = '/usr/local/bin/date';
const ON_HOST = '/usr/local/lib/libfaketime.so.1';
/** Hosts share the kernel's clock: libfaketime shows `date` another one. */
const LIBRARY = readdirSync('/usr/lib')
  .map((triplet) => `/usr/lib/${triplet}/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path));

/** A script on a host, which must succeed. */
async function must(lab: TestLab, host: string, script: string, input?: string): Promise<void> {
  const words = ['ssh', '-F', lab.files.sshConfig, '-l', 'root', host, `set -e\n${script}`];
  const ended = await lab.onControlSide(words, input);
  if (ended.status !== 0) throw new Error(`${host}: ${script}\n${endOf(ended)}`);
}

/** Stops etcd and lets it end on its data as it is; `start` again with {@link startWithKept}. */
const KEEP = `systemctl stop etcd; rm -rf ${KEPT}; cp -a ${DATA} ${KEPT}`;
const START = 'systemctl daemon-reload; systemctl reset-failed etcd; systemctl start --no-block etcd';
const BACK = `systemctl stop etcd; rm -rf ${DATA}/member; cp -a ${KEPT}/member ${DATA}/; rm -f ${DROP_IN}; ${START}`;

/** @param lines of a drop-in for etcd's unit */
function dropIn(...lines: readonly string[]): string {
  return `mkdir -p $(dirname ${DROP_IN}); printf '%s\\n' '[Service]' ${lines.map((line) => `'${line}'`).join(' ')} > ${DROP_IN}`;
}

/** Nothing from and to the port of the peers, as a firewall with an old rule set. */
const BLOCK = [
  'nft add table inet fault',
  "nft add chain inet fault in '{ type filter hook input priority 0; }'",
  "nft add chain inet fault out '{ type filter hook output priority 0; }'",
  'nft add rule inet fault in iif lo accept',
  'nft add rule inet fault in tcp dport 2380 drop',
  'nft add rule inet fault in tcp sport 2380 drop',
  'nft add rule inet fault out oif lo accept',
  'nft add rule inet fault out tcp dport 2380 drop',
  'nft add rule inet fault out tcp sport 2380 drop',
].join('; ');

interface Fault {
  readonly what: string;
  readonly breakIt: () => Promise<unknown>;
  readonly repair: () => Promise<unknown>;
  readonly cause: CauseName;
  readonly hosts: readonly string[];
  readonly state: DiagnosisJson['state'];
  /** Of the evidence. */
  readonly evidence: RegExp;
  readonly next: RegExp;
}

describeOnLab('what etcd suffers from', 'diagnosis', { etcd: 3 }, (lab) => {
  let inventory: string;
  let authority: SigningAuthority;

  beforeAll(async () => {
    const begun = new Date(Date.now() - 500 * DAY_MS);
    authority = await makeAuthority(
      { commonName: 'etcd-ca', days: 3650, keyType: 'ecdsa-p256' },
      circumstancesAt(begun),
    );
    const made = join(lab.files.inventory, '..', 'made');
    await mkdir(made);
    await writeFile(join(made, 'ca.crt'), authority.certificatePem);
    await writeFile(join(made, 'ca.key'), authority.keyPem.reveal(), { mode: 0o600 });
    const words = ['--certificate', join(made, 'ca.crt'), '--key', join(made, 'ca.key')];
    const store = join(lab.files.inventory, '..', 'pki');
    const imported = await lab.provision(
      'ca',
      'import',
      store,
      ...words,
      '--passphrase-file',
      await passphraseFile(lab),
    );
    if (imported.status !== 0) throw new Error(endOf(imported));
    inventory = await inventoryWith(lab, 'small', ['etcd_quota_backend_bytes: 16777216']);
    const [applied] = await Promise.all([
      runVerb(lab, 'apply', inventory, '--playbook', 'etcd'),
      ...['etcd-1', 'etcd-2'].map(async (host) =>
        must(lab, host, 'apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qqy install nftables'),
      ),
    ]);
    if (applied.status !== 0) throw new Error(endOf(applied));
    if (LIBRARY !== undefined)
      await must(lab, 'etcd-2', `base64 -d > ${ON_HOST}`, readFileSync(LIBRARY).toString('base64'));
  });

  async function diagnose(): Promise<DiagnosisJson & { readonly status: number }> {
    const ended = await lab.provision('doctor', 'etcd', inventory, '--format', 'json');
    if (!ended.stdout.startsWith('{')) throw new Error(endOf(ended));
    return { ...(JSON.parse(ended.stdout) as DiagnosisJson), status: ended.status };
  }

  /** Waits for a diagnosis; an election, or a first failed write, may take its time. */
  async function until(
    isIt: (found: DiagnosisJson) => boolean,
    what: string,
  ): Promise<DiagnosisJson & { readonly status: number }> {
    let last: (DiagnosisJson & { readonly status: number }) | undefined;
    const isShown = await waitUntil(
      async () => {
        last = await diagnose();
        return isIt(last);
      },
      PATIENCE_MS,
      500,
    );
    if (last === undefined || !isShown) throw new Error(`not ${what}: ${JSON.stringify(last, null, 1)}`);
    return last;
  }

  const untilHealthy = (): ReturnType<typeof until> =>
    until(({ state, causes }) => state === 'healthy' && causes.length === 0, 'healthy');

  /** Two hosts fail one after the other: the first may be named alone for a moment. None expected: any will do. */
  const isOf = (expected: readonly string[], hosts: readonly string[] = []): boolean =>
    expected.length === 0 || isDeepStrictEqual([...hosts].sort(), expected);

  const onAll = async (hosts: readonly string[], script: string): Promise<unknown> =>
    Promise.all(hosts.map(async (host) => must(lab, host, script)));

  test('nothing, where it is healthy; nothing is changed, and each host is asked once', async () => {
    await untilHealthy();
    await countSessions(lab, MEMBERS);
    const handles = await Promise.all(MEMBERS.map(async (host) => lab.host(host)));
    const [before, sessions] = [
      await Promise.all(handles.map(overlayChanges)),
      await Promise.all(MEMBERS.map(async (host) => sessionsOn(lab, host))),
    ];
    const found = await diagnose();
    const after = await Promise.all(handles.map(overlayChanges));
    const more = await Promise.all(MEMBERS.map(async (host) => sessionsOn(lab, host)));
    expect(found).toMatchObject({ status: 0, state: 'healthy', healthy: 3, causes: [], runs: [] });
    // One for the diagnosis, and the question before and after it.
    expect(more.map((count, index) => count - (sessions[index] ?? 0))).toEqual([2, 2, 2]);
    const written = before
      .flatMap((changes, index) => overlayDifference(changes, after[index] ?? []))
      .map(({ path }) => path)
      // What etcd and the journal write by themselves.
      .filter((path) => !/^\/?var\/(lib\/etcd|log)\//.test(path));
    expect(written).toEqual([]);
    const text = await lab.provision('doctor', 'etcd', inventory);
    expect(text.stdout).toContain('etcd is healthy: 3 of 3 members healthy, a quorum is 2. No cause found.');
  });

  const expired: Fault = {
    what: 'an expired server certificate',
    breakIt: async () => {
      await must(lab, 'etcd-2', `cp -p ${SERVER} /root/server.crt`);
      const signed = new Date(Date.now() - 395 * DAY_MS);
      await expireCertificate(lab, { host: 'etcd-2', path: SERVER }, authority, { signed, days: 365 });
    },
    repair: () => must(lab, 'etcd-2', `cat /root/server.crt > ${SERVER}`),
    ...{ cause: 'certificate', hosts: ['etcd-2'], state: 'degraded' },
    evidence: /has \/etc\/etcd\/pki\/server\.crt, which expired on 20/,
    next: /^provision apply /,
  };

  const clock: Fault = {
    what: 'a wrong clock',
    breakIt: () =>
      must(
        lab,
        'etcd-2',
        `cat > ${DATE}; chmod 0755 ${DATE}`,
        `#!/bin/sh\nLD_PRELOAD=${ON_HOST} FAKETIME=-10m exec /bin/date "$@"\n`,
      ),
    repair: () => must(lab, 'etcd-2', `rm -f ${DATE}`),
    ...{ cause: 'clock', hosts: ['etcd-2'], state: 'degraded' },
    evidence: /reports a time (599|600)\.\d\d s behind/,
    next: /^ssh etcd-2 timedatectl$/,
  };

  const faults: readonly Fault[] = [
    {
      what: 'etcd stopped on two hosts',
      breakIt: () =>
        onAll(
          ['etcd-1', 'etcd-2'],
          'systemctl stop --no-block etcd; while systemctl -q is-active etcd; do sleep 0.1; done',
        ),
      repair: () => onAll(['etcd-1', 'etcd-2'], START),
      ...{ cause: 'stopped', hosts: ['etcd-1', 'etcd-2'], state: 'down' },
      evidence: /etcd is inactive \(dead\), result success/,
      next: /^for h in etcd-1 etcd-2; do ssh "\$h" sudo systemctl start --no-block etcd; done$/,
    },
    {
      what: 'two hosts unplugged',
      breakIt: async () => {
        for (const host of ['etcd-1', 'etcd-3']) await cutNetwork(await lab.host(host));
      },
      repair: async () => {
        for (const host of ['etcd-1', 'etcd-3']) await restoreNetwork(await lab.host(host));
      },
      ...{ cause: 'unreachable', hosts: ['etcd-1', 'etcd-3'], state: 'down' },
      evidence: /reports that it (has no route|gets no answer in time) at \S+:2380 \(etcd-1\)/,
      next: /./,
    },
    {
      what: 'the peer port blocked on two hosts',
      breakIt: () => onAll(['etcd-1', 'etcd-2'], BLOCK),
      repair: () => onAll(['etcd-1', 'etcd-2'], 'nft delete table inet fault'),
      ...{ cause: 'network', hosts: ['etcd-1', 'etcd-2'], state: 'down' },
      evidence: /reports that it gets no answer in time at \S+:2380 \(etcd-2\)/,
      next: /^ssh etcd-[12] sudo nft list ruleset$/,
    },
    expired,
    ...(LIBRARY === undefined ? [] : [clock]),
    {
      what: 'a full disk',
      breakIt: () =>
        must(
          lab,
          'etcd-3',
          `${KEEP}; mount -t tmpfs -o size=300m tmpfs ${DATA}; cp -a ${KEPT}/. ${DATA}/; chown etcd:etcd ${DATA}; chmod 0700 ${DATA}; systemctl reset-failed etcd; systemctl start etcd\n! cat /dev/zero > ${DATA}/filler 2>/dev/null`,
        ),
      repair: () =>
        must(
          lab,
          'etcd-3',
          `systemctl stop etcd; rm -rf ${KEPT} ${DATA}/filler; cp -a ${DATA} ${KEPT}; umount ${DATA}; ${BACK}`,
        ),
      ...{ cause: 'disk-full', hosts: ['etcd-3'], state: 'degraded' },
      evidence: /has \d+ MiB of 300 MiB free on \/var\/lib\/etcd\/default; etcd needs \d+ MiB/,
      next: /^ssh etcd-3 'sudo du -xh /,
    },
    {
      what: 'the quota of the database reached',
      breakIt: () =>
        must(
          lab,
          'etcd-1',
          `head -c 1000000 /dev/zero | tr '\\0' x > /root/value; n=0; while [ $n -lt 40 ] && ${etcdctl(LOCAL, `put /fill/$n`)} < /root/value >/dev/null 2>&1; do n=$((n + 1)); done; [ $n -lt 40 ]`,
        ),
      repair: async () => {
        await must(lab, 'etcd-1', etcdctl(LOCAL, 'del --prefix /fill'));
        const ended = await lab.provision('defrag', inventory, '--yes', '--passphrase-file', await passphraseFile(lab));
        if (ended.status !== 0) throw new Error(endOf(ended));
      },
      ...{ cause: 'nospace', hosts: [], state: 'down' },
      evidence: /list the alarm NOSPACE/,
      next: /^provision defrag \S+$/,
    },
    {
      what: 'a member of another cluster',
      breakIt: () =>
        must(
          lab,
          'etcd-3',
          `${KEEP}; rm -rf ${DATA}/member; own=$(sed -n 's/^ETCD_INITIAL_ADVERTISE_PEER_URLS=//p' /etc/default/etcd | tr -d '"'); printf 'ETCD_INITIAL_CLUSTER=etcd-3=%s\\nETCD_INITIAL_CLUSTER_STATE=new\\nETCD_INITIAL_CLUSTER_TOKEN=other\\n' "$own" > /root/other.env; ${dropIn('EnvironmentFile=/root/other.env')}; ${START}`,
        ),
      repair: () => must(lab, 'etcd-3', BACK),
      ...{ cause: 'wrong-cluster', hosts: ['etcd-3'], state: 'degraded' },
      evidence: /reports the cluster [0-9a-f]+, revision \d+/,
      next: /^provision member replace \S+ etcd-3$/,
    },
    {
      what: 'damaged data',
      breakIt: () =>
        must(
          lab,
          'etcd-2',
          `${KEEP}; dd if=/dev/urandom of=${DATA}/member/snap/db bs=4096 count=4 conv=notrunc 2>/dev/null; ${START}`,
        ),
      repair: () => must(lab, 'etcd-2', BACK),
      ...{ cause: 'corrupt', hosts: ['etcd-2'], state: 'degraded' },
      evidence: /its journal says: /,
      next: /^provision member replace \S+ etcd-2$/,
    },
    {
      what: 'data that is gone',
      breakIt: () => must(lab, 'etcd-1', `${KEEP}; rm -rf ${DATA}/member; ${START}`),
      repair: () => must(lab, 'etcd-1', BACK),
      ...{ cause: 'no-data', hosts: ['etcd-1'], state: 'degraded' },
      evidence: /reports no data in \/var\/lib\/etcd\/default|is out of range \[lastIndex\(0\)\]/,
      next: /^provision member replace \S+ etcd-1$/,
    },
    {
      what: 'a member that was removed by hand',
      breakIt: () =>
        must(
          lab,
          'etcd-2',
          // etcd refuses it while a connection between members is younger than five seconds, as after another fault.
          `id=$(${etcdctl(LOCAL, 'member list')} | sed -n 's/^\\([0-9a-f]*\\), started, etcd-3, .*/\\1/p'); SECONDS=0; until ${etcdctl(LOCAL, 'member remove')} "$id"; do [ $SECONDS -lt 120 ] || exit 1; sleep 1; done`,
        ),
      repair: async () => {
        const words = [
          'member',
          'replace',
          inventory,
          'etcd-3',
          '--yes',
          '--passphrase-file',
          await passphraseFile(lab),
        ];
        await must(lab, 'etcd-3', 'systemctl stop etcd');
        const ended = await lab.provision(...words);
        if (ended.status !== 0) throw new Error(endOf(ended));
      },
      ...{ cause: 'removed', hosts: ['etcd-3'], state: 'degraded' },
      evidence: /its journal says: .*removed from the cluster/,
      next: /^provision member replace \S+ etcd-3$/,
    },
    {
      what: 'a file system that is read-only',
      breakIt: () =>
        must(
          lab,
          'etcd-2',
          `systemctl stop etcd; mount --bind ${DATA} ${DATA}; mount -o remount,bind,ro ${DATA}; ${START}`,
        ),
      repair: () => must(lab, 'etcd-2', `systemctl stop etcd; umount ${DATA}; ${START}`),
      ...{ cause: 'disk-read-only', hosts: ['etcd-2'], state: 'degraded' },
      evidence: /can't write to \/var\/lib\/etcd\/default/,
      next: /^ssh etcd-2 sudo dmesg /,
    },
    {
      what: 'a setting with which etcd does not start',
      breakIt: () =>
        must(
          lab,
          'etcd-1',
          `${KEEP}; echo ETCD_ELECTION_TIMEOUT=1 > /root/bad.env; ${dropIn('EnvironmentFile=/root/bad.env')}; ${START}`,
        ),
      repair: () => must(lab, 'etcd-1', BACK),
      ...{ cause: 'crash', hosts: ['etcd-1'], state: 'degraded' },
      evidence: /its journal says: .*election/,
      next: /^ssh etcd-1 sudo journalctl -u etcd -n 50$/,
    },
  ];

  test.each(faults.map((fault) => [fault.what, fault] as const))('%s', async (_, fault) => {
    try {
      await fault.breakIt();
      const found = await until(
        ({ causes, state }) =>
          causes[0]?.cause === fault.cause && state === fault.state && isOf(fault.hosts, causes[0].hosts),
        `${fault.cause} first, of ${fault.hosts.join(' and ')}, and ${fault.state}`,
      );
      const [first] = found.causes;
      expect(found.status).toBe(1);
      expect(first?.evidence.map(({ text }) => text).join('\n')).toMatch(fault.evidence);
      expect(first?.next).toMatch(fault.next);
    } finally {
      await fault.repair();
      // Also where this test has failed: the next one begins with what is healthy.
      await untilHealthy();
    }
  });
});
