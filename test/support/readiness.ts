import type { Program } from './program.js';
import { within } from './waiting.js';

/** Longer than the longest pause between two tries. */
const READY_DEADLINE_MS = 40_000;
const LOOK_EVERY_MS = 100;

/** Status and text of a page such as `readyz`. */
export async function page({ url }: Program, name: string): Promise<string> {
  const answer = await fetch(url.replace(/^ws(.*)\/mqtt$/, `http$1/${name}`));
  return `${answer.status} ${await answer.text()}`;
}

export function readiness(program: Program): Promise<string> {
  return page(program, 'readyz');
}

/** Resolves when it says that it is ready, or that it is not. */
export function isReady(program: Program, wanted = true): Promise<void> {
  return within(`/readyz says ${wanted}`, becomes(program, wanted ? '200' : '503'), READY_DEADLINE_MS);
}

/** The number that `/metrics` gives for a name; 0 where it has none. */
export async function metric(program: Program, name: string): Promise<number> {
  const text = await page(program, 'metrics');
  return Number(new RegExp(`^pulsegate_${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

async function becomes(program: Program, status: string): Promise<void> {
  while (!(await readiness(program)).startsWith(status)) await new Promise((again) => setTimeout(again, LOOK_EVERY_MS));
}
