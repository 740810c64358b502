/** Connections being opened at a time. */
const AT_ONCE = 64;

/** Opens so many, some at a time; in their order. */
export async function openMany<T>(count: number, open: (index: number) => Promise<T>): Promise<T[]> {
  const opened: T[] = [];
  let next = 0;
  const openNext = async () => {
    for (let i = next++; i < count; i = next++) opened[i] = await open(i);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, openNext));
  return opened;
}
