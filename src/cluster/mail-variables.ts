import { defaulted, optional } from './variable-definition.js';
import { listOf, nameOrAddress, text, wholeNumber } from './variable-kinds.js';

/** What keepalived takes as one word of its configuration, and an SMTP server as one address. */
const ADDRESS = /^[^\s"'!#{}<>,;@\\\p{Cc}]+@[^\s"'!#{}<>,;@\\\p{Cc}]+$/u;

const address = text('a mail address such as ops@example.com', ADDRESS);

/** Mail on a change of the virtual IP; none by default. */
export const MAIL_VARIABLES = {
  keepalived_mail_to: defaulted([], {
    schema: listOf(address, 'a list of mail addresses'),
    type: 'list of mail addresses',
    description: 'Who gets a mail from keepalived when a host takes a virtual IP, gives it up, or may not hold it.',
  }),
  keepalived_mail_from: optional({
    schema: address,
    type: 'mail address',
    fallbackText: 'keepalived@ and the host',
    description: 'Sender of these mails.',
  }),
  keepalived_smtp_server: defaulted('127.0.0.1', {
    schema: nameOrAddress(),
    type: 'IP address or name',
    description: 'Where keepalived hands mails over, without TLS and login: best a mail server of the host itself.',
  }),
  keepalived_smtp_port: defaulted(25, {
    schema: wholeNumber(1, 65_535),
    type: 'port',
    description: 'Its port.',
  }),
} as const;
