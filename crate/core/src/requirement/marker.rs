//! Environment markers: `python_version >= "3.11" and extra == "excel"`.

use std::fmt;
use std::str::FromStr;

use super::environment::{MarkerEnvironment, MarkerVariable};
use super::{RequirementError, parse};
use crate::version::{Operator, Version, VersionSpecifier};

/// A condition on the environment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Marker {
    /// One comparison.
    Comparison(MarkerComparison),
    /// `… and …`; true if there is none.
    All(Vec<Marker>),
    /// `… or …`; false if there is none.
    Any(Vec<Marker>),
}

/// `left operator right`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MarkerComparison {
    /// What stands before the operator.
    pub left: MarkerValue,
    /// How the two are compared.
    pub operator: MarkerOperator,
    /// What stands after the operator.
    pub right: MarkerValue,
}

/// A side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MarkerValue {
    /// A variable.
    Variable(MarkerVariable),
    /// The text between quotes; normalised if it is compared with `extra`.
    Text(String),
}

impl MarkerValue {
    fn normalize_text(&mut self) {
        if let Self::Text(text) = self {
            *text = normalize_name(text);
        }
    }
}

/// The operator of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MarkerOperator {
    /// An operator of version specifiers.
    Version(Operator),
    /// `in`: the left text is part of the right one.
    In,
    /// `not in`
    NotIn,
}

impl MarkerComparison {
    /// A comparison. If one side is `extra`, the text on the other is normalised.
    pub fn new(mut left: MarkerValue, operator: MarkerOperator, mut right: MarkerValue) -> Self {
        let extra = MarkerValue::Variable(MarkerVariable::Extra);
        if right == extra {
            left.normalize_text();
        } else if left == extra {
            right.normalize_text();
        }
        Self { left, operator, right }
    }

    /// PEP 508's rule: as versions where the variable holds a version and operator and right side make a version
    /// specifier, else as texts. Texts have no order: `<` and `>` are false, `<=` and `>=` mean `==`; `~=` and `===`,
    /// which `packaging` refuses to evaluate for texts, are false.
    fn evaluate(&self, environment: &MarkerEnvironment, extra: &str) -> bool {
        let value = |value: &MarkerValue| match value {
            MarkerValue::Variable(variable) => environment.value(*variable, extra).into_owned(),
            MarkerValue::Text(text) => text.clone(),
        };
        let (left, right) = (value(&self.left), value(&self.right));
        let operator = match self.operator {
            MarkerOperator::In => return right.contains(&left),
            MarkerOperator::NotIn => return !right.contains(&left),
            MarkerOperator::Version(operator) => operator,
        };
        let variable = match (&self.left, &self.right) {
            (MarkerValue::Variable(variable), _) | (_, MarkerValue::Variable(variable)) => Some(*variable),
            _ => None,
        };
        if variable.is_some_and(MarkerVariable::is_version)
            && let Ok(specifier) = format!("{operator}{right}").parse::<VersionSpecifier>()
        {
            return match left.parse::<Version>() {
                // `===` compares texts, and the version's own spelling is one.
                _ if operator == Operator::Arbitrary => left.eq_ignore_ascii_case(right.trim()),
                Ok(version) => specifier.contains(&version),
                Err(_) => false,
            };
        }
        match operator {
            Operator::Equal | Operator::LessEqual | Operator::GreaterEqual => left == right,
            Operator::NotEqual => left != right,
            Operator::Less | Operator::Greater | Operator::Compatible | Operator::Arbitrary => false,
        }
    }
}

impl Marker {
    /// Whether the marker is true in an environment, for a distribution of which `extras` are wanted: true if it is
    /// for any of them, or, if there are none, without an extra.
    pub fn evaluate<S: AsRef<str>>(&self, environment: &MarkerEnvironment, extras: &[S]) -> bool {
        if extras.is_empty() {
            return self.evaluate_one(environment, "");
        }
        extras.iter().any(|extra| self.evaluate_one(environment, &normalize_name(extra.as_ref())))
    }

    fn evaluate_one(&self, environment: &MarkerEnvironment, extra: &str) -> bool {
        match self {
            Self::Comparison(comparison) => comparison.evaluate(environment, extra),
            Self::All(markers) => markers.iter().all(|marker| marker.evaluate_one(environment, extra)),
            Self::Any(markers) => markers.iter().any(|marker| marker.evaluate_one(environment, extra)),
        }
    }

    /// Writes the marker, in parentheses if it is of an operator that binds less than what surrounds it.
    fn write(&self, formatter: &mut fmt::Formatter<'_>, nested: bool) -> fmt::Result {
        let (markers, word) = match self {
            Self::Comparison(comparison) => return write!(formatter, "{comparison}"),
            Self::All(markers) => (markers, " and "),
            Self::Any(markers) => (markers, " or "),
        };
        let parentheses = nested && markers.len() > 1;
        formatter.write_str(if parentheses { "(" } else { "" })?;
        for (index, marker) in markers.iter().enumerate() {
            formatter.write_str(if index == 0 { "" } else { word })?;
            let binds_more = matches!((self, marker), (Self::Any(_), Self::All(_)));
            marker.write(formatter, !binds_more)?;
        }
        formatter.write_str(if parentheses { ")" } else { "" })
    }
}

impl FromStr for Marker {
    type Err = RequirementError;

    fn from_str(input: &str) -> Result<Self, RequirementError> {
        parse::marker(input)
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(formatter, false)
    }
}

impl fmt::Display for MarkerComparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {}", self.left, self.operator, self.right)
    }
}

impl fmt::Display for MarkerValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(variable) => write!(formatter, "{variable}"),
            Self::Text(text) if text.contains('"') => write!(formatter, "'{text}'"),
            Self::Text(text) => write!(formatter, "\"{text}\""),
        }
    }
}

impl fmt::Display for MarkerOperator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(operator) => write!(formatter, "{operator}"),
            Self::In => formatter.write_str("in"),
            Self::NotIn => formatter.write_str("not in"),
        }
    }
}

/// What is compared with `extra`, in lower case with every run of `-`, `_` and `.` as one `-` (PEP 685). Unlike a
/// package name it can be any text.
fn normalize_name(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '-' | '_' | '.' if normalized.ends_with('-') => {}
            '-' | '_' | '.' => normalized.push('-'),
            _ => normalized.extend(character.to_lowercase()),
        }
    }
    normalized
}
