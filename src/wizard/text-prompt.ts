import {
  createPrompt,
  isBackspaceKey,
  isEnterKey,
  isTabKey,
  makeTheme,
  useKeypress,
  usePrefix,
  useState,
  type Theme,
} from '@inquirer/core';
import type { CheckResult } from './check-result.js';
import { problemLine, type WhileTyping } from './problem-line.js';

interface TextConfig {
  readonly message: string;
  readonly default?: string | undefined;
  readonly validate: (text: string) => CheckResult | Promise<CheckResult>;
  readonly whileTyping?: WhileTyping | undefined;
  readonly theme?: { readonly style: Partial<Theme['style']> };
}

/**
 * Asks for a line. That of inquirer checks at Enter alone, and has no place below the line for what is wrong before. Its keys are the
 * same: Tab takes what is proposed to be edited, Backspace on an empty line takes the proposal away.
 */
export const textPrompt = createPrompt<string, TextConfig>((config, done) => {
  const theme = makeTheme(config.theme);
  const [status, setStatus] = useState<'idle' | 'loading' | 'done'>('idle');
  const [proposed, setProposed] = useState(config.default ?? '');
  const [line, setLine] = useState('');
  const [refused, setRefused] = useState<string | undefined>(undefined);
  const prefix = usePrefix({ status, theme });

  useKeypress(async (key, rl) => {
    if (status !== 'idle') return;
    if (isEnterKey(key)) {
      const answer = line === '' ? proposed : line;
      setStatus('loading');
      const result = await config.validate(answer);
      if (result === true) {
        setLine(answer);
        setStatus('done');
        done(answer);
        return;
      }
      // Readline has emptied its line; this one is to be corrected.
      rl.write(line);
      setRefused(result);
      setStatus('idle');
    } else if (isBackspaceKey(key) && line === '') setProposed('');
    else if (isTabKey(key) && line === '') {
      setProposed('');
      rl.clearLine(0);
      rl.write(proposed);
      setLine(proposed);
    } else {
      setLine(rl.line);
      setRefused(undefined);
    }
  });

  const message = theme.style.message(config.message, status);
  if (status === 'done') return `${prefix} ${message} ${theme.style.answer(line)}`;
  const hint = proposed !== '' && line === '' ? `${theme.style.defaultAnswer(proposed)} ` : '';
  const typing = status === 'idle' ? config.whileTyping?.(line) : true;
  return [`${prefix} ${message} ${hint}${line}`, problemLine(theme, refused, typing)];
});
