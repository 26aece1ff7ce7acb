import type { Screen } from './screen.js';

/** What the rows of a section stand for. */
type Scene = 'looking' | 'working' | 'gate';

/** The section on the screen, and what its rows are at. It makes sure that one section is shut before the next opens. */
export interface Stage {
  readonly scene: Scene | undefined;
  has(row: string): boolean;
  /** Rows that began something and did not end it. */
  busy(): readonly string[];
  open(scene: Scene, title: string, rows: readonly string[]): void;
  /** A row begins something. */
  begin(row: string, doing: string): void;
  /** What a row waits for meanwhile, instead of what it has begun: on one line there is room for one of them. An empty text: no longer. */
  interject(row: string, waiting: string): void;
  keep(row: string, line: string): void;
  /** What a row had begun has ended. */
  end(row: string): void;
  /** As {@link end}, and the row will show that it failed. */
  fail(row: string): void;
  /** Nothing more will happen in this row. @param remark what it came to, when that is not in its kept lines */
  finish(row: string, remark?: string): void;
  /** Ends the section. Rows that are still busy were interrupted. */
  shut(): void;
}

/** An empty {@link Stage} on a screen. */
export function createStage(screen: Screen): Stage {
  let scene: Scene | undefined;
  let rows = new Set<string>();
  const busy = new Map<string, string>();
  const failed = new Set<string>();

  function shut(): void {
    if (!scene) return;
    for (const [row, doing] of busy) screen.keep(row, `✖ ${doing}: interrupted`);
    for (const row of new Set([...failed, ...busy.keys()])) screen.finish(row, 'failed');
    screen.shut();
    scene = undefined;
    rows = new Set();
    busy.clear();
    failed.clear();
  }

  return {
    get scene() {
      return scene;
    },
    has: (row) => rows.has(row),
    busy: () => [...busy.keys()],
    open(next, title, names) {
      shut();
      scene = next;
      rows = new Set(names);
      screen.open(title, names);
    },
    begin(row, doing) {
      busy.set(row, doing);
      screen.show(row, doing);
    },
    interject(row, waiting) {
      const doing = busy.get(row) ?? '';
      screen.show(row, waiting === '' ? doing : waiting);
    },
    keep: (row, line) => {
      screen.keep(row, line);
    },
    end(row) {
      busy.delete(row);
      screen.show(row, '');
    },
    fail(row) {
      busy.delete(row);
      failed.add(row);
      screen.show(row, 'failed');
    },
    finish(row, remark) {
      if (!failed.has(row)) screen.finish(row, 'done', remark);
    },
    shut,
  };
}
