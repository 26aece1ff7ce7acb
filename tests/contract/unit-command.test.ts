import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { unitCommand } from '../../src/facts/unit-command.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** What the fact makes of units that `systemctl show` describes so, asked with a real shell. */
function ask(shown: Readonly<Record<string, string>>, files: Readonly<Record<string, string>> = {}, shell = 'sh') {
  const root = temporaryDirectory('unit-command');
  mkdirSync(join(root, 'bin'));
  const cases = Object.entries(shown).map(([unit, text]) => {
    writeFileSync(join(root, unit), text.replaceAll('ROOT', root));
    return `${unit}.service) cat '${root}/${unit}' ;;`;
  });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  const script = `systemctl() { case $5 in ${cases.join(' ')} esac; }\n${unitCommand.script(Object.keys(shown))}`;
  const { stdout, stderr, status } = spawnSync(shell, ['-c', script], { encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return { root, stdout, told: unitCommand.parse(stdout, Object.keys(shown), Buffer.from(stdout)) };
}

const HAPROXY = `LoadState=loaded
FragmentPath=/lib/systemd/system/haproxy.service
DropInPaths=/etc/a/1.conf /etc/a/2.conf
Environment="CONFIG=/etc/haproxy/*.cfg" PIDFILE=/run/haproxy.pid "EXTRAOPTS=-S /run/master.sock" TOKEN=planted-secret
EnvironmentFiles=ROOT/default (ignore_errors=yes)
EnvironmentFiles=ROOT/more.* (ignore_errors=no)
ExecStart={ path=/usr/sbin/haproxy ; argv[]=/usr/sbin/haproxy -Ws -f $CONFIG -p $PIDFILE $EXTRAOPTS ; ignore_errors=no ; pid=0 }
MainPID=0
`;

describe.each(['sh', 'bash'])('what a unit runs, asked with %s', (shell) => {
  test('has its files, and its next start with the variables of the last file that sets them', () => {
    const files = { default: 'EXTRAOPTS="-a b"\n', 'more.1': '# x\nCONFIG=/etc/other.cfg\nTOKEN=planted-secret\n' };
    const { root, stdout, told } = ask({ haproxy: HAPROXY }, files, shell);
    expect(told.get('haproxy')).toEqual({
      files: ['/lib/systemd/system/haproxy.service', '/etc/a/1.conf', '/etc/a/2.conf'],
      environmentFiles: [`${root}/default`, `${root}/more.*`],
      next: ['/usr/sbin/haproxy', '-Ws', '-f', '/etc/other.cfg', '-p', '/run/haproxy.pid', '-a', 'b'],
      running: [],
    });
    expect(stdout).not.toContain('planted-secret');
  });

  test('leaves a pattern as it is, and tells the units apart', () => {
    const bare = 'LoadState=not-found\nEnvironment=\nMainPID=0\n';
    const own = `LoadState=loaded\nEnvironment=\nExecStart={ path=/x ; argv[]=/x -y ; ignore_errors=no }\nMainPID=${process.pid}\n`;
    const { told } = ask({ haproxy: HAPROXY, none: bare, own }, {}, shell);
    expect(told.get('haproxy')?.next).toEqual([
      '/usr/sbin/haproxy',
      '-Ws',
      '-f',
      '/etc/haproxy/*.cfg',
      '-p',
      '/run/haproxy.pid',
      '-S',
      '/run/master.sock',
    ]);
    expect(told.get('none')).toEqual({ files: [], environmentFiles: [], next: [], running: [] });
    expect(told.get('own')?.next).toEqual(['/x', '-y']);
    expect(told.get('own')?.running[0]).toContain('node');
  });
});
