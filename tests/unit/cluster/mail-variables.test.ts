import { expect, test } from '@jest/globals';
import { describeCluster } from '../../../src/cluster/describe-cluster.js';
import { loadFiles } from '../../support/write-inventory.js';

async function serverOf(given: string): Promise<string | undefined> {
  const hosts = `[etcd]\na ip=192.0.2.1\nb ip=192.0.2.2\nc ip=192.0.2.3\n[all:vars]\netcd_lb_ip=192.0.2.100\nkeepalived_mail_to=ops@example.com\nkeepalived_smtp_server="${given}"\n`;
  const { services } = describeCluster(await loadFiles({ hosts }));
  return services[0]?.balancers[0]?.keepalived.mail?.server;
}

test.each(['192.0.2.25', '::1', '2001:db8::25', 'mail.example.com'])('mail is handed over to %s', async (server) => {
  expect(await serverOf(server)).toBe(server);
});

test.each(['*.example.com', '[::1]', 'mail example', '::1/128', 'x}'])('%s is no mail server', async (server) => {
  await expect(serverOf(server)).rejects.toThrow(/keepalived_smtp_server: .*expected an IP address or a DNS name/);
});
