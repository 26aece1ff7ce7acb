import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { script } from './hosts.mjs';
import { run, succeed } from './process.mjs';

// Each brings load balancers from nothing to done (`converge`), takes up one changed line of haproxy.cfg on one after the other (`change`),
// and finds out that nothing is to be done (`noOp`). All want the same files: those of the version `before` or `after` the changed line.

const PLAYBOOK = new URL('peers/balancers.yml', import.meta.url).pathname;

/** This program, as it is built. @param inventories of each version */
export function provision({ inventories, passphrase }) {
  const call = (verb, version, ...more) => [
    ...['dist/main.js', verb, inventories[version], '--playbook', 'etcd-lb', '--passphrase-file', passphrase],
    ...more,
  ];
  const apply = (version) => succeed(process.execPath, call('apply', version, '--yes'));
  return {
    name: 'provision',
    noOp: (version) => succeed(process.execPath, call('plan', version, '--detailed-exitcode')),
    converge: apply,
    change: apply,
  };
}

/** Ansible as Debian has it. @param strategy `linear`, or `mitogen_linear` */
export function ansible(name, strategy, { inventories, files, directory }) {
  async function play(version, atOnce, ...more) {
    const result = await run(
      'ansible-playbook',
      ['-i', inventories[version], PLAYBOOK, '-e', `at_once=${atOnce} files=${files[version]}`, ...more],
      {
        env: {
          ...{ ANSIBLE_PIPELINING: 'True', ANSIBLE_FORKS: '50', ANSIBLE_STRATEGY: strategy, ANSIBLE_NOCOLOR: 'True' },
          // No connection is left of another run, as none is for the others.
          ANSIBLE_SSH_CONTROL_PATH_DIR: mkdtempSync(join(directory, 'control-')),
          ANSIBLE_LOCAL_TEMP: join(directory, 'ansible'),
        },
      },
    );
    const recap = result.stdout.toString();
    if (result.status !== 0) throw new Error(`${name}: status ${result.status}\n${recap.slice(-3000)}${result.stderr}`);
    return recap;
  }
  return {
    name,
    async noOp(version) {
      const recap = await play(version, '100%', '--check', '--diff');
      if (/changed=[1-9]/.test(recap)) throw new Error(`${name} finds something to do:\n${recap.slice(-3000)}`);
    },
    converge: (version) => play(version, '100%'),
    change: (version) => play(version, 1),
  };
}

/** One `ssh` a host and nothing else: scripts by hand, which decide nothing and wait for nobody. @param archives of each host, by version */
export function parallelSsh({ balancers, archives }) {
  const archive = (version) => (host) => archives[version].get(host);
  return {
    name: 'parallel ssh',
    noOp: () => balancers.all('sh -s', () => script('state')),
    converge: (version) => balancers.all(script('converge'), archive(version)),
    async change(version) {
      for (const host of balancers.names) await balancers.ssh(host, script('change'), archive(version)(host));
    },
  };
}
