/** One wrong line that was planted. */
export interface Mutant {
  /** Unique within a run. */
  readonly id: number;
  /** Path from the top of the repository. */
  readonly file: string;
  /** Counts from 1. */
  readonly line: number;
  /** What kind of slip it is: `boundary`, `dropped statement`, … */
  readonly kind: string;
  /** Characters of the file that are replaced. */
  readonly start: number;
  readonly end: number;
  readonly was: string;
  readonly became: string;
  /** `load`: runs while its module is loaded, so that the module must be loaded anew to try it. `data`: no TypeScript. */
  readonly when: 'call' | 'load' | 'data';
}

/** A mutant before it has a number. */
export type Slip = Omit<Mutant, 'id' | 'file' | 'line'>;

/** A file's text with the mutant in it. */
export function plant(text: string, { start, end, became }: Pick<Mutant, 'start' | 'end' | 'became'>): string {
  return text.slice(0, start) + became + text.slice(end);
}
