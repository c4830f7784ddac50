//! The grammar of dependency specifiers, by recursive descent.

use std::collections::BTreeSet;

use super::environment::MarkerVariable;
use super::marker::{Marker, MarkerComparison, MarkerOperator, MarkerValue};
use super::{Requirement, RequirementError};
use crate::name::PackageName;
use crate::version::{Operator, SpecifierError, VersionSpecifier, VersionSpecifiers};

/// How deeply the parentheses of a marker may nest.
const MAXIMUM_NESTING: usize = 64;

pub(super) fn requirement(input: &str) -> Result<Requirement, RequirementError> {
    Parser::new(input).requirement()
}

pub(super) fn marker(input: &str) -> Result<Marker, RequirementError> {
    let mut parser = Parser::new(input);
    let marker = parser.marker(0)?;
    if parser.rest.is_empty() { Ok(marker) } else { Err(parser.error("expected `and`, `or` or the end")) }
}

struct Parser<'a> {
    input: &'a str,
    /// What has not been read, without white space at the end.
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn new(input: &'a str) -> Self {
        Self { input, rest: input.trim() }
    }

    /// An error at the current position.
    fn error(&self, message: impl Into<String>) -> RequirementError {
        self.error_before(self.rest, message)
    }

    /// An error where `rest`, the end of the input, starts.
    fn error_before(&self, rest: &str, message: impl Into<String>) -> RequirementError {
        let end = self.input.trim_end().len();
        let position = self.input[..end - rest.len()].chars().count();
        RequirementError { input: self.input.to_owned(), position, message: message.into() }
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn take(&mut self, text: &str) -> bool {
        self.rest.strip_prefix(text).is_some_and(|rest| {
            self.rest = rest;
            true
        })
    }

    /// Reads as long as characters are wanted.
    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let length = self.rest.find(|character| !wanted(character)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// The name of a project or an extra.
    fn name(&mut self, expected: &str) -> Result<PackageName, RequirementError> {
        if !self.rest.starts_with(|character: char| character.is_ascii_alphanumeric()) {
            return Err(self.error(format!("expected {expected}")));
        }
        let name = self.take_while(|character| character.is_ascii_alphanumeric() || "-_.".contains(character));
        let at_end = |_| self.error(format!("expected a letter or a digit at the end of the name `{name}`"));
        name.parse().map_err(at_end)
    }

    fn requirement(&mut self) -> Result<Requirement, RequirementError> {
        let name = self.name("the name of a package")?;
        self.space();
        let extras = self.extras()?;
        self.space();
        let mut url = None;
        let mut specifiers = VersionSpecifiers::default();
        let separators = if self.take("@") {
            url = Some(self.url()?);
            "expected white space and `;`, or the end, after the URL"
        } else {
            specifiers = self.specifiers()?;
            if specifiers.is_empty() {
                "expected a version specifier such as `>=1.0`, `[extra]`, `@` with a URL, `;` with a marker, or the end"
            } else {
                "expected `,`, `;` or the end after the version specifier"
            }
        };
        self.space();
        let marker = if self.rest.is_empty() {
            None
        } else if self.take(";") {
            Some(self.marker(0)?)
        } else {
            return Err(self.error(separators));
        };
        if !self.rest.is_empty() {
            return Err(self.error("expected `and`, `or` or the end after the marker"));
        }
        Ok(Requirement { name, extras, specifiers, url, marker })
    }

    fn url(&mut self) -> Result<String, RequirementError> {
        self.space();
        let url = self.take_while(|character| !matches!(character, ' ' | '\t'));
        if url.is_empty() { Err(self.error("expected a URL after `@`")) } else { Ok(url.to_owned()) }
    }

    /// `[a, b]`
    fn extras(&mut self) -> Result<BTreeSet<String>, RequirementError> {
        let mut extras = BTreeSet::new();
        if !self.take("[") {
            return Ok(extras);
        }
        self.space();
        if self.take("]") {
            return Ok(extras);
        }
        loop {
            extras.insert(self.name("the name of an extra")?.to_string());
            self.space();
            if self.take("]") {
                return Ok(extras);
            }
            if !self.take(",") {
                return Err(self.error("expected `,` or `]` after the name of an extra"));
            }
            self.space();
        }
    }

    /// `>=1, <2` or the same in parentheses.
    fn specifiers(&mut self) -> Result<VersionSpecifiers, RequirementError> {
        let parenthesis = self.take("(");
        let mut specifiers = Vec::new();
        self.space();
        while Operator::strip(self.rest).is_some() {
            specifiers.push(self.specifier()?);
            self.space();
            if !self.take(",") {
                break;
            }
            self.space();
        }
        if parenthesis && !self.take(")") {
            return Err(self.error("expected `,` or `)` in the version specifier"));
        }
        Ok(specifiers.into_iter().collect())
    }

    fn specifier(&mut self) -> Result<VersionSpecifier, RequirementError> {
        let start = self.rest;
        let operator = Operator::strip(start);
        self.rest = operator.map_or(start, |(_, rest)| rest);
        self.take_while(char::is_whitespace);
        self.take_while(|character| !character.is_whitespace() && !matches!(character, ',' | ';' | ')'));
        let clause = &start[..start.len() - self.rest.len()];
        clause.parse().map_err(|error: SpecifierError| {
            let at = match &error {
                // The position is in the version, which starts after the operator and the space after it.
                SpecifierError::Version { source, .. } => {
                    let before = clause.len() - source.input.trim_start().len();
                    let leading = source.input.len() - source.input.trim_start().len();
                    source
                        .input
                        .char_indices()
                        .nth(source.position)
                        .map_or(clause.len(), |(index, _)| before + index - leading)
                }
                _ => 0,
            };
            self.error_before(start.get(at..).unwrap_or(start), error.to_string())
        })
    }

    fn marker(&mut self, nesting: usize) -> Result<Marker, RequirementError> {
        let mut alternatives = Vec::new();
        loop {
            let mut conditions = vec![self.marker_atom(nesting)?];
            while self.take_word("and") {
                conditions.push(self.marker_atom(nesting)?);
            }
            alternatives.push(single_or(conditions, Marker::All));
            if !self.take_word("or") {
                return Ok(single_or(alternatives, Marker::Any));
            }
        }
    }

    /// A comparison or a marker in parentheses, with the white space around it.
    fn marker_atom(&mut self, nesting: usize) -> Result<Marker, RequirementError> {
        self.space();
        let marker = if self.rest.starts_with('(') {
            if nesting == MAXIMUM_NESTING {
                return Err(self.error(format!("a marker may not nest more than {MAXIMUM_NESTING} parentheses")));
            }
            self.take("(");
            let marker = self.marker(nesting + 1)?;
            if !self.take(")") {
                return Err(self.error("expected `and`, `or` or `)`"));
            }
            marker
        } else {
            let left = self.marker_value()?;
            self.space();
            let operator = self.marker_operator()?;
            self.space();
            let right = self.marker_value()?;
            Marker::Comparison(MarkerComparison::new(left, operator, right))
        };
        self.space();
        Ok(marker)
    }

    fn marker_value(&mut self) -> Result<MarkerValue, RequirementError> {
        for quote in ['"', '\''] {
            if let Some(text) = self.rest.strip_prefix(quote) {
                let Some((text, rest)) = text.split_once(quote) else {
                    return Err(self.error(format!("expected a closing {quote} for the one here")));
                };
                self.rest = rest;
                return Ok(MarkerValue::Text(text.to_owned()));
            }
        }
        let start = self.rest;
        let name = self.take_while(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '.'));
        MarkerVariable::named(name).map(MarkerValue::Variable).ok_or_else(|| {
            let names = MarkerVariable::ALL.map(MarkerVariable::as_str).join(", ");
            let message = if name.is_empty() {
                format!("expected a text in quotes or a marker variable: {names}")
            } else {
                format!("`{name}` is not a marker variable (texts stand in quotes); there are {names}")
            };
            self.error_before(start, message)
        })
    }

    fn marker_operator(&mut self) -> Result<MarkerOperator, RequirementError> {
        if let Some((operator, rest)) = Operator::strip(self.rest) {
            self.rest = rest;
            return Ok(MarkerOperator::Version(operator));
        }
        if self.take_word("in") {
            return Ok(MarkerOperator::In);
        }
        if self.take_word("not") {
            self.space();
            if self.take_word("in") {
                return Ok(MarkerOperator::NotIn);
            }
            return Err(self.error("expected `in` after `not`"));
        }
        Err(self.error("expected one of <=, <, !=, ==, >=, >, ~=, ===, in, not in"))
    }

    /// Takes a word that is not the beginning of a longer one.
    fn take_word(&mut self, word: &str) -> bool {
        self.rest.strip_prefix(word).is_some_and(|rest| {
            let whole = !rest.starts_with(|character: char| character.is_alphanumeric() || character == '_');
            if whole {
                self.rest = rest;
            }
            whole
        })
    }
}

fn single_or(mut markers: Vec<Marker>, combine: impl Fn(Vec<Marker>) -> Marker) -> Marker {
    match markers.pop() {
        Some(only) if markers.is_empty() => only,
        last => {
            markers.extend(last);
            combine(markers)
        }
    }
}
