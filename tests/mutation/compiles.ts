import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ts from 'typescript';
import { plant, type Mutant } from './mutant.js';

/** The compiler, with at most one file that has a mutant in it. */
function makeService(): { readonly plant: (file: string, text: string) => void; readonly service: ts.LanguageService } {
  const read = ts.readConfigFile('tsconfig.json', (file) => readFileSync(file, 'utf8'));
  const { options, fileNames } = ts.parseJsonConfigFileContent(read.config, ts.sys, '.');
  const planted = { file: '', text: '', version: 0 };
  const host: ts.LanguageServiceHost = {
    getCompilationSettings: () => options,
    // What is planted may stand in a tool of the tests, too.
    getScriptFileNames: () =>
      fileNames.map((file) => resolve(file)).filter((file) => file.includes('/src/') || file === planted.file),
    getScriptVersion: (file) => (file === planted.file ? String(planted.version) : '0'),
    getScriptSnapshot: (file) => {
      const text = file === planted.file ? planted.text : ts.sys.readFile(file);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => process.cwd(),
    getDefaultLibFileName: (settings) => ts.getDefaultLibFilePath(settings),
    fileExists: (file) => ts.sys.fileExists(file),
    readFile: (file) => ts.sys.readFile(file),
    directoryExists: (directory) => ts.sys.directoryExists(directory),
    getDirectories: (directory) => ts.sys.getDirectories(directory),
  };
  return {
    plant: (file, text) => Object.assign(planted, { file, text, version: planted.version + 1 }),
    service: ts.createLanguageService(host, ts.createDocumentRegistry()),
  };
}

let made: ReturnType<typeof makeService> | undefined;

/** A file with its types, as it is; `undefined` where it is none that is compiled. @param file from the top of the repository */
export function typed(file: string): { readonly source: ts.SourceFile; readonly checker: ts.TypeChecker } | undefined {
  made ??= makeService();
  const program = made.service.getProgram();
  const source = program?.getSourceFile(resolve(file));
  return program === undefined || source === undefined ? undefined : { source, checker: program.getTypeChecker() };
}

/** Whether a mutant gets past the compiler: what doesn't is noticed before any test runs. */
export function compiles(mutant: Mutant): boolean {
  if (mutant.when === 'data' || mutant.became.includes('firstOf(')) return true;
  made ??= makeService();
  const file = resolve(mutant.file);
  made.plant(file, plant(readFileSync(file, 'utf8'), mutant));
  return [...made.service.getSyntacticDiagnostics(file), ...made.service.getSemanticDiagnostics(file)].length === 0;
}
