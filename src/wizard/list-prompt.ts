import { setTimeout as pause } from 'node:timers/promises';
import {
  createPrompt,
  isEnterKey,
  makeTheme,
  useKeypress,
  usePrefix,
  useRef,
  useState,
  type Theme,
} from '@inquirer/core';
import type { CheckResult } from './check-result.js';
import { problemLine, type WhileTyping } from './problem-line.js';

/** How long after an Enter another key still belongs to what is being pasted: a terminal sends it in pieces. */
const PASTE_MS = 50;

interface ListConfig {
  readonly message: string;
  readonly default?: readonly string[] | undefined;
  readonly split: (text: string) => readonly string[];
  readonly validate: (entries: readonly string[]) => CheckResult | Promise<CheckResult>;
  readonly whileTyping?: WhileTyping | undefined;
  readonly theme?: { readonly style: Partial<Theme['style']> };
}

/**
 * Asks for words. Those of inquirer end at the first Enter, and lose the rest of a list that is pasted with a line for
 * each.
 */
export const listPrompt = createPrompt<readonly string[], ListConfig>((config, done) => {
  const theme = makeTheme(config.theme);
  const [status, setStatus] = useState<'idle' | 'loading' | 'done'>('idle');
  const [lines, setLines] = useState<readonly string[]>([]);
  const [line, setLine] = useState('');
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const [answer, setAnswer] = useState<readonly string[]>([]);
  const keys = useRef(0);
  const prefix = usePrefix({ status, theme });

  useKeypress(async (key, rl) => {
    if (status !== 'idle') return;
    keys.current += 1;
    if (!isEnterKey(key)) {
      setLine(rl.line);
      setProblem(undefined);
      return;
    }
    const all = [...lines, line];
    const enter = keys.current;
    setLines(all);
    setLine('');
    await pause(PASTE_MS);
    if (keys.current !== enter) return;
    setStatus('loading');
    const text = all.join('\n');
    const entries = text.trim() === '' ? (config.default ?? []) : config.split(text);
    const result = await config.validate(entries);
    if (result === true) {
      setAnswer(entries);
      setStatus('done');
      done(entries);
      return;
    }
    // On one line, where all of it can be corrected.
    const shown = entries.join(' ');
    rl.write(shown);
    setLines([]);
    setLine(shown);
    setProblem(result);
    setStatus('idle');
  });

  const message = theme.style.message(config.message, status);
  if (status === 'done') return `${prefix} ${message} ${theme.style.answer(answer.join(' '))}`;
  const isEmpty = line === '' && lines.length === 0;
  const proposed =
    config.default !== undefined && isEmpty ? `${theme.style.defaultAnswer(config.default.join(' '))} ` : '';
  // Below each other, as they were pasted.
  const typed = lines.length === 0 ? line : ['', ...lines.filter((each) => each !== ''), line].join('\n  ');
  // After Enter, what it comes to is about to be said.
  const typing = status === 'idle' && line !== '' ? config.whileTyping?.([...lines, line].join('\n')) : true;
  return [`${prefix} ${message} ${proposed}${typed}`, problemLine(theme, problem, typing)];
});
