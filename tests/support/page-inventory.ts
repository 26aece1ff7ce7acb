import { isDeepStrictEqual } from 'node:util';
import { parse, stringify } from 'yaml';

type Said = Readonly<Record<string, unknown>>;

/**
 * An inventory with what a block of a page says in it, as a reader brings it in: variables are added, and a group has the hosts that
 * the block shows, and no others.
 * @param inventory YAML with its groups below `all`
 * @param block variables, or groups, or a whole inventory
 */
export function withBlock(inventory: string, block: string): string {
  const { all } = parse(inventory) as { readonly all: Said };
  const said = asInventory(parse(block) as Said);
  return stringify({
    all: {
      ...all,
      vars: { ...asSaid(all['vars']), ...asSaid(said['vars']) },
      children: { ...asSaid(all['children']), ...groupsOf(asSaid(all['children']), asSaid(said['children'])) },
    },
  });
}

function asSaid(value: unknown): Said {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Said) : {};
}

const OF_A_GROUP = ['hosts', 'children', 'vars'];

/** `all` of what a block says. */
function asInventory(block: Said): Said {
  if (isDeepStrictEqual(Object.keys(block), ['all'])) return asSaid(block['all']);
  const isGroup = (value: unknown): boolean => Object.keys(asSaid(value)).some((key) => OF_A_GROUP.includes(key));
  const [groups, variables] = [true, false].map((wanted) =>
    Object.fromEntries(Object.entries(block).filter(([, value]) => isGroup(value) === wanted)),
  );
  return { vars: variables, children: groups };
}

function groupsOf(old: Said, said: Said): Said {
  return Object.fromEntries(
    Object.entries(said).map(([name, value]) => {
      const [was, is] = [asSaid(old[name]), asSaid(value)];
      const members = 'hosts' in is || 'children' in is ? {} : { hosts: was['hosts'], children: was['children'] };
      return [name, { ...members, ...is, vars: { ...asSaid(was['vars']), ...asSaid(is['vars']) } }];
    }),
  );
}
