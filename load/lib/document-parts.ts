/**
 * Puts each text between `<!-- name -->` and `<!-- /name -->` of a document, in place of what is there. What the document
 * has no place for is left out.
 */
export function withParts(document: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((text, [name, part]) => {
    const place = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
    return text.replace(place, (_all, begin, end) => `${begin}\n${part}\n\n${end}`);
  }, document);
}
