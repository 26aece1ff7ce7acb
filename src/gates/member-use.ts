/** Who is still sent to a member that leaves. */
export interface Use {
  readonly text: string;
  /** What to type next. */
  readonly next: string;
}

/** Whether a URL leads to a member that leaves. */
export type IsLeaving = (url: string) => boolean;
