/** What needs room on a host, and where. */
export interface DiskRoom {
  /** Begins the message: `a snapshot needs`. */
  readonly subject: string;
  /** How many bytes; or a word of the shell that has KiB. */
  readonly bytes: number | { readonly kib: string };
  /** A word of the shell: the directory, on whose file system the room must be. */
  readonly at: string;
  /** How the message names the place: `in /var/lib/provision`. */
  readonly place: string;
}

/** Lines that end the script with a message where the room is missing. They use `refuse`, of `DIRECTORY_FUNCTIONS`. */
export function needRoomLines({ subject, bytes, at, place }: DiskRoom): readonly string[] {
  const kib = typeof bytes === 'number' ? String(Math.ceil(bytes / 1024)) : bytes.kib;
  return [
    `free=$(df -Pk ${at} | awk 'NR == 2 { print $4 }')`,
    `[ "$free" -ge ${kib} ] || refuse "${subject} ${kib} KiB ${place}, and $free are free"`,
  ];
}
