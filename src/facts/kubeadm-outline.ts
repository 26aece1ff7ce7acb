import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** The kubeadm of a host. */
export interface KubeadmOutline {
  /** `v1.20.2`. */
  readonly version: string;
  /** The image of pods' sandboxes that goes with it. */
  readonly sandboxImage: string;
}

/** Key: a repository of images. `undefined` where there is no kubeadm. Both without asking the internet for a newer version. */
export const kubeadmOutline: Fact<KubeadmOutline | undefined> = {
  name: 'kubeadm-outline',
  script: (repositories) =>
    [
      'version=$(kubeadm version -o short 2>/dev/null)',
      `printf 'V %s\\n' "$version"`,
      ...repositories.map(
        (repository) =>
          `[ -z "$version" ] || printf 'I %s\\n' "$(kubeadm config images list --kubernetes-version "$version" --image-repository ${quote(repository)} 2>/dev/null | grep /pause:)"`,
      ),
      ':',
    ].join('\n'),
  parse(stdout, repositories) {
    const [, version] = /^V (.*)$/m.exec(stdout) ?? [];
    if (version === undefined) throw new Error('no version came back');
    const images = [...stdout.matchAll(/^I (\S+)$/gm)].map(([, image = '']) => image);
    return new Map(
      repositories.map((repository, index) => {
        if (version === '') return [repository, undefined];
        const sandboxImage = images[index];
        if (!/^v\d+\.\d+\.\d+/.test(version) || sandboxImage === undefined) throw new Error('no image came back');
        return [repository, { version, sandboxImage }];
      }),
    );
  },
};
