import { createPrompt, useEffect, usePrefix, useRef, useState } from '@inquirer/core';

/** How many hosts are in sight at once; those that are done make room. */
const LINES = 15;

interface WatchConfig {
  readonly message: string;
  readonly hosts: readonly string[];
  readonly work: (tell: (host: string, state: string) => void) => Promise<void>;
}

/** Shows how far each host is, until the work has ended. A prompt, so that Escape and Ctrl-C mean here what they mean elsewhere. */
export const watchPrompt = createPrompt<'done', WatchConfig>(({ message, hosts, work }, done) => {
  const [status, setStatus] = useState<'loading' | 'done'>('loading');
  const [states, setStates] = useState<ReadonlyMap<string, string>>(new Map());
  const latest = useRef(new Map<string, string>());
  const prefix = usePrefix({ status });
  useEffect(() => {
    let isOver = false;
    void work((host, state) => {
      latest.current.set(host, state);
      if (!isOver) setStates(new Map(latest.current));
    }).finally(() => {
      if (isOver) return;
      setStatus('done');
      done('done');
    });
    return () => {
      isOver = true;
    };
  }, []);
  if (status === 'done') return `${prefix} ${message}`;
  const busy = hosts.filter((host) => hosts.length <= LINES || !(states.get(host) ?? '').startsWith('✔'));
  const more = busy.length - LINES;
  const lines = busy.slice(0, LINES).map((host) => `  ${host}: ${states.get(host) ?? 'waiting'}`);
  return [`${prefix} ${message}`, ...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join('\n');
});
