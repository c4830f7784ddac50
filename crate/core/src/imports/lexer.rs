//! Python source as tokens, as far as finding imports needs them.

use super::string::{Opening, end_of_line, end_of_name, end_of_plain, end_of_string, is_name_byte};

/// A token, or a step in the line structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A logical line that is not blank starts in this column (tabs stop at multiples of eight).
    Line { column: usize },
    /// A logical line ends, or a new one starts because this one cannot be Python.
    EndOfLine,
    /// An identifier or a keyword.
    Name(&'a str),
    /// A string or a number.
    Literal,
    /// Any other character.
    Operator(u8),
}

/// Turns source into tokens.
pub(super) struct Lexer<'a> {
    text: &'a str,
    source: &'a [u8],
    position: usize,
    /// Where the token last returned starts.
    pub(super) token_start: usize,
    /// Open brackets.
    brackets: usize,
    /// At the start of a logical line.
    at_start: bool,
    /// Between two lines of an expression in brackets.
    after_inner_newline: bool,
    /// An f-string made no sense: all others are read as plain strings, which keeps the time linear.
    plain_strings: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let position = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self {
            text,
            source: text.as_bytes(),
            position,
            token_start: position,
            brackets: 0,
            at_start: true,
            after_inner_newline: false,
            plain_strings: false,
        }
    }

    /// Whether the token last returned is inside brackets, or is a closing one of nested brackets.
    pub(super) fn in_brackets(&self) -> bool {
        self.brackets > 0
    }

    /// The next token, `None` at the end.
    pub(super) fn next(&mut self) -> Option<Token<'a>> {
        if self.at_start {
            let column = self.start_of_line()?;
            self.at_start = false;
            self.token_start = self.position;
            return Some(Token::Line { column });
        }
        loop {
            self.token_start = self.position;
            let byte = *self.source.get(self.position)?;
            match byte {
                b' ' | b'\t' | b'\x0c' => self.position += 1,
                b'#' => self.position = end_of_line(self.source, self.position),
                b'\\' => self.position += self.continuation().unwrap_or(1),
                b'\n' | b'\r' if self.brackets > 0 => {
                    self.position += 1;
                    self.after_inner_newline = true;
                }
                b'\n' | b'\r' => {
                    self.position += 1;
                    self.at_start = true;
                    return Some(Token::EndOfLine);
                }
                b'"' | b'\'' => return Some(self.name_or_literal()),
                byte if is_name_byte(byte) => {
                    if self.after_inner_newline && self.starts_statement() {
                        self.brackets = 0;
                        self.after_inner_newline = false;
                        self.back_to_start_of_line();
                        self.at_start = true;
                        return Some(Token::EndOfLine);
                    }
                    return Some(self.name_or_literal());
                }
                byte => {
                    self.after_inner_newline = false;
                    match byte {
                        b'(' | b'[' | b'{' => self.brackets += 1,
                        b')' | b']' | b'}' => self.brackets = self.brackets.saturating_sub(1),
                        _ => {}
                    }
                    self.position += 1;
                    return Some(Token::Operator(byte));
                }
            }
        }
    }

    /// Skips blank lines and comments and returns the column of what comes then; `None` at the end of the source.
    fn start_of_line(&mut self) -> Option<usize> {
        let mut column = 0;
        loop {
            match *self.source.get(self.position)? {
                b' ' => column += 1,
                b'\t' => column = (column / 8 + 1) * 8,
                b'\x0c' | b'\n' | b'\r' => column = 0,
                b'#' => {
                    self.position = end_of_line(self.source, self.position);
                    continue;
                }
                b'\\' => {
                    let Some(length) = self.continuation() else { return Some(column) };
                    // The indentation is that of the first of the joined lines.
                    self.position += length;
                    while matches!(self.source.get(self.position), Some(b' ' | b'\t' | b'\x0c')) {
                        self.position += 1;
                    }
                    continue;
                }
                _ => return Some(column),
            }
            self.position += 1;
        }
    }

    /// Length of the line continuation here, `None` if the backslash is not at the end of its line.
    fn continuation(&self) -> Option<usize> {
        match &self.source[self.position + 1..] {
            [b'\r', b'\n', ..] => Some(3),
            [b'\n' | b'\r', ..] => Some(2),
            _ => None,
        }
    }

    /// Reads an identifier, a number, or a string with its prefix.
    fn name_or_literal(&mut self) -> Token<'a> {
        self.after_inner_newline = false;
        let start = self.position;
        let end = end_of_name(self.source, start);
        if let Some(opening) = Opening::at(self.source, &self.source[start..end], end) {
            self.position = if self.plain_strings {
                end_of_plain(self.source, opening)
            } else {
                let (end, gave_up) = end_of_string(self.source, opening);
                self.plain_strings = gave_up;
                end
            };
            return Token::Literal;
        }
        self.position = end;
        if self.source[start].is_ascii_digit() {
            Token::Literal
        } else {
            // A name's bytes end at an ASCII byte or at the end, so this is always a whole number of characters.
            self.text.get(start..end).map_or(Token::Literal, Token::Name)
        }
    }

    /// Whether here, in brackets at the start of a line, is something that only starts a statement: a bracket above
    /// was never closed.
    fn starts_statement(&self) -> bool {
        let end = end_of_name(self.source, self.position);
        match &self.source[self.position..end] {
            b"import" | b"def" | b"class" => true,
            // `(yield\nfrom x)` is an expression, `from x import` is not.
            b"from" => {
                let spaces = |from: usize| self.source[from..].iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
                let module = end + spaces(end).count();
                let is_part = |byte: &&u8| **byte == b'.' || is_name_byte(**byte);
                let after = module + self.source[module..].iter().take_while(is_part).count();
                let keyword = after + spaces(after).count();
                self.source[keyword..end_of_name(self.source, keyword)] == *b"import"
            }
            _ => false,
        }
    }

    fn back_to_start_of_line(&mut self) {
        while self.position > 0 && matches!(self.source[self.position - 1], b' ' | b'\t' | b'\x0c') {
            self.position -= 1;
        }
    }
}
