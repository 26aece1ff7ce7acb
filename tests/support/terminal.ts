import { EventEmitter } from 'node:events';

/** A terminal that remembers what a person would see on it. It knows the escape sequences that our displays write. */
export interface FakeTerminal {
  readonly stdout: NodeJS.WriteStream;
  /** All lines so far, scrolled away or not, without colours and without spaces at their ends. */
  lines(): string[];
  /** Everything that was written, as it was written. */
  raw(): string;
}

interface Screen {
  readonly lines: string[];
  row: number;
  column: number;
}

function put(screen: Screen, character: string): void {
  const line = screen.lines[screen.row] ?? '';
  const padded = line.padEnd(screen.column);
  screen.lines[screen.row] = padded.slice(0, screen.column) + character + padded.slice(screen.column + 1);
  screen.column += 1;
}

function control(screen: Screen, count: number, command: string, parameters: string): void {
  const line = screen.lines[screen.row] ?? '';
  if (command === 'A') screen.row = Math.max(0, screen.row - count);
  else if (command === 'G') screen.column = count - 1;
  else if (command === 'K') screen.lines[screen.row] = parameters === '2' ? '' : line.slice(0, screen.column);
  else if (command === 'J') screen.lines.splice(screen.row, Infinity, line.slice(0, screen.column));
  else if (!'mhl'.includes(command)) throw new Error(`the fake terminal does not know ESC [ ${parameters} ${command}`);
}

function draw(raw: string, columns: number): string[] {
  const screen: Screen = { lines: [''], row: 0, column: 0 };

  for (const [token, parameters, command] of raw.matchAll(/\u001b\[([?\d;]*)([A-Za-z])|[^]/gu)) {
    if (command !== undefined) control(screen, Number(parameters) || 1, command, parameters ?? '');
    else if (token === '\r') screen.column = 0;
    else {
      if (token === '\n' || screen.column >= columns) {
        screen.row += 1;
        screen.column = 0;
        screen.lines[screen.row] ??= '';
      }
      if (token !== '\n') put(screen, token);
    }
  }
  return screen.lines.map((line) => line.trimEnd());
}

/** @param columns lines that are longer wrap, as on a real terminal */
export function createFakeTerminal(columns = 80): FakeTerminal {
  const written: string[] = [];
  const stream = Object.assign(new EventEmitter(), {
    isTTY: true,
    columns,
    rows: 24,
    write(text: string): boolean {
      written.push(text);
      return true;
    },
  });
  return {
    stdout: stream as unknown as NodeJS.WriteStream,
    lines: () => draw(written.join(''), columns),
    raw: () => written.join(''),
  };
}
