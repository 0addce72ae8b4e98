// Listening, and ending in good order.

/** Listens on this machine only, until it is told to stop. */
export function listen(server, port, name) {
  server.once('error', (error) => {
    const isTaken = error.code === 'EADDRINUSE';
    console.error(`${name}: ${isTaken ? `port ${port} is taken by another program` : error.message}.`);
    process.exit(1);
  });
  server.listen(port, '127.0.0.1', () => console.log(`${name}: listening on http://127.0.0.1:${port}`));
  const stop = () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // Whoever started this program is gone, and nobody else would end it.
  process.once('disconnect', stop);
}
