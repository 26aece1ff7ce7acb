import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { contentOf } from '../../../src/model/content.js';
import { Secret } from '../../../src/model/secret.js';

const PLANTED = 'hunter2-planted';

function everyWayOfPrinting(value: unknown): string {
  return [String(value), JSON.stringify({ value }), inspect({ value }, { depth: 9 })].join('\n');
}

describe('Secret', () => {
  test('no way of printing shows it', () => {
    expect(everyWayOfPrinting(new Secret(PLANTED))).not.toContain(PLANTED);
  });

  test('the check above would find it', () => {
    expect(everyWayOfPrinting(PLANTED)).toContain(PLANTED);
  });

  test('reveal gives the text', () => {
    expect(new Secret(PLANTED).reveal()).toBe(PLANTED);
  });

  test('content shows everything but its secrets', () => {
    const content = contentOf('auth_pass ', new Secret(PLANTED), '\n');
    expect(content.redacted).toBe('auth_pass [redacted]\n');
    expect(content.reveal()).toBe(`auth_pass ${PLANTED}\n`);
    expect(everyWayOfPrinting(content)).not.toContain(PLANTED);
  });
});
