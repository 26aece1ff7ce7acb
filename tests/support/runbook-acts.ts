import { appendFileSync, cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from '../../src/lab/process.js';
import type { SigningAuthority } from '../../src/pki/signing-authority.js';
import { aSecond, expireCertificate } from './expire-certificate.js';
import type { TestLab } from './lab.js';
import { endOf, etcdctl, holdersOf, verifyUntil, vipOf } from './main-job.js';
import type { PagePlace } from './page.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const DATA = '/var/lib/etcd/default';
const LOCAL = 'https://127.0.0.1:2379';
/** For a machine ten times slower than this one. */
const PATIENCE_MS = 180_000;

/** Faults and their repairs on a lab, by the words with which the runbooks name them. */
export type Acts = PagePlace['byHand'];

/** Runs a script on hosts, one after the other. @throws Error where it fails */
export async function onHosts(lab: TestLab, hosts: readonly string[], script: string): Promise<void> {
  for (const host of hosts) {
    const ended = await lab.ssh(host, `set -e\n${script}`);
    if (ended.status !== 0) throw new Error(`${host}: ${script}\n${endOf(ended)}`);
  }
}

/** What waits for the end of a runbook. @param inventory the one that the place has */
export function waitingActs(lab: TestLab, inventory: () => string): Acts {
  const mustBe = async (what: string, condition: () => Promise<boolean>): Promise<void> => {
    if (!(await waitUntil(condition, PATIENCE_MS, 500))) throw new Error(`not within three minutes: ${what}`);
  };
  return {
    'wait until all is healthy': async () => {
      const ended = await verifyUntil(lab, inventory());
      if (ended.status !== 0) throw new Error(endOf(ended));
    },
    'wait until etcd is healthy': () =>
      mustBe('etcd is healthy', async () => (await lab.provision('doctor', 'etcd', inventory())).status === 0),
  };
}

const STOP = 'systemctl stop --no-block etcd; while systemctl -q is-active etcd; do sleep 0.1; done';

/** What etcd itself suffers from. */
export function etcdFaults(lab: TestLab): Acts {
  const fill = `head -c 1000000 /dev/zero | tr '\\0' x > /root/value; n=0; while [ $n -lt 40 ] && ${etcdctl(LOCAL, 'put /fill/$n')} < /root/value >/dev/null 2>&1; do n=$((n + 1)); done; [ $n -lt 40 ]`;
  const small = [
    `systemctl stop etcd; rm -rf /root/kept; cp -a ${DATA} /root/kept; mount -t tmpfs -o size=300m tmpfs ${DATA}`,
    `cp -a /root/kept/. ${DATA}/; chown etcd:etcd ${DATA}; chmod 0700 ${DATA}; systemctl start etcd`,
    `! cat /dev/zero > ${DATA}/filler 2>/dev/null`,
  ].join('\n');
  return {
    'stop etcd on etcd-1 and etcd-2': () => onHosts(lab, ['etcd-1', 'etcd-2'], STOP),
    'fill the database to its quota': () => onHosts(lab, ['etcd-1'], fill),
    'remove what should not be there': () =>
      onHosts(lab, ['etcd-1'], `${etcdctl(LOCAL, 'del --prefix /fill')} > /dev/null`),
    'fill the disk of etcd-3': () => onHosts(lab, ['etcd-3'], small),
    'make room on the disk of etcd-3': () => onHosts(lab, ['etcd-3'], `rm ${DATA}/filler`),
    'the data of etcd-2 and etcd-3 is lost': () =>
      onHosts(lab, ['etcd-2', 'etcd-3'], `systemctl kill -s KILL etcd; systemctl stop etcd; rm -rf ${DATA}/member`),
  };
}

/** Puts the disk of etcd-3 back, which {@link etcdFaults} has taken. */
export async function giveDiskBack(lab: TestLab): Promise<void> {
  const script = `systemctl stop etcd; rm -rf /root/kept; cp -a ${DATA} /root/kept; umount ${DATA}; rm -rf ${DATA}/member; cp -a /root/kept/member ${DATA}/; systemctl start etcd`;
  await onHosts(lab, ['etcd-3'], script);
}

/** What the load balancers suffer from. */
export function balancerFaults(lab: TestLab): Acts {
  const drop = [
    'nft add table inet fault',
    "nft add chain inet fault in '{ type filter hook input priority 0; }'",
    'nft add rule inet fault in ip protocol vrrp drop',
  ].join('\n');
  const heldBy = async (hosts: readonly string[]): Promise<void> => {
    const vip = await vipOf(lab);
    const isSo = async (): Promise<boolean> => (await holdersOf(lab, MEMBERS, vip)).join() === hosts.join();
    if (!(await waitUntil(isSo, PATIENCE_MS, 300))) throw new Error(`${vip} is not on ${hosts.join() || 'nobody'}`);
  };
  return {
    'keepalived has ended on all load balancers': async () => {
      await onHosts(lab, MEMBERS, 'systemctl stop keepalived');
      await heldBy([]);
    },
    'the load balancers are dead': () => onHosts(lab, MEMBERS, 'systemctl stop keepalived haproxy'),
    'VRRP does not get through between etcd-1 and etcd-2': async () => {
      await onHosts(lab, ['etcd-2', 'etcd-3'], 'systemctl stop keepalived');
      await heldBy(['etcd-1']);
      await onHosts(lab, ['etcd-2', 'etcd-3'], 'systemctl start keepalived');
      await onHosts(lab, ['etcd-1', 'etcd-2'], drop);
      await heldBy(['etcd-1', 'etcd-2']);
    },
    'let VRRP through': () => onHosts(lab, ['etcd-1', 'etcd-2'], 'nft delete table inet fault'),
  };
}

/** What becomes of certificates and of the directory `pki`. @param work where that is */
export function pkiFaults(lab: TestLab, work: string, authority: SigningAuthority): Acts {
  const here = (name: string): string => join(work, name);
  const swap = (): void => {
    renameSync(here('pki'), here('.between'));
    renameSync(here('.other-machine'), here('pki'));
    renameSync(here('.between'), here('.other-machine'));
  };
  return {
    'the server certificate of etcd-2 has ended': () =>
      expireCertificate(lab, { host: 'etcd-2', path: '/etc/etcd/pki/server.crt' }, authority, aSecond()),
    'pki is lost': () => {
      renameSync(here('pki'), here('.copy'));
    },
    'put the copy of pki back': () => {
      rmSync(here('pki'), { recursive: true, force: true });
      renameSync(here('.copy'), here('pki'));
    },
    'on the new machine': () => {
      mkdirSync(here('.other-machine'));
      swap();
      rmSync(here('pki'), { recursive: true });
    },
    'on the old machine': swap,
  };
}

/** The authority of the new machine is the one that signs from then on. */
export function goOnWithNewMachine(work: string): void {
  rmSync(join(work, 'pki'), { recursive: true });
  cpSync(join(work, '.other-machine'), join(work, 'pki'), { recursive: true });
}

/** Variables that the group etcd has from then on. */
export function sayForEtcd(work: string, lines: readonly string[]): void {
  mkdirSync(join(work, 'group_vars'), { recursive: true });
  const file = join(work, 'group_vars', 'etcd.yaml');
  appendFileSync(file, lines.map((line) => `${line}\n`).join(''));
}

/** What a person types where a passphrase is asked for. */
export function writePassphrase(path: string, passphrase: string): void {
  writeFileSync(path, `${passphrase}\n`, { mode: 0o600 });
}
