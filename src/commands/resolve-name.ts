import { lookup } from 'node:dns/promises';

/** The address of a name, as this machine's programs find it, IPv4 before IPv6; `undefined`: it has none. */
export async function resolveName(name: string): Promise<string | undefined> {
  try {
    const found = await lookup(name, { all: true });
    return (found.find(({ family }) => family === 4) ?? found[0])?.address;
  } catch {
    return undefined;
  }
}
