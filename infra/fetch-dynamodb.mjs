// `node infra/fetch-dynamodb.mjs`: puts the official DynamoDB Local where the tests look for it, unless it is there. It needs
// Maven, whose own settings say where packages come from. Prints the folder of its jars.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const VERSION = '2.6.1';
const CACHE = join(homedir(), '.cache', 'pulsegate');
const FETCH_MAX_MS = 180_000;
const POM = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>pulsegate</groupId>
  <artifactId>dynamodb-local</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>com.amazonaws</groupId>
      <artifactId>DynamoDBLocal</artifactId>
      <version>${VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;

console.log(fetched());

/** The folder of DynamoDB Local's jars, fetched or found; throws what Maven said. */
function fetched() {
  const folder = join(CACHE, `dynamodb-local-${VERSION}`);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, 'fetching-'));
  try {
    writeFileSync(join(work, 'pom.xml'), POM);
    const args = ['-q', '-B', '-f', join(work, 'pom.xml'), 'dependency:copy-dependencies'];
    const run = spawnSync('mvn', [...args, `-DoutputDirectory=${join(work, 'lib')}`, '-DincludeScope=runtime'], {
      encoding: 'utf8',
      timeout: FETCH_MAX_MS,
    });
    if (run.error) throw run.error;
    if (run.status !== 0) throw new Error(`mvn: ${`${run.stdout}${run.stderr}`.trim().slice(0, 500)}`);
    moveInto(join(work, 'lib'), folder);
    return folder;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The folder appears whole or not at all; of two that fetch at once either's will do. */
function moveInto(from, folder) {
  try {
    renameSync(from, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}
