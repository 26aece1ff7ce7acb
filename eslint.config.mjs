import tseslint from 'typescript-eslint';

// What a person names may be a pipe, or have no end.
const unboundedReads = [
  { name: 'node:fs/promises', importNames: ['readFile'] },
  { name: 'node:fs', importNames: ['readFile', 'readFileSync'] },
].map((each) => ({ ...each, message: 'Read with readBounded or readTextBounded (src/model/read-bounded.ts).' }));

const unboundedYaml = {
  name: 'yaml',
  importNames: ['default', 'parse', 'parseDocument', 'parseAllDocuments', 'Parser', 'Composer', 'Lexer', 'CST'],
  message: 'Parse with parseBoundedYaml (src/model/bounded-yaml.ts): the library itself has no bounds.',
};

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'fixtures/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // It does not end for a type that holds itself and a class (8.73.0), as rendered values do.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: false }],
      'func-style': ['error', 'declaration', { allowArrowFunctions: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Use a union of string literals.' },
        { selector: 'ExportDefaultDeclaration', message: 'Export by name, so that one name is used everywhere.' },
      ],
    },
  },
  {
    // The streams of the process are handed out in main.ts, and drawn on in report/: all else writes through TextOutput,
    // which lets no escape sequence of a host pass.
    files: ['src/**/*.ts'],
    ignores: ['src/main.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        ...['stdout', 'stderr'].map((property) => ({
          object: 'process',
          property,
          message: 'Write through TextOutput (report/text-output.ts): it makes what hosts say safe for a terminal.',
        })),
      ],
    },
  },
  {
    // `context.streams` has the terminal itself: only what draws on it gets it.
    files: ['src/commands/**/*.ts'],
    ignores: ['src/commands/run.ts', 'src/commands/run-init.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Use a union of string literals.' },
        { selector: 'ExportDefaultDeclaration', message: 'Export by name, so that one name is used everywhere.' },
        {
          selector: 'MemberExpression[property.name="streams"]',
          message: 'Write through context.stdout or context.stderr: they make what hosts say safe for a terminal.',
        },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/model/bounded-yaml.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [...unboundedReads, unboundedYaml],
        },
      ],
    },
  },
  {
    // What these read is this program's own: the lab's state, its package, the kernel's answers.
    files: ['src/lab/**/*.ts', 'src/model/process-mark.ts', 'src/commands/shipped-playbooks.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: [unboundedYaml] }] },
  },
  {
    files: ['tests/**/*.ts'],
    rules: { 'max-lines-per-function': 'off', 'max-lines': 'off', '@typescript-eslint/require-await': 'off' },
  },
  {
    // What a test makes in the machine's temporary directory is gone after its file, or fails the run.
    files: ['tests/**/*.ts'],
    ignores: ['tests/support/temporary-directory.ts', 'tests/mutation/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: ['node:fs', 'node:fs/promises'].map((name) => ({
            name,
            importNames: ['mkdtemp', 'mkdtempSync', 'mkdtempDisposable', 'mkdtempDisposableSync'],
            message: 'Call temporaryDirectory (tests/support/temporary-directory.ts).',
          })),
        },
      ],
    },
  },
);
