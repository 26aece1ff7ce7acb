// Imports point one way (ARCHITECTURE.md, "Map"). Each rule says why it is there.
const only = (name, rooms, modules, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: '^src/', pathNot: rooms },
  to: { path: modules },
});

/** A room, and the only rooms of src/ that it may import. */
const room = (name, allowed, comment) => ({
  name: `${name}-imports`,
  comment,
  severity: 'error',
  from: { path: `^src/${name}/` },
  to: { path: '^src/', pathNot: `^src/(${[name, ...allowed].join('|')})/` },
});

const DECIDE = ['facts', 'shell', 'model'];
const RESOURCES = ['resources', 'proxies', 'gates', 'pki', ...DECIDE];
const ENGINE = ['engine', 'playbook', 'ansible', 'cluster', 'roles', ...RESOURCES];

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle has no first room to read.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-tests-in-src',
      comment: 'The product never knows its tests.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^tests/' },
    },
    {
      name: 'no-orphans',
      comment: 'A file that nobody imports is dead.',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '^src/main\\.ts$|\\.d\\.ts$' },
      to: {},
    },
    {
      name: 'model-is-the-floor',
      comment: 'The shared words depend on nothing.',
      severity: 'error',
      from: { path: '^src/model/' },
      to: { path: '^src/', pathNot: '^src/model/' },
    },
    room('shell', ['model'], 'Shell syntax needs only the words.'),
    room('facts', ['shell', 'model'], 'A fact is a question and a pure parser.'),
    room('resources', DECIDE.concat('pki'), 'A resource asks facts and decides; it acts on nothing.'),
    room('proxies', ['resources', ...DECIDE], 'What one proxy is made of; whoever uses it knows only that it is one.'),
    room('gates', ['proxies', ...DECIDE], 'A gate asks facts and judges.'),
    room('checks', RESOURCES, 'A check looks and judges, as gates and resources do, and holds nothing to act with.'),
    room(
      'diagnosis',
      ['checks', 'gates', 'pki', ...DECIDE],
      'A diagnosis looks and judges; it holds nothing to act with.',
    ),
    room(
      'adopt',
      ['checks', 'cluster', 'ansible', 'pki', ...DECIDE],
      'Adopting looks, and writes beside the inventory; it holds nothing to act with on a host.',
    ),
    room('pki', DECIDE, 'Certificates know nothing of plays.'),
    room('ansible', ['model'], 'The format knows nothing of what its values mean, and touches no host.'),
    room('cluster', ['model'], 'The meaning of an inventory is a pure function of it, whatever file it came from.'),
    room('playbook', ['ansible', 'roles', ...RESOURCES], 'A playbook becomes steps; it does not run them.'),
    room('roles', RESOURCES, 'A role is a pure function from inventory to resources.'),
    room('engine', ENGINE, 'The engine runs what the rooms below decide.'),
    room(
      'day-two',
      ['playbook', 'roles', 'checks', ...RESOURCES],
      'What is done to a running cluster becomes plays; the engine performs them.',
    ),
    room('drill', ENGINE, 'A drill looks and judges as gates do, and acts through the engine.'),
    room(
      'report',
      [...ENGINE, 'checks', 'adopt', 'day-two', 'diagnosis', 'fleet', 'wizard'],
      'Reports read events, plans, check-ups and what was found; the JSON Schemas are made of those that read.',
    ),
    room(
      'fleet',
      ['shell', 'model'],
      'A fleet is inventories and what came of each; each is worked on by a process of its own.',
    ),
    room('alerts', ['model'], 'Rules for Prometheus are text, made of what the inventory means.'),
    room('terraform', ['model'], 'A module for a cloud is text, made of what the inventory means.'),
    room('wizard', ENGINE, 'The wizard writes an inventory.'),
    room('ssh', ['shell', 'model'], 'Connections know nothing of what runs over them.'),
    room('lab', ['shell', 'model'], 'The lab makes hosts; what happens on them is not its business.'),
    only(
      'node-ssh-in-ssh',
      '^src/ssh/',
      '^node_modules/(node-ssh|ssh2)/',
      'One wrapper handles every pitfall of the library.',
    ),
    only(
      'prompts-in-wizard',
      '^src/wizard/',
      '^node_modules/(inquirer|@inquirer/[^/]+)/',
      'Questions are asked in one room.',
    ),
    only(
      'opentelemetry-in-telemetry',
      '^src/report/telemetry/',
      '^node_modules/@opentelemetry/',
      'What is said to a collector is said in one place, by a closed list of attributes, and loaded only where one is named.',
    ),
    only('listr2-in-report', '^src/report/', '^node_modules/listr2/', 'Progress is drawn in one room.'),
    only(
      'x509-in-pki',
      '^src/pki/',
      '^node_modules/(@peculiar/x509|reflect-metadata|age-encryption)/',
      'Keys are handled in one room.',
    ),
    only(
      'files-in-loaders',
      '^src/(ansible|playbook|pki|ssh|lab|commands|adopt/variable-files|fleet/find-clusters|day-two/(?:snapshot-(?:file|store)|release-file)|report/journal|engine/saved-plan|model/(?:read-bounded|package-root|process-mark)|main\\.ts)',
      '^(node:)?fs(/promises)?$',
      'Only loaders, what is written beside the inventory, the PKI store, the lab, what finds files of this program and what knows a process by /proc touch the disk: planning stays pure.',
    ),
    only(
      'processes-in-lab-and-ssh',
      '^src/(lab|ssh|commands)/',
      '^(node:)?child_process$',
      'Only the lab, and ssh for `ssh -G` and proxies, start processes.',
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
