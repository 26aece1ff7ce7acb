import type { Fact } from '../model/remote.js';
import { readKubeadmConfigScript } from '../shell/kubeadm-config.js';
import { readExchange } from './https-answer.js';

/** The ConfigMap kube-system/kubeadm-config, as the kube-apiserver of a host gives it. */
export type KubeadmConfig =
  /** There is no kube-apiserver, or it gives no answer. */
  | { readonly kind: 'silent'; readonly reason: string }
  /** An HTTP status that is neither 200 nor 404. */
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'absent' }
  /** `configuration`: the YAML of its key ClusterConfiguration, `''` without one. */
  | { readonly kind: 'found'; readonly configuration: string };

/** The one key of {@link kubeadmConfig}. */
export const KUBEADM_CONFIG = 'kubeadm-config';

/** Key: {@link KUBEADM_CONFIG}. What kubeadm will write into manifests at its next upgrade or join. */
export const kubeadmConfig: Fact<KubeadmConfig> = {
  name: 'kubeadm-config',
  isConfidential: true,
  script: () => `${readKubeadmConfigScript()}\nprintf '%s %s\\n' "\${pid:--}" "$(printf '%s' "$out" | base64 -w0)"`,
  parse(stdout, keys) {
    const [pid, encoded = ''] = stdout.trim().split(' ');
    const text = Buffer.from(encoded, 'base64').toString('utf8');
    const found: KubeadmConfig = pid === '-' ? { kind: 'silent', reason: 'no kube-apiserver runs' } : readAnswer(text);
    return new Map(keys.map((key) => [key, found]));
  },
};

function readAnswer(text: string): KubeadmConfig {
  const answer = readExchange(text);
  if (answer.kind === 'failure') return { kind: 'silent', reason: answer.reason };
  // What is between it and its etcd: it will answer otherwise in a moment.
  if (answer.status >= 500) return { kind: 'silent', reason: `the kube-apiserver answers ${answer.status}` };
  if (answer.status === 404) return { kind: 'absent' };
  if (answer.status !== 200) return { kind: 'refused', status: answer.status };
  const { data } = JSON.parse(answer.body) as { readonly data?: Readonly<Record<string, string>> };
  return { kind: 'found', configuration: data?.['ClusterConfiguration'] ?? '' };
}
