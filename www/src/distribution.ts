/**
 * The folder of the Python distribution: `<meta name="taipan-index-url">`, resolved against the page. For tests
 * `?indexURL=` names another one, on this origin only: a link must not make the page run somebody else's code.
 */
export function distributionURL(page: URL = new URL(location.href)): string {
  const meta = document.querySelector<HTMLMetaElement>('meta[name="taipan-index-url"]');
  const url = new URL(meta?.content ?? "./python/", document.baseURI);
  const override = page.searchParams.get("indexURL");
  if (override !== null) {
    const other = new URL(override, page);
    if (other.origin === page.origin) return other.href;
  }
  return url.href;
}
