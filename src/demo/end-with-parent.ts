// Loaded into every child of the demo (node --import): when the demo dies without stopping its children, as under kill -9,
// they end themselves in the orderly way.
process.once('disconnect', () => {
  process.stderr.write('the demo has ended: stopping\n');
  process.kill(process.pid, 'SIGTERM');
});
// Listening for the end of the channel must not keep a child alive that has nothing more to do.
process.channel?.unref();
