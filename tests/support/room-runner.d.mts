/** Which part of the lab files is dealt, of how many, and the names of those that are in every part. */
export interface Dealt {
  readonly always: readonly string[];
  readonly parts: number;
  /** From 0. */
  readonly part: number;
}

/** One part of the lab files, and those that are in every part, in the order given. */
export declare function dealOut(names: readonly string[], dealt: Dealt): readonly string[];
