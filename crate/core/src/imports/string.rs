//! Where a string literal ends.

/// The opening of a string literal: its prefix and quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opening {
    quote: u8,
    triple: bool,
    /// `r` prefix: `\N{…}` means nothing special.
    raw: bool,
    /// `f` or `t` prefix: braces hold expressions.
    formatted: bool,
    /// Where the text after the quotes starts.
    start: usize,
}

impl Opening {
    /// The literal whose quotes are at `quotes`, after `prefix`; `None` if no quotes are there or `prefix` is not a
    /// string prefix.
    pub(super) fn at(source: &[u8], prefix: &[u8], quotes: usize) -> Option<Self> {
        let quote = *source.get(quotes).filter(|byte| matches!(byte, b'"' | b'\''))?;
        let mut raw = false;
        let mut formatted = false;
        if prefix.len() > 2 {
            return None;
        }
        for letter in prefix.to_ascii_lowercase() {
            match letter {
                b'r' => raw = true,
                b'f' | b't' => formatted = true,
                b'b' | b'u' => {}
                _ => return None,
            }
        }
        let triple = source[quotes..].starts_with(&[quote; 3]);
        Some(Self { quote, triple, raw, formatted, start: quotes + if triple { 3 } else { 1 } })
    }

    /// Length of the closing quotes at `position`; `None` if the literal does not end there.
    fn closing(&self, source: &[u8], position: usize) -> Option<usize> {
        let length = if self.triple { 3 } else { 1 };
        source[position..].starts_with(&[self.quote; 3][..length]).then_some(length)
    }
}

/// What surrounds the position while an f-string is read.
enum Context {
    /// Text of a string.
    Text(Opening),
    /// An expression in braces, with this many brackets open in it.
    Expression { brackets: usize },
    /// After the `:` of an expression, up to its `}`.
    FormatSpec,
}

/// How deeply f-strings may nest before the outermost one is read as a plain string. Python's own limit is 150.
const MAXIMUM_NESTING: usize = 1000;

/// The position after a plain string. One that is not closed ends before its line's end, or at the end of the source
/// if it has triple quotes.
pub(super) fn end_of_plain(source: &[u8], opening: Opening) -> usize {
    let mut position = opening.start;
    while position < source.len() {
        if let Some(length) = opening.closing(source, position) {
            return position + length;
        }
        match source[position] {
            b'\\' => position += escape_length(source, position),
            b'\n' | b'\r' if !opening.triple => return position,
            _ => position += 1,
        }
    }
    source.len()
}

/// The position after a string of any kind, with whether an f-string had to be read as a plain one because it makes
/// no sense.
pub(super) fn end_of_string(source: &[u8], opening: Opening) -> (usize, bool) {
    if !opening.formatted {
        return (end_of_plain(source, opening), false);
    }
    end_of_formatted(source, opening).map_or_else(|| (end_of_plain(source, opening), true), |end| (end, false))
}

/// The position after an f-string, `None` if it is not closed.
fn end_of_formatted(source: &[u8], opening: Opening) -> Option<usize> {
    let mut contexts = vec![Context::Text(opening)];
    let mut position = opening.start;
    while position < source.len() {
        if contexts.len() > MAXIMUM_NESTING {
            return None;
        }
        let byte = source[position];
        match contexts.last_mut()? {
            Context::Text(string) => {
                if let Some(length) = string.closing(source, position) {
                    position += length;
                    contexts.pop();
                    if contexts.is_empty() {
                        return Some(position);
                    }
                    continue;
                }
                match byte {
                    b'\n' | b'\r' if !string.triple => return None,
                    b'\\' if !string.raw && source[position..].starts_with(b"\\N{") => position += 3,
                    b'\\' if matches!(source.get(position + 1), Some(b'{' | b'}')) => position += 1,
                    b'\\' => position += escape_length(source, position),
                    b'{' if source.get(position + 1) == Some(&b'{') => position += 2,
                    b'{' => {
                        contexts.push(Context::Expression { brackets: 0 });
                        position += 1;
                    }
                    _ => position += 1,
                }
            }
            Context::Expression { brackets } => {
                position = match byte {
                    b'(' | b'[' | b'{' => {
                        *brackets += 1;
                        position + 1
                    }
                    b'}' if *brackets == 0 => {
                        contexts.pop();
                        position + 1
                    }
                    b')' | b']' | b'}' => {
                        *brackets = brackets.saturating_sub(1);
                        position + 1
                    }
                    b':' if *brackets == 0 => {
                        contexts.pop();
                        contexts.push(Context::FormatSpec);
                        position + 1
                    }
                    b'#' => end_of_line(source, position),
                    _ => {
                        let after = end_of_name(source, position);
                        match Opening::at(source, &source[position..after], after) {
                            Some(inner) if inner.formatted => {
                                contexts.push(Context::Text(inner));
                                inner.start
                            }
                            Some(inner) => end_of_plain(source, inner),
                            None => after.max(position + 1),
                        }
                    }
                };
            }
            Context::FormatSpec => {
                position += 1;
                match byte {
                    b'{' => contexts.push(Context::Expression { brackets: 0 }),
                    b'}' => drop(contexts.pop()),
                    _ => {}
                }
            }
        }
    }
    None
}

/// Length of a backslash with what it escapes, `\r\n` being one thing.
pub(super) fn escape_length(source: &[u8], backslash: usize) -> usize {
    if source[backslash + 1..].starts_with(b"\r\n") { 3 } else { 2.min(source.len() - backslash) }
}

/// The position of the line's end at or after `position`.
pub(super) fn end_of_line(source: &[u8], position: usize) -> usize {
    let length = source[position..].iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count();
    position + length
}

/// The position after the identifier or number at `position`; `position` itself if there is none.
pub(super) fn end_of_name(source: &[u8], position: usize) -> usize {
    let length = source[position..].iter().take_while(|byte| is_name_byte(**byte)).count();
    position + length
}

/// Letters, digits, the underscore, and everything that is not ASCII.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || !byte.is_ascii()
}
