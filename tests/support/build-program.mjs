// Before the rooms that run this program as a process: the program in dist/, as `npm run build` has it there. Loaded through tsx, every
// run of it would compile again what the tests changed nothing of, for a second of processor time.
import { buildProgram } from '../../build.mjs';

export default () => buildProgram('dist');
