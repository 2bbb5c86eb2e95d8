import type { Context } from 'hono';
import * as v from 'valibot';
import { failed, type Result, success } from '../../effects/result.ts';
import type { ErrorAnswer } from '../errors.ts';
import type { HttpEnv } from '../reply.ts';

const MAX_BYTES = 64 * 1024;

/**
 * The body of a request as JSON of this form. Every problem of it is named: 400 for what is no such
 * JSON, unknown fields among it, 413 for more than 64 KiB.
 */
export async function jsonBody<Schema extends v.GenericSchema>(
  c: Context<HttpEnv>,
  schema: Schema,
): Promise<Result<v.InferOutput<Schema>, ErrorAnswer>> {
  const text = await readText(c.req.raw.body);
  if (!text.ok) return text;
  let json: unknown;
  try {
    json = JSON.parse(text.value);
  } catch {
    return failed({ status: 400, text: 'a body that is no JSON' });
  }
  const parsed = v.safeParse(schema, json);
  if (parsed.success) return success(parsed.output);
  const problems = parsed.issues.map((issue) => {
    const path = v.getDotPath(issue);
    return path === null ? issue.message : `${path}: ${issue.message}`;
  });
  return failed({ status: 400, text: problems.join('; ') });
}

async function readText(
  body: ReadableStream<Uint8Array> | null,
): Promise<Result<string, ErrorAnswer>> {
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  try {
    for await (const chunk of body ?? []) {
      length += chunk.length;
      if (length > MAX_BYTES)
        return failed({ status: 413, text: `a body of more than ${MAX_BYTES} bytes` });
      text += decoder.decode(chunk, { stream: true });
    }
  } catch {
    return failed({ status: 400, text: 'a body that breaks off' });
  }
  return success(text + decoder.decode());
}
