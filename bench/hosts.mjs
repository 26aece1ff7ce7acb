import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { succeed } from './process.mjs';

/** The text of a script that runs on a host. */
export const script = (name) => readFileSync(new URL(`peers/${name}.sh`, import.meta.url), 'utf8');

/** What provision writes on a load balancer. */
export const WRITTEN = [
  'etc/haproxy/etcd-ca.crt',
  'etc/haproxy/etcd-client.pem',
  'etc/haproxy/haproxy.cfg',
  'etc/keepalived/keepalived.conf',
  'etc/sysctl.d/60-provision-nonlocal-bind.conf',
  'etc/systemd/system/haproxy.service.d/60-provision-down.conf',
  'usr/local/lib/provision/check-haproxy',
];

/** Session and login are lines of sshd's own log; the last pid of a host's pid namespace counts what it forked (proc(5), loadavg). */
const COUNT = `read -r _ _ _ _ forks </proc/loadavg
logged=$(journalctl --no-pager -o cat -t sshd)
echo "$forks $(($(cat /sys/class/net/eth0/statistics/[rt]x_bytes | paste -sd+)))" \\
  "$(echo "$logged" | grep -c 'Accepted publickey') $(echo "$logged" | grep -c 'Starting session')"`;

/** What is counted on a host. */
export const COUNTED = ['forks', 'bytes', 'connections', 'sessions'];

/** How long the hosts are watched at rest, in seconds: what they do by themselves does not count. */
const REST_S = 3;

/** The load balancers of a lab, over OpenSSH. @param config its ssh_config */
export function balancersOf(names, config) {
  const ssh = (host, command, stdin) => succeed('ssh', ['-F', config, host, command], { stdin });
  const all = (command, stdin) => Promise.all(names.map((host) => ssh(host, command, stdin?.(host))));

  async function totals() {
    const lines = await all(COUNT);
    const rows = lines.map((line) => line.toString().trim().split(' ').map(Number));
    return {
      at: performance.now(),
      figures: COUNTED.map((_, index) => rows.reduce((sum, row) => sum + row[index], 0)),
    };
  }

  return {
    names,
    ssh,
    all,
    /** What some work makes of the hosts, without what they do at rest and for counting: a figure a host. */
    async count(work) {
      const readings = [await totals(), await totals()];
      await sleep(REST_S * 1000);
      readings.push(await totals());
      await work();
      readings.push(await totals());
      const [counting, resting, working] = readings.slice(1).map(({ at, figures }, index) => ({
        seconds: (at - readings[index].at) / 1000,
        figures: figures.map((figure, each) => figure - readings[index].figures[each]),
      }));
      return Object.fromEntries(
        COUNTED.map((name, index) => {
          const own = counting.figures[index];
          const rate = (resting.figures[index] - own) / (resting.seconds - counting.seconds);
          const more = working.figures[index] - own - Math.max(0, rate) * (working.seconds - counting.seconds);
          return [name, more / names.length];
        }),
      );
    },
    /** What is needed to count, and by Ansible's modules. @param packages files of packages that the image lacks */
    async prepare(packages) {
      await all('tar -C /var/cache/apt/archives -x', () => packages);
      await all('apt-get -q -y --no-install-recommends install python3 python3-apt >/dev/null 2>&1');
      await all('echo LogLevel VERBOSE >/etc/ssh/sshd_config.d/count.conf && systemctl reload ssh');
    },
    /** Copies what provision wrote on each host into a directory for each. */
    async fetchFiles(directory) {
      const archives = await all(`tar -C / -c ${WRITTEN.join(' ')}`);
      for (const [index, archive] of archives.entries()) {
        const own = join(directory, names[index]);
        mkdirSync(own, { recursive: true });
        await succeed('tar', ['-C', own, '-x'], { stdin: archive });
      }
    },
    reset: () => all(script('reset')),
  };
}
