/** Hosts whose clock is a little late accept a new certificate too; kubeadm's CertificateBackdate. Milliseconds. */
export const BACKDATE_MS = 5 * 60 * 1000;
