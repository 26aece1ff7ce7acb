import { z } from 'zod';

// The one source of what `certs list --format json` prints: its types, and docs/reference/certificates.md.

const certificate = z
  .strictObject({
    name: z
      .string()
      .describe(
        'What `certs renew` calls it: `etcd-1/etcd-server`; of what is not renewed by it, such as authorities of kubeadm, kubelets and copies, where it is. `ca`: the authority in the store.',
      ),
    host: z.string().nullable().describe('`null`: this machine.'),
    path: z.string(),
    kind: z
      .enum(['authority', 'leaf', 'trust', 'kubernetes'])
      .describe(
        '`trust`: an authority that the host verifies others by; `kubernetes`: of kubeadm, which renews it (`certs renew INVENTORY kubeadm`); or of a kubelet, which renews its own.',
      ),
    subject: z.string().nullable().describe('`null`: there is no readable certificate.'),
    issuer: z.string().nullable(),
    names: z.array(z.string()).describe('SANs, with their kinds: `DNS etcd-1`, `IP 10.0.0.1`.'),
    usages: z.array(z.string()).describe('Extended key usages: `server`, `client`, or OIDs; empty: every use.'),
    validFrom: z.string().nullable().describe('ISO 8601, UTC.'),
    validUntil: z.string().nullable().describe('ISO 8601, UTC.'),
    daysLeft: z.number().nullable().describe('Whole days; negative: since when it has expired.'),
    serial: z.string().nullable().describe('Hexadecimal.'),
    sha256: z.string().nullable().describe('Fingerprint.'),
    faults: z.array(z.string()).describe('Why the next plan would sign it again.'),
  })
  .describe('One certificate, in order of expiry; what is missing comes first.');

/** What `certs list --format json` prints. */
export const certificatesSchema = z.strictObject({
  formatVersion: z.literal(1),
  inventory: z.string().describe('As it was typed.'),
  certificates: z.array(certificate),
  unreachable: z
    .array(z.strictObject({ host: z.string(), message: z.string() }))
    .describe('Hosts that gave no answer.'),
});

/** One line of the list. */
export type ListedCertificate = z.infer<typeof certificate>;

/** The whole list. */
export type CertificateListing = z.infer<typeof certificatesSchema>;
