// One sandbox of a function: runs a bundled handler for one event after another, as Lambda does. `node sandbox.cjs HANDLER.cjs`
const { handler } = require(process.argv[2]);

process.on('message', async ({ id, event }) => {
  try {
    process.send({ id, result: await handler(event) });
  } catch (error) {
    process.send({ id, error: String(error) });
  }
});
process.on('disconnect', () => process.exit(0));
