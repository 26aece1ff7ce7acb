import { DERIVED_VARIABLES } from '../../src/cluster/derived-variables.js';
import { VARIABLES } from '../../src/cluster/known-variables.js';

/** docs/reference/variables.md, written from the table that values are checked by. */
export function variablesPage(): string {
  const rows = Object.entries(VARIABLES).map(([name, variable]) => {
    const fallback =
      'fallback' in variable ? `\`${JSON.stringify(variable.fallback)}\`` : (variable.fallbackText ?? '');
    return `| \`${name}\` | ${variable.type} | ${fallback} | ${variable.description} |`;
  });
  const derived = Object.entries(DERIVED_VARIABLES).map(
    ([name, { description }]) => `| \`${name}\` | ${description} |`,
  );
  return `# Variables

Written from \`src/cluster/known-variables.ts\`; a test keeps it current (\`UPDATE_GOLDEN=1 npm run -s jest -- variables-page\`).

Set them in the inventory, in \`group_vars/\` or in \`host_vars/\`, as in Ansible. Numbers and truth values may be written
as texts, as INI inventories have to. An unknown \`etcd_*\`, \`haproxy_*\` or \`keepalived_*\` variable is an error when it
looks like a slip of one of these, else a warning.

The address by which nodes reach each other is \`ip\`, else \`access_ip\`, else \`ansible_host\` when that is an address.

| Variable | Value | Default | Meaning |
|---|---|---|---|
${rows.join('\n')}

## Provided to templates

| Variable | Meaning |
|---|---|
${derived.join('\n')}
`;
}
