import type { BuildOptions, Metafile } from 'esbuild';

export function buildProgram(directory: string, options?: BuildOptions): Promise<Metafile>;
