import { expect, test } from '@jest/globals';
import { Command } from 'commander';
import {
  addConnectionOptions,
  createConnector,
  withDefaults,
  type ConnectionOptions,
} from '../../../src/commands/connection-options.js';
import { Secret } from '../../../src/model/secret.js';

function parse(...words: readonly string[]): ConnectionOptions {
  const command = addConnectionOptions(
    new Command('verb').exitOverride().configureOutput({ writeErr: () => undefined }),
  );
  return command.parse(words, { from: 'user' }).opts<ConnectionOptions & Record<string, unknown>>();
}

test('has defaults that need no option', () => {
  expect(parse()).toEqual({ forks: 50, becomeUser: 'root' });
});

test.each(['0', '-1', '1.5', 'many', '1001'])('refuses --forks %s', (text) => {
  expect(() => parse('--forks', text)).toThrow('expected a whole number from 1 to 1000');
});

test('what the inventory says wins over what was typed', () => {
  const options = parse('-u', 'typed', '--private-key', '/typed', '-b', '--become-user', 'typed');
  const defaults = { options, password: new Secret('typed'), becomePassword: new Secret('typed') };
  const own = {
    address: 'a',
    user: 'own',
    privateKeyFile: '/own',
    password: new Secret('own'),
    become: { method: 'sudo', user: 'own', password: new Secret('own') },
  } as const;
  const filled = withDefaults(own, defaults);
  expect(filled).toMatchObject({ user: 'own', privateKeyFile: '/own', become: { user: 'own' } });
  expect([filled.password?.reveal(), filled.become?.password?.reveal()]).toEqual(['own', 'own']);
  const gaps = withDefaults({ address: 'a' }, defaults);
  expect(gaps).toMatchObject({
    user: 'typed',
    privateKeyFile: '/typed',
    privateKeyNamedBy: '--private-key',
    become: { method: 'sudo', user: 'typed' },
  });
  expect([gaps.password?.reveal(), gaps.become?.password?.reveal()]).toEqual(['typed', 'typed']);
});

test('a become password alone makes nobody become anybody', () => {
  const defaults = { options: parse('-K'), password: undefined, becomePassword: new Secret('typed') };
  expect(withDefaults({ address: 'a' }, defaults).become).toBeUndefined();
});

test('asks for passwords once, before any host is connected to', async () => {
  const questions: string[] = [];
  const ask = (question: string): Promise<Secret> => {
    questions.push(question);
    return Promise.resolve(new Secret('x'));
  };
  const connector = await createConnector(
    parse('-k', '-K'),
    { hosts: new Map() },
    { env: {}, ask, onNotice: () => undefined, timing: undefined },
  );
  await connector.close();
  expect(questions).toEqual(['SSH password', 'sudo password']);
});
