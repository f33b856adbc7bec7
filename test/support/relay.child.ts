// Sends HTTP requests for another process from the network namespace that this one runs in; see relay.ts.
process.on('message', async (asked: { id: number; method: string; url: string; headers: Record<string, string>; body?: string }) => {
  try {
    const response = await fetch(asked.url, {
      method: asked.method,
      headers: asked.headers,
      ...(asked.body !== undefined && { body: asked.body }),
      redirect: 'manual',
      signal: AbortSignal.timeout(30_000),
    });
    process.send?.({ id: asked.id, status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() });
  } catch (error) {
    const cause = (error as { cause?: { code?: string } }).cause?.code;
    process.send?.({ id: asked.id, failed: cause ?? String(error) });
  }
});
process.on('disconnect', () => process.exit(0));
