import { expect, test } from '@jest/globals';
import type { Fact } from '../../../src/model/remote.js';
import { fakeProbe, fakeProbes } from '../../support/fake-probe.js';

const colour: Fact<string> = { name: 'colour', script: () => '', parse: () => new Map() };

test('answers what it was given, and remembers the question', async () => {
  const probe = fakeProbe({ colour: { sky: 'blue' } });
  expect(await probe.ask(colour, 'sky')).toBe('blue');
  expect(probe.asked).toEqual(['colour sky']);
});

test('never makes an answer up', async () => {
  await expect(fakeProbe({ colour: {} }).ask(colour, 'toString')).rejects.toThrow('no answer for colour "toString"');
});

test('reaches the other hosts', async () => {
  const probes = fakeProbes({ a: { colour: { sky: 'blue' } }, b: { colour: { sky: 'red' } } });
  expect(await probes.get('a')?.on('b').ask(colour, 'sky')).toBe('red');
  expect(() => probes.get('a')?.on('c')).toThrow('no host c');
});
