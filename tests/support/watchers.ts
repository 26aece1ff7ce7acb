import { waitUntil } from '../../src/lab/process.js';
import { kubectl } from './kubernetes-cluster.js';
import type { TestLab } from './lab.js';
import { must } from './main-job.js';

/** What a client saw that watches the ConfigMaps of the default namespace through one API server. */
export interface Watched {
  readonly host: string;
  /** The objects that it was told of. */
  readonly names: ReadonlySet<string>;
  /** How often it was let in: once at its beginning, and once for each time that its watch had ended. */
  readonly begun: number;
}

/** A client that watches. */
export interface Watcher {
  /** Waits until it was told of these objects, two minutes at most, and ends it. */
  stop(awaited: readonly string[]): Promise<Watched>;
}

const TOLD = '/run/watch.told';
const STOP = '/run/watch.stop';

/** As clients do, it lists and watches again when the watch has ended. */
const WATCH = `rm -f ${TOLD} ${STOP}
while [ ! -e ${STOP} ]; do
  echo begin >> ${TOLD}
  ${kubectl(`--server="https://$(hostname):6443" get configmaps --watch -o name`)} >> ${TOLD} 2> /dev/null &
  while kill -0 $! && [ ! -e ${STOP} ]; do sleep 0.2; done 2> /dev/null
  kill $! 2> /dev/null
  wait
done`;

/** Begins to watch through the API server of a control plane alone. It has been told of something when this returns. */
export async function startWatcher(lab: TestLab, host: string): Promise<Watcher> {
  const ended = lab.ssh(host, WATCH);
  const told = async (): Promise<Watched> => {
    const blocks = (await must(lab.ssh(host, `cat ${TOLD}`))).split('begin\n').map((block) => block.split('\n'));
    const names = blocks.map((lines) => lines.flatMap((line) => /^configmap\/(.+)$/.exec(line)?.[1] ?? []));
    return { host, names: new Set(names.flat()), begun: names.filter((block) => block.length > 0).length };
  };
  const hasBegun = async (): Promise<boolean> => (await lab.ssh(host, `grep -q ^configmap/ ${TOLD}`)).status === 0;
  if (!(await waitUntil(hasBegun, 60_000, 200))) throw new Error(`${host}: the watch does not begin`);
  return {
    stop: async (awaited) => {
      await waitUntil(async () => unseen(await told(), awaited).length === 0, 120_000, 500);
      await must(lab.ssh(host, `touch ${STOP}`));
      await must(ended);
      return told();
    },
  };
}

/** The objects that a watcher was not told of. */
export function unseen({ names }: Pick<Watched, 'names'>, awaited: readonly string[]): readonly string[] {
  return awaited.filter((name) => !names.has(name));
}
