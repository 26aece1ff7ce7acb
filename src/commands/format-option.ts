import { Option } from 'commander';

/**
 * `--format`. `auto`: a live display where that is possible, else text.
 * @param holds what is printed as JSON
 */
export function formatOption(holds: 'one object' | 'one event a line'): Option {
  const description = `text, or json: ${holds}`;
  return new Option('--format <format>', description).choices(['auto', 'text', 'json']).default('auto');
}
