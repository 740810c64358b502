/** A defect that one item brings out is not the others': it is thrown when all have had their turn. */
export function eachOf<T>(items: Iterable<T>, run: (item: T) => void): void {
  const defects: unknown[] = [];
  for (const item of items) {
    try {
      run(item);
    } catch (defect) {
      defects.push(defect);
    }
  }
  if (defects.length > 0) throw defects[0];
}
