// Alone in its file: what breaks the memory of the engine breaks it for all that is loaded beside.
import { expect, test } from '@jest/globals';
import { InputError } from '../../../src/model/errors.js';
import { loadFiles } from '../../support/write-inventory.js';

const BREAKING = `{{ ${'1 ~ '.repeat(20_000)}1 }}`;

test('after inventories that break the engine, another one is rendered, or refused as a template is', async () => {
  const other = await loadFiles({
    'hosts.yml': 'all: { hosts: { host: { v: "{{ w | upper }}", w: "{{ \'a\' ~ 1 }}" } } }\n',
  });
  for (let time = 0; time < 3; time += 1) {
    const breaking = await loadFiles({ 'hosts.yml': `all: { hosts: { host: { v: "${BREAKING}" } } }\n` });
    for (const template of [BREAKING, "{{ v | default('d') }}"])
      expect(() => breaking.render('host', template)).toThrow(InputError);
    try {
      expect(other.render('host', `${time} {{ v }}`).reveal()).toBe(`${time} A1`);
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
    }
  }
});
