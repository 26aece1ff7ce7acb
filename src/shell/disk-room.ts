/** What needs room on a host, and where. */
export interface DiskRoom {
  /** Begins the message: `a snapshot needs`. */
  readonly subject: string;
  readonly bytes: number;
  /** A word of the shell: the directory, on whose file system the room must be. */
  readonly at: string;
  /** How the message names the place: `in /var/lib/provision`. */
  readonly place: string;
}

/** Lines that end the script with a message where the room is missing. They use `refuse`, of `DIRECTORY_FUNCTIONS`. */
export function needRoomLines({ subject, bytes, at, place }: DiskRoom): readonly string[] {
  const kib = Math.ceil(bytes / 1024);
  return [
    `free=$(df -Pk ${at} | awk 'NR == 2 { print $4 }')`,
    `[ "$free" -ge ${kib} ] || refuse "${subject} ${kib} KiB ${place}, and $free are free"`,
  ];
}
