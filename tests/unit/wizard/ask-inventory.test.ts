import { describe, expect, test } from '@jest/globals';
import { render } from '@inquirer/testing';
import { askInventory } from '../../../src/wizard/ask-inventory.js';
import { renderInventory } from '../../../src/wizard/render-inventory.js';
import type { Terminal } from '../../../src/wizard/terminal.js';

/** What a person does: waits for a text on the screen, then types and presses enter. */
type Step = readonly [seen: string, typed: string];

async function run(steps: readonly Step[]) {
  const person = await render((_: object, context) => {
    const terminal = context as Terminal;
    // Each question ends its output when it is answered; unlike a real terminal, this one would be closed by it.
    terminal.output.end = () => terminal.output;
    return askInventory({ terminal, fileExists: (path) => Promise.resolve(path === '~/.ssh/id_ed25519') });
  }, {});
  for (const [seen, typed] of steps) {
    while (!person.getScreen().includes(seen)) await person.nextRender();
    person.events.type(typed);
    person.events.keypress('enter');
  }
  return person;
}

const THREE = 'etcd-1=10.0.0.1, etcd-2=10.0.0.2, etcd-3=10.0.0.3';

describe('askInventory', () => {
  test('asks all, and takes empty answers for none', async () => {
    const person = await run([
      ['etcd hosts', THREE],
      ['Virtual IP', ''],
      ['Control-plane hosts', ''],
      ['User to log in', ''],
      ['Private key', ''],
    ]);
    expect(await person.answer).toEqual({
      members: [
        { name: 'etcd-1', address: '10.0.0.1' },
        { name: 'etcd-2', address: '10.0.0.2' },
        { name: 'etcd-3', address: '10.0.0.3' },
      ],
      balancer: undefined,
      controlPlanes: [],
      sshUser: 'root',
      privateKeyFile: undefined,
    });
  });

  test('asks about the load balancer, also one on hosts of its own', async () => {
    const person = await run([
      ['etcd hosts', THREE],
      ['Virtual IP', '10.0.0.100'],
      ['Network', '10.0.0.0/24'],
      ['DNS name', 'etcd.example.com'],
      ['Port', ''],
      ['on the etcd hosts?', 'n'],
      ['Load-balancer hosts', 'lb-1=10.0.0.21, lb-2=10.0.0.22'],
      ['Control-plane hosts', 'cp-1=10.0.0.11'],
      ['User to log in', 'debian'],
      ['Private key', '~/.ssh/id_ed25519'],
    ]);
    const answers = await person.answer;
    expect(answers).toMatchObject({
      balancer: {
        ip: '10.0.0.100',
        name: 'etcd.example.com',
        port: 2379,
        network: '10.0.0.0/24',
        hosts: [
          { name: 'lb-1', address: '10.0.0.21' },
          { name: 'lb-2', address: '10.0.0.22' },
        ],
      },
      controlPlanes: [{ name: 'cp-1', address: '10.0.0.11' }],
      sshUser: 'debian',
      privateKeyFile: '~/.ssh/id_ed25519',
    });
    expect(renderInventory(answers)).toContain('etcd_lb_host: etcd.example.com');
  });

  test.each([
    ['10.0.1.100', '10.0.0.0/24', 'the virtual IP (10.0.1.100) is not in 10.0.0.0/24; both are asked again'],
    ['10.0.0.255', '10.0.0.0/24', '10.0.0.255 is the broadcast address of 10.0.0.0/24, which no host can hold'],
  ])('a virtual IP %s that %s cannot have is asked again at once', async (ip, network, why) => {
    const person = await run([
      ['etcd hosts', THREE],
      ['Virtual IP', ip],
      ['Network', network],
      ['Virtual IP', '10.0.0.100'],
      ['Network', network],
      ['DNS name', ''],
    ]);
    expect(await person.getFullOutput()).toContain(why);
  });

  test('says at once what is wrong with an answer, and says that an even number is no gain', async () => {
    const person = await run([['etcd hosts', 'etcd-1=10.0.0.1, etcd-2=10.0.0.x']]);
    while (!person.getScreen().includes('"10.0.0.x" is not an IP address')) await person.nextRender();
    person.events.keypress('backspace');
    person.events.type('2');
    person.events.keypress('enter');
    while (!person.getScreen().includes('Virtual IP')) await person.nextRender();
    expect(await person.getFullOutput()).toContain('2 members tolerate the loss of 0, no more than 1 would');
    person.events.type('10.0.0.2');
    person.events.keypress('enter');
    while (!person.getScreen().includes('10.0.0.2 is the address of etcd-2')) await person.nextRender();
  });
});
