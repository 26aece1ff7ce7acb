import { CONNECTION_VARIABLES } from '../../src/ansible/connection-variables.js';

/** docs/reference/connection.md, written from the table by which variables are refused. */
export function connectionPage(): string {
  const rows = CONNECTION_VARIABLES.map(
    ({ names, effect, note }) => `| ${names.map((name) => `\`${name}\``).join(', ')} | ${effect} | ${note} |`,
  );
  return `# Connection variables

Written from \`src/ansible/connection-variables.ts\`; a test keeps it current (\`UPDATE_GOLDEN=1 npm run -s jest -- connection-page\`).

All variables that Ansible documents for its connection plugin \`ssh\` and its become plugin \`sudo\`. Where several names
are given, the first that is set counts. Environment variables of Ansible (\`ANSIBLE_SSH_ARGS\`) and \`ansible.cfg\` are not read.

Commands run in one fixed environment, whatever the login shell or sudo sets: PATH with the sbin directories, \`LC_ALL=C\`,
umask 022, HOME, USER and LOGNAME of the user. Only apt gets the host's \`http_proxy\`, \`https_proxy\` and \`no_proxy\`.

| Variable | Here | |
|---|---|---|
${rows.join('\n')}
`;
}
