import type { Fact } from '../model/remote.js';
import { parseProgramProcesses, programProcessesScript, type ProgramProcess } from './program-processes.js';

/** A running kube-apiserver. */
export type ApiserverProcess = ProgramProcess;

/** The one key of {@link apiserverProcesses}. */
export const APISERVER = 'kube-apiserver';

/** Key: {@link APISERVER}. Every kube-apiserver of the host, as a static pod or not. */
export const apiserverProcesses: Fact<readonly ApiserverProcess[]> = {
  name: 'apiserver-processes',
  isConfidential: true,
  script: () => programProcessesScript(APISERVER),
  parse(stdout, keys) {
    const processes = parseProgramProcesses(stdout);
    return new Map(keys.map((key) => [key, processes]));
  },
};
