/** Which part of the files is dealt, of how many, and ends of paths of the files that are in every part. */
export interface Dealt {
  readonly always: readonly string[];
  readonly parts: number;
  /** From 0. */
  readonly part: number;
}

/** One part of the files, and those that are in every part, in the order given. */
export declare function dealOut(paths: readonly string[], dealt: Dealt): readonly string[];
