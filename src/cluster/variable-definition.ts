import type { z } from 'zod';

/** One variable that this program reads. */
export interface KnownVariable<Value> {
  readonly schema: z.ZodType<Value>;
  /** For the reference: what kind of value it is. */
  readonly type: string;
  /** For the reference: what holds when it is not set, where that is worked out. */
  readonly fallbackText?: string;
  readonly description: string;
  /** Its value is never shown. */
  readonly secret?: true;
  /** Parts of it may be secrets, which are kept out of sight by whoever reads it as a marked text. */
  readonly mayHoldSecrets?: true;
}

/** A variable with a fixed default. */
export interface DefaultedVariable<Value> extends KnownVariable<Value> {
  readonly fallback: Value;
}

/** A variable with a fixed default. */
export function defaulted<Value>(fallback: NoInfer<Value>, definition: KnownVariable<Value>): DefaultedVariable<Value> {
  return { ...definition, fallback };
}

/** A variable that may be absent. */
export function optional<Value>(definition: KnownVariable<Value>): KnownVariable<Value> {
  return definition;
}
