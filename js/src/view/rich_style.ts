/** The style of HTML that Python displays. It lives in a shadow root; the custom properties are those of the page. */
export const RICH_STYLE = `
:host { display: block; width: max-content; min-width: 100%; }
table { border-collapse: collapse; border: 0; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: 0 0.75rem 0.5rem; color: var(--text-soft); }
th, td { padding: 0.3125rem 0.75rem; text-align: right; border: 0; white-space: nowrap; }
thead tr > * { border-bottom: 1px solid var(--line-strong); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 500; color: var(--text-soft); }
tbody tr + tr > * { border-top: 1px solid var(--line); }
tbody tr:hover > * { background: var(--accent-wash); }
p { margin: 0.5rem 0; }
a { color: var(--accent); }
img { max-width: 100%; height: auto; }
pre, code { font-family: var(--mono); font-size: 0.875rem; }
`;
