// Loaded into every child (node --import): when the benchmark dies without stopping them, they end themselves in order.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// Listening must not keep a child alive that has nothing more to do.
process.channel?.unref();
