import { run, type Ended } from './lab.js';

/**
 * Signs requests by the very command that `provision ca request` printed.
 * @param store the PKI store, where the command is to be run
 * @param caKey path of the authority's key, which takes the place of `CA.KEY`
 */
export async function signAsPrinted({ stdout }: Ended, store: string, caKey: string): Promise<Ended> {
  const printed = /^for name in [^]*?\ndone$/m.exec(stdout)?.[0] ?? 'no command was printed; false';
  return run(['sh', '-c', `cd '${store}' && ${printed.replace('CA.KEY', `'${caKey}'`)}`]);
}
