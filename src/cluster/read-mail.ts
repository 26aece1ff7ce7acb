import type { Host } from '../model/inventory.js';
import { isAddress } from '../model/ip.js';
import type { MailSettings } from '../model/virtual-service.js';
import type { VariableReader } from './variable-reader.js';

/** Whom the keepalived of a host writes to; nobody by default. */
export function readMail(host: Host, reader: VariableReader): MailSettings | undefined {
  const to = reader.readOr(host, 'keepalived_mail_to');
  if (to.length === 0) return undefined;
  const domain = isAddress(host.name) ? 'localhost' : host.name;
  return {
    to,
    from: reader.read(host, 'keepalived_mail_from') ?? `keepalived@${domain}`,
    server: reader.readOr(host, 'keepalived_smtp_server'),
    port: reader.readOr(host, 'keepalived_smtp_port'),
  };
}
