import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { failureKindOf, worstKind } from '../../../src/engine/failure-kind.js';
import { RunError } from '../../../src/engine/run-error.js';
import type { FailureKind } from '../../../src/model/error-codes/explanation.js';
import type { ErrorCode } from '../../../src/model/error-codes.js';
import { EXIT, InputError, ProvisionError } from '../../../src/model/errors.js';

function failure(...codes: readonly ErrorCode[]): RunError {
  return new RunError(
    'the play stopped',
    codes.map((code, index) => ({ host: `h${index}`, error: new ProvisionError({ code, message: code }) })),
  );
}

const KINDS: readonly FailureKind[] = ['failed', 'locked', 'unreachable', 'stale', 'unsafe', 'stopped'];

describe('how a run failed, for what started it', () => {
  test.each<[FailureKind, readonly ErrorCode[]]>([
    ['locked', ['locked', 'still-busy']],
    ['unreachable', ['unreachable']],
    ['unreachable', ['connection-lost', 'unreachable']],
    ['unreachable', ['locked', 'unreachable']],
    ['stale', ['plan-stale']],
    ['stale', ['plan-stale', 'unreachable']],
    ['unsafe', ['quorum-at-risk']],
    ['unsafe', ['unreachable', 'foreign-etcd', 'command-failed']],
    ['unsafe', ['host-key-changed']],
    ['failed', ['command-failed']],
    ['failed', ['unreachable', 'gate-not-open']],
    ['stopped', ['interrupted']],
    ['failed', ['interrupted', 'command-failed']],
  ])('%s: %j', (kind, codes) => {
    expect(failureKindOf(failure(...codes))).toBe(kind);
  });

  test('an error that no run has gathered has the kind of its code; bad input and bugs have failed', () => {
    expect(failureKindOf(new ProvisionError({ code: 'locked', message: 'x' }))).toBe('locked');
    expect(failureKindOf(new InputError([]))).toBe('failed');
    expect(failureKindOf(new TypeError('x'))).toBe('failed');
    expect(failureKindOf('thrown')).toBe('failed');
    const bug = { host: 'b', error: new TypeError('x') };
    expect(failureKindOf(new RunError('stopped', [...failure('unreachable').failures, bug]))).toBe('failed');
    expect(failureKindOf(new RunError('stopped', []))).toBe('failed');
  });

  test('what may be tried again stands for all: one failure of another kind takes it away', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...KINDS), { minLength: 1 }), (kinds) => {
        const worst = worstKind(kinds);
        expect(kinds).toContain(worst);
        const mayBeTriedAgain = (kind: FailureKind): boolean => kind === 'locked' || kind === 'unreachable';
        expect(mayBeTriedAgain(worst)).toBe(kinds.every(mayBeTriedAgain));
        expect(worst === 'unsafe').toBe(kinds.includes('unsafe'));
      }),
    );
  });

  test('of two kinds the one that asks for more than another try counts', () => {
    const fromWorst: readonly FailureKind[] = ['unsafe', 'stale', 'failed', 'stopped', 'unreachable', 'locked'];
    for (const [index, worse] of fromWorst.entries())
      for (const better of fromWorst.slice(index)) expect(worstKind([better, worse])).toBe(worse);
  });

  test('every kind has an exit code of its own, that no success has', () => {
    const codes = KINDS.map((kind) => EXIT[kind]);
    expect(new Set([...codes, EXIT.done, EXIT.changesPending]).size).toBe(KINDS.length + 2);
  });
});
