import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { render } from '@inquirer/testing';
import { startHere } from '../../../src/commands/start-here.js';
import type { Terminal } from '../../../src/wizard/terminal.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const before = process.cwd();

beforeEach(() => {
  process.chdir(temporaryDirectory('start'));
});
afterEach(() => {
  process.chdir(before);
});

async function started() {
  const person = await render((_: object, context) => startHere(context as Terminal, {}), {});
  while (!person.getScreen().includes('What do you want to do?')) await person.nextRender();
  return person;
}

test('an empty directory offers init first', async () => {
  const person = await started();
  expect(person.getScreen()).not.toMatch(/plan|apply|verify/);
  person.events.keypress('enter');
  expect(await person.answer).toEqual(['init']);
});

test('an inventory offers its verbs, also one that is wrong; other files offer nothing', async () => {
  writeFileSync('cluster.yaml', 'etcd:\n  hosts:\n    etcd-1:\n');
  writeFileSync('inventory.yaml', 'etcd: [');
  writeFileSync('play.yaml', '- hosts: all\n');
  writeFileSync('web.yaml', 'web:\n  hosts:\n    web-1:\n');
  const person = await started();
  const screen = person.getScreen();
  expect(screen).toMatch(/plan cluster\.yaml[^]*verify cluster\.yaml[^]*apply cluster\.yaml[^]*plan inventory\.yaml/);
  expect(screen).not.toMatch(/play\.yaml|web\.yaml/);
  person.events.keypress('down');
  person.events.keypress('enter');
  expect(await person.answer).toEqual(['verify', 'cluster.yaml']);
});

test('Ctrl-C ends it in our own words', async () => {
  const person = await started();
  person.events.keypress({ name: 'c', ctrl: true });
  await expect(person.answer).rejects.toMatchObject({ code: 'cancelled' });
});
