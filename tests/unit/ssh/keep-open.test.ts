import { expect, test } from '@jest/globals';
import { keepOpen } from '../../../src/ssh/keep-open.js';

interface Door {
  isOpen(): boolean;
  shut(): void;
}

function door(): Door {
  let open = true;
  return {
    isOpen: () => open,
    shut: () => {
      open = false;
    },
  };
}

test('opens once for all who ask at once', async () => {
  const kept = keepOpen<Door>();
  let opened = 0;
  const open = (): Promise<Door> => {
    opened += 1;
    return Promise.resolve(door());
  };
  const [one, two] = await Promise.all([kept.get('a', open), kept.get('a', open)]);
  expect(one).toBe(two);
  expect(opened).toBe(1);
  expect(await kept.all()).toEqual([one]);
});

test('knows all that are open', async () => {
  const kept = keepOpen<Door>();
  const opened = await Promise.all(['a', 'b'].map((key) => kept.get(key, () => Promise.resolve(door()))));
  expect(await kept.all()).toEqual(opened);
});

test('opens anew what has ended', async () => {
  const kept = keepOpen<Door>();
  const first = await kept.get('a', () => Promise.resolve(door()));
  first.shut();
  expect(await kept.get('a', () => Promise.resolve(door()))).not.toBe(first);
});

test('a failure is shared by those who wait, and forgotten by the next', async () => {
  const kept = keepOpen<Door>();
  const failing = (): Promise<Door> => Promise.reject(new Error('stuck'));
  const waiting = [kept.get('a', failing), kept.get('a', () => Promise.resolve(door()))];
  const outcomes = await Promise.allSettled(waiting);
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected']);
  expect((await kept.get('a', () => Promise.resolve(door()))).isOpen()).toBe(true);
  expect(await kept.all()).toHaveLength(1);
});
