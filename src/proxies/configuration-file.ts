import type { Resource } from '../model/change.js';
import { configurationMode, type Content } from '../model/content.js';
import type { Balancer } from '../model/virtual-service.js';
import { file } from '../resources/file.js';
import { BESIDE } from './proxy.js';

/**
 * The configuration of a proxy, accepted by the program of its own host before it lands.
 * @param validate shell command that must accept the staged file (`"$1"`)
 */
export function configurationFile({ proxy, replaceFiles }: Balancer, content: Content, validate: string): Resource {
  return file({
    path: proxy.configFile,
    content,
    owner: 'root',
    group: 'root',
    // A proxy reads it as root, before it drops its privileges.
    mode: configurationMode(content),
    validate,
    foreign: { replace: replaceFiles, wayOut: BESIDE },
  });
}
