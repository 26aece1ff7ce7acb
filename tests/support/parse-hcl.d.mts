/**
 * What HCL says, as Terraform's own parser reads it: blocks by type and labels, each a list; expressions as `${…}`.
 * @throws with line and column
 */
export declare function parseHcl(name: string, text: string): Promise<Readonly<Record<string, unknown>>>;
