import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { etcdStatus, etcdStatusKey } from '../../src/facts/etcd-status.js';

/** What the fact gives where etcdctl writes so, asked with a real shell. */
function ask(shell: string, etcdctl: string, bash = ':'): string {
  const key = etcdStatusKey({
    clientUrl: 'https://10.0.0.1:2379',
    client: { ca: '/ca.crt', certificate: '/client.crt', key: '/client.key' },
  });
  // bash is asked whether the port takes connections.
  const script = `timeout() { shift; "$@"; }; bash() { ${bash}; }; etcdctl() { ${etcdctl}; }\n`;
  const { stdout, stderr, status } = spawnSync(shell, ['-c', `${script}${etcdStatus.script([key])}`], {
    encoding: 'utf8',
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout;
}

describe.each(['sh', 'bash'])('what etcdctl says, asked with %s', (shell) => {
  test('is its last line, whatever it warns of before', () => {
    const said = ask(shell, `printf '%s\\n' 'warning: %s \\\\n *' '{"raftIndex":1,"asked":"'"$*"'"}'`);
    expect(said.split('\n').map((line) => line.slice(0, 19))).toEqual([
      'E',
      ...['S', 'H', 'M', 'A'].map((letter) => `${letter} ok {"raftIndex":1`.slice(0, 19)),
      '',
    ]);
    expect(said).not.toContain('warning');
  });

  test('is nothing where the port is shut: it is not asked', () => {
    const refused = "echo 'connect: Connection refused' >&2; return 1";
    expect(ask(shell, 'echo asked', refused)).toBe('E\nS no connection refused\n');
  });

  test('is why it failed, and nothing more is asked', () => {
    expect(ask(shell, `printf '%s\\n' first 'connection refused' '[]'; return 1`)).toBe('E\nS no connection refused\n');
  });
});
