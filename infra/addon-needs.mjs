import { readFileSync } from 'node:fs';

/** The newest of each that Lambda has: its systems from nodejs20.x on are Amazon Linux 2023, with glibc 2.34 and the libraries of GCC 11. */
const VERSIONS = { GLIBC: '2.34', GLIBCXX: '3.4.29', CXXABI: '1.3.13', GCC: '7.0.0' };
const LIBRARIES = /^(ld-linux-(x86-64|aarch64)|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+))\.so\.\d+$/;
const MACHINES = { 62: 'x86_64', 183: 'arm64' };

/** Why an addon would not load in a function of this architecture, a line each; none: it will. */
export function addonProblems(file, architecture) {
  const needs = addonNeeds(file);
  if (needs === null) return [`${file} is no shared object for 64-bit Linux`];
  const problems = [];
  if (needs.architecture !== architecture)
    problems.push(`it is for ${needs.architecture}, the functions for ${architecture}`);
  for (const [name, version] of Object.entries(needs.versions)) {
    const there = VERSIONS[name];
    if (isNewer(version, there)) problems.push(`it needs ${name}_${version}, and Lambda has ${name}_${there}`);
  }
  const missing = needs.libraries.filter((library) => !LIBRARIES.test(library));
  if (missing.length > 0)
    problems.push(`it needs ${missing.join(', ')}, which Lambda does not have: link them statically`);
  return problems;
}

/** What a shared object asks of the system that loads it, by its ELF tables; null: it is none. */
export function addonNeeds(file) {
  const bytes = readFileSync(file);
  // 64 bits, little-endian.
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46 || bytes.readUInt16BE(4) !== 0x0201) return null;
  const sections = sectionsOf(bytes);
  const libraries = [];
  const versions = {};
  for (const { type, start, size, link } of sections) {
    const text = (offset) => textAt(bytes, sections[link].start + offset);
    if (type === DYNAMIC) {
      for (let at = start; at < start + size; at += 16) {
        if (bytes.readBigUInt64LE(at) === NEEDED) libraries.push(text(Number(bytes.readBigUInt64LE(at + 8))));
      }
    } else if (type === VERSIONS_NEEDED) {
      for (const name of versionsAt(bytes, start)) {
        const [, of, version] = /^([A-Z]+)_(\d[\d.]*)$/.exec(text(name).replace(RELATIVE, 'GLIBC_2.36')) ?? [];
        if (of in VERSIONS && isNewer(version, versions[of] ?? '0')) versions[of] = version;
      }
    }
  }
  const machine = bytes.readUInt16LE(18);
  return { architecture: MACHINES[machine] ?? `machine ${machine}`, libraries, versions };
}

const DYNAMIC = 6;
const VERSIONS_NEEDED = 0x6ffffffe;
const NEEDED = 1n;
/** By which glibc says that it takes packed relocations. */
const RELATIVE = 'GLIBC_ABI_DT_RELR';

function sectionsOf(bytes) {
  const table = Number(bytes.readBigUInt64LE(40));
  const entrySize = bytes.readUInt16LE(58);
  return Array.from({ length: bytes.readUInt16LE(60) }, (_, index) => {
    const at = table + index * entrySize;
    const [start, size] = [at + 24, at + 32].map((place) => Number(bytes.readBigUInt64LE(place)));
    return { type: bytes.readUInt32LE(at + 4), start, size, link: bytes.readUInt32LE(at + 40) };
  });
}

/** Offsets of the names of versions, a list for each library in a list of libraries. */
function* versionsAt(bytes, start) {
  for (let library = start; ; ) {
    let version = library + bytes.readUInt32LE(library + 8);
    for (let left = bytes.readUInt16LE(library + 2); left > 0; left -= 1) {
      yield bytes.readUInt32LE(version + 8);
      version += bytes.readUInt32LE(version + 12);
    }
    const next = bytes.readUInt32LE(library + 12);
    if (next === 0) return;
    library += next;
  }
}

function textAt(bytes, at) {
  return bytes.toString('latin1', at, bytes.indexOf(0, at));
}

function isNewer(version, than) {
  const [left, right] = [version, than].map((text) => text.split('.').map(Number));
  const at = left.findIndex((part, index) => part !== (right[index] ?? 0));
  return at >= 0 && left[at] > (right[at] ?? 0);
}
