/** A number for each commit, other ones for each index. @param index below 32 @param below at most 256 */
export declare function numberOfThisCommit(index: number, below: number): number;
