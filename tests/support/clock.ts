/** A clock that goes on by a second each time it is read. @param start milliseconds since 1970 */
export function tickingClock(start: number): () => Date {
  let time = start;
  return () => {
    time += 1000;
    return new Date(time);
  };
}
