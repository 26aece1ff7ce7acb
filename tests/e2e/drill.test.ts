import { beforeAll, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import { waitUntil } from '../../src/lab/process.js';
import type { EventJson } from '../../src/report/event-schema.js';
import { describeOnLab, type TestLab } from '../support/lab.js';
import { endOf, holdersOf, must, runVerb, vipOf } from '../support/main-job.js';
import { disturbedRun, type DisturbedRun } from '../support/stopped-run.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];

/** Seconds; as few as the verb takes. */
const RESTORE_AFTER_S = 20;

/** A service is stopped, and nobody has taken its work over yet. */
function isDown(event: EventJson): boolean {
  return event.type === 'gate-waiting' && event.gate === 'virtual-ip-moved';
}

/** Which services run and start at boot, and what a drill may leave: timers, its measurement, the lock. */
const STATE = `systemctl is-active etcd haproxy keepalived; systemctl is-enabled etcd haproxy keepalived
systemctl list-units --all --no-legend 'provision-drill*'; ls -d /run/provision-drill* /run/provision/lock 2>/dev/null || :`;

const MARK = '/run/provision-down.haproxy';
const MAIN = 'systemctl show -p MainPID --value haproxy';

const AS_BEFORE = ['active', 'active', 'active', 'enabled', 'enabled', 'enabled', ''].join('\n');

/** Seconds of load; a sweep takes longer. */
const LOAD_S = process.env.PROVISION_SWEEP === 'all' ? 1000 : 40;

const LOAD = 'busy';

/** Busy loops, what keepalived itself asks, and writes that wait for the disk, far more than the processors can serve. */
function loadFor(seconds: number): string {
  const check = String.raw`sed -n 's/^ *script "\(.*\)"$/\1/p' /etc/keepalived/keepalived.conf | head -n 1`;
  const loops = [
    `for i in 1 2 3 4 5 6; do (while :; do :; done) & done`,
    `for i in 1 2 3; do (while :; do $check >/dev/null 2>&1; done) & done`,
    `while :; do dd if=/dev/zero of=/var/tmp/busy bs=64k count=16 conv=fsync 2>/dev/null; done`,
  ].join('\n');
  return `check=$(${check}) && [ -x "$check" ] || exit 1\ncat >/run/busy.sh <<BUSY\n${loops}\nBUSY\nsystemd-run -q --unit ${LOAD} -p RuntimeMaxSec=${seconds} bash /run/busy.sh`;
}

function measured(events: readonly EventJson[]): readonly Extract<EventJson, { type: 'drill-measured' }>[] {
  return events.flatMap((event) => (event.type === 'drill-measured' ? [event] : []));
}

describeOnLab('a failover drill', 'drill', { etcd: 3 }, (lab) => {
  beforeAll(async () => {
    const applied = await runVerb(lab, 'apply');
    if (applied.status !== 0) throw new Error(endOf(applied));
  });

  async function expectAsBefore(): Promise<void> {
    const states = await Promise.all(MEMBERS.map(async (host) => lab.ssh(host, STATE)));
    expect(states.map(({ stdout }) => stdout)).toEqual(MEMBERS.map(() => AS_BEFORE));
    expect(await holdersOf(lab, MEMBERS, await vipOf(lab))).toHaveLength(1);
    const verified = await lab.provision('verify', lab.files.inventory);
    if (verified.status !== 0) throw new Error(endOf(verified));
  }

  async function holder(): Promise<string> {
    const [first] = await holdersOf(lab, MEMBERS, await vipOf(lab));
    if (first === undefined) throw new Error('nobody holds the virtual IP');
    return first;
  }

  test('killed in the middle is undone by the host itself, and the next one measures both failures', async () => {
    const host = await holder();
    const killed = await drillDisturbed(lab, (kill) => {
      kill('SIGKILL');
    });
    expect(killed.status).toBe(137);
    expect(await isActive(lab, host)).toBe(false);
    expect(await waitUntil(() => isActive(lab, host), (RESTORE_AFTER_S + 10) * 1000, 500)).toBe(true);
    // Its HAProxy has to find the members first.
    expect(await waitUntil(() => isWell(lab), 120_000, 500)).toBe(true);

    const drill = await lab.provision('drill', lab.files.inventory, '--yes');
    if (drill.status !== 0) throw new Error(endOf(drill));
    const table = drill.stdout.slice(drill.stdout.indexOf('stopped   '));
    console.log(table);
    expect(table).toMatch(/^haproxy on etcd-\d +[<\d].* ± \d\.\d\d s +etcd-\d +\d/m);
    expect(table).toMatch(/^keepalived on etcd-\d .* ± /m);
    expect(drill.stdout).toMatch(/took over the lock/);
    await expectAsBefore();
    const history = await lab.provision('history', lab.files.inventory);
    expect(history.stdout.trim().split('\n').slice(-2)).toEqual([
      expect.stringMatching(/ drill +interrupted +0 changes/),
      expect.stringMatching(/ drill +done +2 changes/),
    ]);
  });

  test('HAProxy that is killed gives the address up at once, and one that is reloaded keeps it', async () => {
    const host = await holder();
    // Its process is the same all the while, and nothing ever marks the unit as down.
    const reload = `before=$(${MAIN}); for _ in 1 2 3 4 5; do systemctl reload haproxy; ls ${MARK} 2>/dev/null; done; [ "$(${MAIN})" = "$before" ]`;
    expect(await lab.ssh(host, reload)).toMatchObject({ status: 0, stdout: '' });
    expect(await holder()).toBe(host);
    // systemd starts it again within a moment: two failed checks, a second apart, would not see that.
    await lab.ssh(host, `kill -9 $(${MAIN})`);
    const next = async (): Promise<string | undefined> => (await holdersOf(lab, MEMBERS, await vipOf(lab)))[0];
    expect(await waitUntil(async () => ![undefined, host].includes(await next()), 120_000, 500)).toBe(true);
    expect(await waitUntil(() => isWell(lab), 120_000, 500)).toBe(true);
    expect((await lab.ssh(host, `ls ${MARK}`)).stdout).toBe('');
    await expectAsBefore();
  });

  test(
    'load on every host moves no address, and a fail-over would be seen',
    async () => {
      const first = await holder();
      const before = await changesOfState();
      await Promise.all(MEMBERS.map(async (host) => must(lab.ssh(host, loadFor(LOAD_S)))));
      const results = async (): Promise<readonly string[]> =>
        Promise.all(MEMBERS.map(async (host) => must(lab.ssh(host, `systemctl show -p Result --value ${LOAD}`))));
      // It lasts until its time is over, and nothing else ends it.
      const isOver = async (): Promise<boolean> => (await results()).every((result) => result === 'timeout\n');
      expect(await waitUntil(isOver, LOAD_S * 2000 + 60_000, 1000)).toBe(true);
      await Promise.all(
        MEMBERS.map(async (host) => lab.ssh(host, `systemctl reset-failed ${LOAD}; rm -f /var/tmp/busy`)),
      );
      expect([await holder(), await changesOfState()]).toEqual([first, before]);
      await lab.ssh(first, `kill -9 $(${MAIN})`);
      expect(await waitUntil(async () => (await changesOfState()) > before, 60_000, 500)).toBe(true);
      expect(await waitUntil(() => isWell(lab), 120_000, 500)).toBe(true);
      await expectAsBefore();
    },
    LOAD_S * 3000 + 300_000,
  );

  /** How often keepalived said on any host that its state is another one. */
  async function changesOfState(): Promise<number> {
    const count = String.raw`journalctl -u keepalived -o cat | grep -cE 'Entering (MASTER|BACKUP|FAULT) STATE'`;
    const counted = await Promise.all(MEMBERS.map(async (host) => lab.ssh(host, count)));
    return counted.reduce((sum, { stdout }) => sum + Number(stdout), 0);
  }

  test('stopped with Ctrl-C puts back what it stopped, tells what it measured, and releases the lock', async () => {
    const first = await holder();
    // Nobody takes the address over, so that the drill still waits for that when it is stopped.
    const spares = MEMBERS.filter((host) => host !== first);
    await Promise.all(spares.map(async (host) => lab.ssh(host, `echo 1 >${MARK}`)));
    const stopped = await drillDisturbed(lab, (kill) => {
      kill('SIGINT');
    }).finally(async () => Promise.all(spares.map(async (host) => lab.ssh(host, `rm -f ${MARK}`))));
    expect(stopped.status).toBe(130);
    expect(stopped.events.at(-1)).toMatchObject({
      type: 'run-failed',
      failures: [{ message: expect.stringContaining('stopped on request while haproxy was stopped') as unknown }],
    });
    const [gap, ...others] = measured(stopped.events);
    expect(others).toEqual([]);
    expect(gap?.service).toBe('haproxy');
    // HAProxy was gone, and is back: clients have noticed, for less time than a fail-over takes at most.
    expect(gap?.client.failed).toBeGreaterThan(0);
    expect(gap?.client.isOver).toBe(true);
    expect(gap?.client.longestMs).toBeLessThan(20_000);
    expect(gap?.client.stepMs).toBeLessThan(gap?.client.longestMs ?? 0);
    await expectAsBefore();
  });

  test('stopped at once says what is left; a next one refuses while a balancer is down', async () => {
    const host = await holder();
    const stopped = await drillDisturbed(lab, (kill) => {
      kill('SIGINT');
      kill('SIGTERM');
    });
    expect(stopped.status).toBe(130);
    expect(stopped.events.at(-1)).toMatchObject({
      type: 'run-failed',
      failures: [{ host, message: expect.stringContaining('stop haproxy') as unknown }],
      hint: expect.stringContaining('started by a timer of its host within 20 s') as unknown,
    });
    const next = await lab.provision('drill', lab.files.inventory, '--yes');
    expect(next.status).toBe(EXIT.unsafe);
    expect(next.stdout).toMatch(/nothing was stopped/);
    expect(next.stdout).toMatch(new RegExp(`gate backends-up: etcd did not open: HAProxy on ${host} does not answer`));
    expect(await waitUntil(() => isActive(lab, host), (RESTORE_AFTER_S + 10) * 1000, 500)).toBe(true);
    await lab.provision('unlock', lab.files.inventory, '--yes');
    expect(await waitUntil(() => isWell(lab), 120_000, 500)).toBe(true);
    await expectAsBefore();
  });
});

async function drillDisturbed(
  lab: TestLab,
  disturb: (kill: (signal: NodeJS.Signals) => void) => void,
): Promise<DisturbedRun> {
  const words = ['drill', lab.files.inventory, '--yes', '--restore-after', String(RESTORE_AFTER_S)];
  return disturbedRun(lab, words, isDown, disturb);
}

async function isActive(lab: TestLab, host: string): Promise<boolean> {
  return (await lab.ssh(host, 'systemctl is-active --quiet haproxy')).status === 0;
}

async function isWell(lab: TestLab): Promise<boolean> {
  return (await lab.provision('verify', lab.files.inventory)).status === 0;
}
