/** A value that survives `JSON.stringify` and back unchanged: what inventories, plans and events are made of. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object: string keys, {@link Json} values. */
export type JsonObject = Readonly<Record<string, Json>>;
