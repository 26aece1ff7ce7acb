/** Something that ends at some time. */
interface Openable {
  isOpen(): boolean;
}

interface Entry<T> {
  readonly opening: Promise<T>;
  opened?: T;
}

/** Opened things by key: each opened once, and again when it has ended or could not be opened. */
export interface KeptOpen<T> {
  /** Those who ask while it is being opened share the outcome, be it a failure. */
  get(key: string, open: () => Promise<T>): Promise<T>;
  /** All that are open or being opened. */
  all(): Promise<readonly T[]>;
}

/** Makes an empty {@link KeptOpen}. */
export function keepOpen<T extends Openable>(): KeptOpen<T> {
  const entries = new Map<string, Entry<T>>();

  function start(key: string, open: () => Promise<T>): Promise<T> {
    const entry: Entry<T> = { opening: open() };
    entries.set(key, entry);
    entry.opening.then(
      (opened) => {
        entry.opened = opened;
      },
      () => {
        entries.delete(key);
      },
    );
    return entry.opening;
  }

  return {
    get(key, open) {
      const entry = entries.get(key);
      return entry === undefined || entry.opened?.isOpen() === false ? start(key, open) : entry.opening;
    },
    async all() {
      const settled = await Promise.allSettled([...entries.values()].map((entry) => entry.opening));
      return settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    },
  };
}
