/** The path prefix that the app is served below, with a slash at both ends; see <base> in index.html. */
export function prefixOf(baseURI: string): string {
  const path = new URL('.', baseURI).pathname
  return path.endsWith('/') ? path : `${path}/`
}

export const prefix = prefixOf(document.baseURI)
