/** Indents XML for reading. Text that is not well formed is shown as it came. */

const INDENT = "  ";

/** One element per line, two spaces per level; text stays beside its tags. */
export function prettyXml(source: string): string {
  if (source.length > 65_536 || !source.trimStart().startsWith("<")) return source;
  const parsed = new DOMParser().parseFromString(source, "application/xml");
  if (parsed.querySelector("parsererror") !== null) return source;
  const declaration = /^\s*<\?xml[^>]*\?>/.exec(source)?.[0].trim();
  const lines = declaration ? [declaration] : [];
  for (const child of parsed.childNodes) write(child, 0, lines);
  return lines.join("\n");
}

function write(node: Node, depth: number, lines: string[]): void {
  const pad = INDENT.repeat(depth);
  if (node.nodeType === Node.ELEMENT_NODE) writeElement(node as Element, pad, depth, lines);
  else if (node.nodeType === Node.COMMENT_NODE) lines.push(`${pad}<!--${node.nodeValue ?? ""}-->`);
  else if (node.textContent?.trim()) lines.push(pad + escaped(node.textContent.trim()));
}

function writeElement(element: Element, pad: string, depth: number, lines: string[]): void {
  const attributes = [...element.attributes]
    .map(({ name, value }) => ` ${name}="${escaped(value)}"`)
    .join("");
  const children = [...element.childNodes].filter(
    (child) => child.nodeType !== Node.TEXT_NODE || child.textContent?.trim(),
  );
  const only = children[0];
  if (only === undefined) {
    lines.push(`${pad}<${element.tagName}${attributes}/>`);
  } else if (children.length === 1 && only.nodeType === Node.TEXT_NODE) {
    const text = escaped(only.textContent?.trim() ?? "");
    lines.push(`${pad}<${element.tagName}${attributes}>${text}</${element.tagName}>`);
  } else {
    lines.push(`${pad}<${element.tagName}${attributes}>`);
    for (const child of children) write(child, depth + 1, lines);
    lines.push(`${pad}</${element.tagName}>`);
  }
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
