/** As the global `fetch`, with a body that is read as one in workerd. */
export async function nodeFetch(url: string, init: RequestInit): Promise<Response> {
  return asInWorkerd(await fetch(url, init));
}

/**
 * The response with a body that ends as workerd's do: a read for more bytes than are left resolves
 * with them. A stream that follows the standard rejects such a read when it is closed already.
 */
export function asInWorkerd(response: Response): Response {
  const { status, headers } = response;
  const reader = response.body?.getReader();
  if (!reader) return response;
  const body = new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      const { done, value } = await reader.read();
      if (!done) return value.length > 0 ? controller.enqueue(new Uint8Array(value)) : undefined;
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(body, { status, headers });
}
