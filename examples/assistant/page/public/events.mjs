// Reading server-sent events from a `fetch`: the browser's own `EventSource` can send no headers.

/** Events of a stream of bytes, as `{ event, data }`. `data` is JSON. */
export async function* readEvents(stream) {
  let rest = '';
  for await (const text of textsOf(stream)) {
    const blocks = (rest + text).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) {
      const event = read(block);
      if (event !== null) yield event;
    }
  }
}

async function* textsOf(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) yield value;
  } finally {
    // Whoever has heard enough shall not keep the connection. It may be broken already.
    await reader.cancel().catch(() => {});
  }
}

/** A block of lines; null for one that is only a comment, which keeps connections open. */
function read(block) {
  const fields = { event: 'message', data: [] };
  for (const line of block.split(/\r?\n/)) {
    const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line);
    if (name === 'event') fields.event = value;
    if (name === 'data') fields.data.push(value);
  }
  return fields.data.length === 0 ? null : { event: fields.event, data: JSON.parse(fields.data.join('\n')) };
}
