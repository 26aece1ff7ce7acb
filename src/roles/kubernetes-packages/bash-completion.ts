import { fileOrigin } from '../../facts/file-origin.js';
import { fileState } from '../../facts/file-state.js';
import { UNCHANGED, type Resource } from '../../model/change.js';
import { plainContent } from '../../model/content.js';
import { directory } from '../../resources/directory.js';
import { file } from '../../resources/file.js';

/** Where bash-completion looks for what the administrator of a host adds, at the first Tab after a command. */
const COMPLETIONS = '/usr/local/share/bash-completion/completions';

const OWNED = { owner: 'root', group: 'root' } as const;

/**
 * Completion of kubectl and kubeadm for bash. Each says its own, so that it goes with the version that is there. What an administrator has
 * there stays.
 */
export function bashCompletion(): readonly Resource[] {
  return [
    ...[COMPLETIONS.replace(/\/[^/]*$/, ''), COMPLETIONS].map((path) =>
      unlessThere(path, directory({ path, ...OWNED, mode: '0755' })),
    ),
    ...['kubectl', 'kubeadm'].map((name) => {
      const path = `${COMPLETIONS}/${name}`;
      const content = plainContent(`# Written by provision.\n. <(${name} completion bash)\n`);
      return unlessForeign(path, file({ path, content, ...OWNED, mode: '0644' }));
    }),
  ];
}

function unlessThere(path: string, resource: Resource): Resource {
  return {
    ...resource,
    async plan(probe) {
      const [outcome, { kind }] = await Promise.all([resource.plan(probe), probe.ask(fileState, path)]);
      return kind === 'absent' ? outcome : UNCHANGED;
    },
  };
}

function unlessForeign(path: string, resource: Resource): Resource {
  return {
    ...resource,
    async plan(probe) {
      const { kind } = await probe.ask(fileState, path);
      if (kind !== 'absent' && (await probe.ask(fileOrigin, path)).kind === 'foreign') return UNCHANGED;
      return resource.plan(probe);
    },
  };
}
