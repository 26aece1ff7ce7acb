import type { Probe } from '../model/remote.js';
import { askText } from './file-content.js';

/** Where kubeadm lets the kubelet have its configuration. */
export const KUBELET_CONFIG = '/var/lib/kubelet/config.yaml';

/**
 * A field of one word in the kubelet's configuration, of the top level alone, as kubeadm and the kubelet write it; `undefined` where it
 * is not there, or no kubelet is set up.
 */
export async function kubeletField(probe: Probe, name: 'cgroupDriver' | 'failSwapOn'): Promise<string | undefined> {
  const text = (await askText(probe, KUBELET_CONFIG)) ?? '';
  return new RegExp(`^["']?${name}["']?: *["']?(\\w+)["']?,? *$`, 'm').exec(text)?.[1];
}
