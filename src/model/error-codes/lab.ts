import type { Explanations } from './explanation.js';

/** The lab: real hosts on this machine (`provision lab`). No cluster of yours is concerned. */
export const LAB = {
  'lab-requirements': {
    why: "This machine can't run a lab: programs or rights are missing.",
    next: 'Install what is listed, or let it be done: `provision lab up --install-missing`.',
  },
  'lab-exists': {
    why: 'There is a lab of that name already.',
    next: 'Use it, or remove it: `provision lab down --name NAME`.',
  },
  'lab-unknown': {
    why: 'There is no lab of that name.',
    next: '`provision lab status` lists them; `provision lab up --name NAME` makes one.',
  },
  'lab-host-unknown': {
    why: 'The lab has no host of that name.',
    next: 'The message lists its hosts.',
  },
  'lab-host-runs': {
    why: 'A host of the lab that was to be started runs already.',
    next: 'Stop it first, or leave it.',
  },
  'lab-directory': {
    why: "The directory for a lab holds other files, or its path has characters that ssh can't read in its options.",
    next: 'Choose a new or empty one with --dir.',
  },
  'lab-busy': {
    why: 'Another process is bringing this lab up.',
    next: 'Wait for it, or stop that process; the message has its number.',
  },
  'lab-build-failed': {
    why: 'The image of the hosts could not be built, mostly for want of network, disk or a Debian mirror.',
    next: 'Read the log that the error names.',
  },
  'lab-boot-failed': {
    why: 'A host of the lab did not come up. The end of its console is shown.',
    next: 'Read the console, then remove the lab and make it again: `provision lab down --name NAME`.',
  },
  'lab-stuck': {
    why: 'Processes of a host of the lab do not end, even when killed: mostly they wait for a disk.',
    next: 'Look at them with `ps -ef`, then run the same command again.',
  },
  'lab-tool-failed': {
    why: 'A program of this machine that the lab uses (ip, mount, ssh-keygen …) failed. Its last output is shown.',
    next: 'Fix what it names, then run the same command again.',
  },
  'demo-failed': {
    why: 'A step of the demo failed. Its lab still runs.',
    next: 'Look around with the command that the error prints, then remove the lab.',
  },
} satisfies Explanations;
