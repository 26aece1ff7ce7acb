// Terraform's own HCL parser, as WebAssembly.
import { parse } from '@cdktn/hcl2json';

export async function parseHcl(name, text) {
  return parse(name, text);
}
