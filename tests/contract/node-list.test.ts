import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { nodeList, type NodeListSeen } from '../../src/facts/node-list.js';
import { scratch } from '../support/scratch.js';

const SERVER = 'https://10.0.0.11:6443';

/** `kubectl` that does this, in a real shell, below a `timeout` that is the shell's own. */
function ask(kubectl: string): NodeListSeen | undefined {
  const stub = `timeout() { shift; "$@"; }; kubectl() { echo 'Warning: old' >&2; case "$*" in *'--server ${SERVER} get nodes -o go-template='*) ${kubectl} ;; *) return 9 ;; esac; }`;
  const script = `${stub}\n${nodeList.script([SERVER])}`;
  const { stdout } = spawnSync('sh', ['-c', script], { cwd: scratch(), encoding: 'utf8' });
  return nodeList.parse(stdout, [SERVER]).get(SERVER);
}

test('nodes come with their addresses, and whether they are control planes', () => {
  expect(
    ask(String.raw`cat <<'END'
N	cp-1	"10.0.0.11" "fd00::1" 	CC	
N	w-1	"x\nN\tghost\t10.0.0.9" "y 10.0.0.9" "\"10.0.0.9\"" 		M
END
`),
  ).toEqual({
    kind: 'listed',
    nodes: [
      { name: 'cp-1', addresses: ['10.0.0.11', 'fd00::1'], isControlPlane: true, isUpgrading: false },
      { name: 'w-1', addresses: [], isControlPlane: false, isUpgrading: true },
    ],
  });
  expect(ask("printf ''")).toEqual({ kind: 'listed', nodes: [] });
});

test('an API server that does not answer lists nothing, and a half of a list is none', () => {
  expect(ask('return 1')).toEqual({ kind: 'silent' });
  expect(ask(String.raw`printf 'N\tcp-1\t"10.0.0.11" \tC\t\n'; return 1`)).toEqual({ kind: 'silent' });
});

test.each([
  String.raw`printf 'N\tBAD NAME\t\t\t\n'`,
  String.raw`printf 'X\tcp-1\t\t\t\n'`,
  String.raw`printf 'N\ta\tb\tc\td\te\n'`,
  String.raw`printf 'N\ta\tb\tc\n'`,
])('what is no list of nodes is an error: %s', (words) => {
  expect(() => ask(words)).toThrow('a node without a name came back');
});
